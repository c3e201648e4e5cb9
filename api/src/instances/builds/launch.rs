//! Launches a new app server. It is recorded, visible and with its own log, before any work on it begins.

use diesel_async::{AsyncConnection, AsyncPgConnection};
use serde_json::{Map, Value, json};
use shared_types::audit::Operation;
use shared_types::migration::NextMigration;
use shared_types::{AppServerId, EventKind, InstanceId, Trigger};

use crate::instances::application::{Application, Playbook, Reference, Requirements, Snapshot, SnapshotInput};
use crate::instances::builds::{migration, neutralise};
use crate::instances::jobs::AdvanceAppServer;
use crate::instances::journal::Journal;
use crate::instances::resources::plan;
use crate::instances::settings::{opened, sources};
use crate::instances::store::app_servers::{self, AppServerRow, NewAppServer};
use crate::instances::store::builds::{self, BuildRow, Wish};
use crate::instances::store::instances::InstanceRow;
use crate::instances::store::migrating::NewMigrating;
use crate::instances::store::{copies, instances, migrating, pins};
use crate::instances::{Manager, Refusal, machine, own_secrets};
use crate::machines;
use crate::machines::key::KeyPair;
use crate::platform::db::DbError;
use crate::platform::jobs::workers;
use crate::platform::logs::Line;
use crate::platform::origin::Actor;
use crate::platform::vault;

/// What is launched, and what caused the launch.
#[derive(Debug, Clone)]
pub struct Request {
    pub trigger: Trigger,
    pub reason: Option<String>,
    /// Number of this attempt, from 1.
    pub attempt: i32,
    /// Most attempts, the first included.
    pub num_attempts: i32,
    /// The failed attempt that this one repeats.
    pub retry_of: Option<AppServerId>,
    /// Whether it is activated as soon as it runs.
    pub activate_when_running: bool,
    /// Whether visitors go on to use the site while it migrates databases.
    pub migrates_without_page: bool,
}

impl Request {
    /// One attempt, not activated when it runs.
    pub fn once(trigger: Trigger, reason: Option<String>) -> Self {
        Self {
            trigger,
            reason,
            attempt: 1,
            num_attempts: 1,
            retry_of: None,
            activate_when_running: false,
            migrates_without_page: false,
        }
    }
}

/// Launches an app server with the instance's current settings. Only the database is used so far.
///
/// # Errors
/// [`Refusal::NotFound`]; [`Refusal::Conflict`] if the instance is archived, or its playbooks may not come from
/// their repository; [`Refusal::Unavailable`] while no build
/// may begin, here or at another worker; [`Refusal::Application`] if the settings cannot be used.
pub async fn launch(
    manager: &Manager,
    conn: &mut AsyncPgConnection,
    actor: &Actor,
    id: InstanceId,
    request: Request,
) -> Result<AppServerId, Refusal> {
    if let Some(trouble) = manager.trouble.now()
        && !workers::do_others_begin_builds(conn).await?
    {
        return Err(Refusal::Unavailable(format!("No build begins now: {trouble}.")));
    }
    conn.transaction(async |conn| {
        let row = instances::lock(conn, id).await?.ok_or(Refusal::NotFound { what: "instance", id: id.0 })?;
        record(manager, conn, actor, row, &request).await
    })
    .await
}

/// Launches the next attempt of a failed build, in the transaction that ends it. None: no attempt is left.
pub(in crate::instances) async fn retry(
    manager: &Manager,
    conn: &mut AsyncPgConnection,
    failed: &AppServerRow,
    state: &BuildRow,
) -> Result<Option<AppServerId>, Refusal> {
    if failed.attempt >= failed.num_attempts {
        return Ok(None);
    }
    let Some(row) = instances::lock(conn, failed.instance_id).await?.filter(|row| row.archived_at.is_none()) else {
        return Ok(None);
    };
    let request = Request {
        trigger: Trigger::Retry,
        reason: failed.reason.clone(),
        attempt: failed.attempt + 1,
        num_attempts: failed.num_attempts,
        retry_of: Some(failed.id),
        activate_when_running: state.activate_when_running,
        migrates_without_page: migrating::find(conn, failed.id).await?.is_some_and(|before| !before.has_page),
    };
    let next = record(manager, conn, &failed.requested_by, row, &request).await?;
    // The user who requested the activation may differ from the one who launched.
    if let Some(by) = state.activate_requested_by.as_ref().filter(|_| state.activate_when_running) {
        let (reason, drain_limit_seconds) = (state.activate_reason.as_deref(), state.activate_drain_limit_seconds);
        builds::want_activation(conn, next, Some(Wish { by, reason, drain_limit_seconds })).await?;
    }
    Ok(Some(next))
}

/// The settings of the instance's newest running app server, upgraded, with their secrets, if a snapshot with
/// `settings` depends on them. Of a copy (`is_copy`): those of the app server that last used the data, which may be its source's. Two
/// queries at most, four of a copy; none if the snapshot does not depend on them.
///
/// # Errors
/// [`Refusal::Application`] if they cannot be upgraded.
pub(super) async fn previous(
    manager: &Manager,
    conn: &mut AsyncPgConnection,
    (application, settings): (&dyn Application, &Value),
    (id, is_copy): (InstanceId, bool),
) -> Result<Option<Value>, Refusal> {
    if !application.depends_on_previous(settings) {
        return Ok(None);
    }
    let last = match is_copy {
        true => migrating::last_user(conn, id).await?,
        false => app_servers::newest_running(conn, id).await?,
    };
    let Some(last) = last else { return Ok(None) };
    let [settings] = vault::open(&manager.options.keyring, conn, [&last.settings]).await?;
    let (_, settings) = manager.current(&last.instance_type, last.settings_version, settings)?;
    Ok(Some(settings))
}

/// Records a launch, in a transaction that has locked the instance.
async fn record(
    manager: &Manager,
    conn: &mut AsyncPgConnection,
    actor: &Actor,
    row: InstanceRow,
    request: &Request,
) -> Result<AppServerId, Refusal> {
    let id = row.id;
    if row.archived_at.is_some() {
        return Err(Refusal::Conflict(format!("Instance {id} is archived; restore it to launch app servers.")));
    }
    let keyring = &manager.options.keyring;
    let [settings, secrets] = vault::open(keyring, conn, [&row.settings, &row.secrets]).await?;
    let (application, settings) = manager.current(&row.instance_type, row.settings_version, settings)?;
    let provider = machine::chosen(manager, row.provider.as_ref())?;
    machine::check(provider, application, &settings)?;
    if application.depends_on_previous(&settings) {
        refuse_second_build(conn, id).await?;
    }
    let secrets = own_secrets::of(&secrets);
    let hooks = serde_json::to_value(application.hooks(&settings)?).map_err(DbError::from)?;
    let copy = copies::newest(conn, id).await?;
    let previous = previous(manager, conn, (application, &settings), (id, copy.is_some())).await?;
    let planned = plan::plan(manager, conn, id, &application.resources(&settings)?).await?;
    let migration = migration::plan(manager, conn, (application, &settings), id).await?;
    let mut snapshot = application.snapshot(SnapshotInput {
        name: &row.name,
        settings: &settings,
        secrets: &secrets,
        previous: previous.as_ref(),
        resources: &planned.connections,
    })?;
    let neutralised = match copy.filter(|(copy, _)| copy.is_neutralised()) {
        Some((_, source)) => {
            let overridden = neutralise::neutralise(application, &settings, &mut snapshot)?;
            Some(neutralise::words(&source, &overridden))
        }
        None => None,
    };
    sources::check_launch(manager, &snapshot.playbooks)?;
    let number = instances::take_app_server_number(conn, id).await?;
    let name = format!("AppServer {number}");
    let (variables, playbooks) = (variables(&snapshot, &name), snapshot.playbooks.iter().map(playbook_json).collect());
    let references: Value = snapshot.references.iter().map(reference_json).collect();
    // The app server gets its own secrets: the instance's are deleted when its settings change.
    let key = KeyPair::generate().map_err(DbError::from)?.document();
    let ([settings, variables, playbooks, variable_references, key], secrets) =
        vault::seal(keyring, &application.kind().schema, [&settings, &variables, &playbooks, &references, &key])?;
    let prefix = &snapshot.machine_name_prefix;
    let server_id = machines::store::insert(conn, &provider.name, prefix, &key).await?;
    let new = NewAppServer {
        instance_id: id,
        server_id,
        number,
        name: name.clone(),
        instance_type: row.instance_type,
        settings,
        settings_version: application.version(),
        variables,
        playbooks,
        variable_references,
        hooks,
        resources: serde_json::to_value(&planned.used).map_err(DbError::from)?,
        is_neutralised: neutralised.is_some(),
        requested_by: actor.clone(),
        reason: request.reason.clone(),
        trigger: request.trigger,
        attempt: request.attempt,
        num_attempts: request.num_attempts,
        retry_of: request.retry_of,
    };
    let app_server = app_servers::insert(conn, &new, request.activate_when_running.then_some(actor)).await?;
    vault::keep(conn, id, secrets).await?;
    pins::insert(conn, app_server, to_pin(&snapshot)).await?;
    if let Some(migration) = &migration {
        migrating::insert(conn, migrating_row((id, app_server), migration, request)).await?;
    }
    AdvanceAppServer::enqueue(conn, app_server).await?;
    tell(conn, actor, (id, app_server), &name, request, migration.as_ref()).await?;
    if let Some(line) = neutralised {
        Journal::of_consequence().app_server(id, app_server).line_in_both_logs(line).write(conn).await?;
    }
    Ok(app_server)
}

fn migrating_row<'a>(
    (instance_id, app_server_id): (InstanceId, AppServerId),
    migration: &'a NextMigration,
    request: &Request,
) -> NewMigrating<'a> {
    let NextMigration { from, to, contents: _, left_out: _, why_no_snapshot: _ } = migration;
    let has_page = !request.migrates_without_page;
    NewMigrating { app_server_id, instance_id, migrates_from: from, migrates_to: to, has_page }
}

/// That another attempt is launched, for the log.
pub(in crate::instances) fn attempt_words(before: &AppServerRow, next: AppServerId) -> Line {
    Line::info(format!("Attempt {} of {} is app server {next}", before.attempt + 1, before.num_attempts))
}

/// Refuses while another app server of the instance is being built.
async fn refuse_second_build(conn: &mut AsyncPgConnection, id: InstanceId) -> Result<(), Refusal> {
    let Some(name) = app_servers::being_built(conn, id).await? else { return Ok(()) };
    Err(Refusal::Conflict(format!(
        "{name} is being built, and builds of this instance change the same data: wait for its end or stop it."
    )))
}

/// Writes the event, the line of both logs, and the audit entry.
async fn tell(
    conn: &mut AsyncPgConnection,
    actor: &Actor,
    (instance, id): (InstanceId, AppServerId),
    name: &str,
    request: &Request,
    migration: Option<&NextMigration>,
) -> Result<(), DbError> {
    let migrates = migration.map(
        |NextMigration { from, to, .. }| json!({ "from": from, "to": to, "has_page": !request.migrates_without_page }),
    );
    let detail = json!({
        "name": name,
        "trigger": request.trigger,
        "attempt": request.attempt,
        "num_attempts": request.num_attempts,
        "activate_when_running": request.activate_when_running,
        "migrates": migrates,
    });
    Journal::of(actor, Operation::LaunchAppServer)
        .app_server(instance, id)
        .event(EventKind::AppServerLaunched)
        .line_in_both_logs(Line::info(words(name, actor, request)))
        .detail(detail)
        .reason(request.reason.as_deref())
        .write(conn)
        .await
}

/// `AppServer 3 launched by admin (attempt 2 of 2): upgrade`.
fn words(name: &str, actor: &Actor, request: &Request) -> String {
    let mut words = format!("{name} launched by {actor}");
    if request.num_attempts > 1 {
        words.push_str(&format!(" (attempt {} of {})", request.attempt, request.num_attempts));
    }
    if let Some(reason) = &request.reason {
        words.push_str(": ");
        words.push_str(reason);
    }
    words
}

/// The variables that Ansible gets: the application's, and the app server's name.
pub(in crate::instances) fn variables(snapshot: &Snapshot, name: &str) -> Value {
    let mut variables: Map<String, Value> = snapshot.variables.clone();
    variables.entry("ocim_app_server").or_insert_with(|| name.into());
    variables.into()
}

/// Repositories and versions, without passwords: the build finds the real URL by the rest.
fn to_pin(snapshot: &Snapshot) -> Vec<(String, &str)> {
    let playbooks = snapshot.playbooks.iter().map(|book| (&book.source_repo, book.version.as_str()));
    let others = snapshot.references.iter().map(|one| (&one.repository, one.version.as_str()));
    playbooks.chain(others).map(|(repository, version)| (opened::nameable(repository), version)).collect()
}

fn playbook_json(playbook: &Playbook) -> Value {
    let Playbook { source_repo, version, playbook_path, requirements } = playbook;
    let (path, text) = match requirements {
        Requirements::File(path) => (path.as_str(), None),
        Requirements::Text(text) => ("", Some(text)),
    };
    json!({
        "source_repo": source_repo,
        "version": version,
        "playbook_path": playbook_path,
        "requirements_path": path,
        "requirements": text,
    })
}

fn reference_json(reference: &Reference) -> Value {
    let Reference { name, repository, version, variables } = reference;
    json!({ "name": name, "repository": repository, "version": version, "variables": variables })
}

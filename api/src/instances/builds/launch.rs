//! A new app server. It exists, visible and with a log of its own, before any work on it begins.

use diesel_async::{AsyncConnection, AsyncPgConnection};
use serde_json::{Map, Value, json};
use shared_types::{AppServerId, EventKind, InstanceId, Trigger};

use crate::instances::application::{Playbook, Reference, Requirements, Snapshot, SnapshotInput};
use crate::instances::jobs::AdvanceAppServer;
use crate::instances::settings::opened;
use crate::instances::store::app_servers::{self, AppServerRow, NewAppServer};
use crate::instances::store::builds::{self, BuildRow, Wish};
use crate::instances::store::instances::InstanceRow;
use crate::instances::store::{instances, pins};
use crate::instances::{Manager, Refusal, machine, own_secrets};
use crate::machines;
use crate::platform::db::DbError;
use crate::platform::{audit, events, logs, vault};

/// What was asked for.
#[derive(Debug, Clone)]
pub struct Request {
    /// What caused it.
    pub trigger: Trigger,
    /// Why.
    pub reason: Option<String>,
    /// Which attempt it is.
    pub attempt: i32,
    /// How many there are at most.
    pub num_attempts: i32,
    /// The attempt before.
    pub retry_of: Option<AppServerId>,
    /// Whether it is activated when it runs.
    pub activate_when_running: bool,
}

impl Request {
    /// One attempt, nothing activated.
    pub fn once(trigger: Trigger, reason: Option<String>) -> Self {
        Self { trigger, reason, attempt: 1, num_attempts: 1, retry_of: None, activate_when_running: false }
    }
}

/// Launches an app server of an instance with the settings as they are now. Nothing outside is asked yet.
///
/// # Errors
/// [`Refusal::NotFound`], [`Refusal::Conflict`] when the instance is archived, or why the settings cannot be used.
pub async fn launch(
    manager: &Manager,
    conn: &mut AsyncPgConnection,
    actor: &str,
    id: InstanceId,
    request: Request,
) -> Result<AppServerId, Refusal> {
    if let Some(trouble) = manager.trouble.now() {
        return Err(Refusal::Unavailable(format!("No build begins now: {trouble}.")));
    }
    conn.transaction(async |conn| {
        let row = instances::lock(conn, id).await?.ok_or(Refusal::NotFound { what: "instance", id: id.0 })?;
        record(manager, conn, actor, row, &request).await
    })
    .await
}

/// Launches the next attempt of a build that failed, in the transaction that ends it. None: there is none to be made.
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
    };
    let next = record(manager, conn, &failed.requested_by, row, &request).await?;
    // Whoever wanted it activated need not be who launched it.
    if let Some(by) = state.activate_requested_by.as_deref().filter(|_| state.activate_when_running) {
        let (reason, drain_limit_seconds) = (state.activate_reason.as_deref(), state.activate_drain_limit_seconds);
        builds::want_activation(conn, next, Some(Wish { by, reason, drain_limit_seconds })).await?;
    }
    Ok(Some(next))
}

/// Writes a launch down, in a transaction that has locked the instance.
async fn record(
    manager: &Manager,
    conn: &mut AsyncPgConnection,
    actor: &str,
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
    machine::check(manager, application, &settings)?;
    let secrets = own_secrets::of(&secrets);
    let hooks = serde_json::to_value(application.hooks(&settings)?).map_err(DbError::from)?;
    let snapshot = application.snapshot(SnapshotInput { name: &row.name, settings: &settings, secrets: &secrets })?;
    let number = instances::take_app_server_number(conn, id).await?;
    let name = format!("AppServer {number}");
    let server_id = machines::store::insert(conn, manager.provider.name(), &snapshot.machine_name_prefix).await?;
    let (variables, playbooks) = (variables(&snapshot, &name), snapshot.playbooks.iter().map(playbook_json).collect());
    let references: Value = snapshot.references.iter().map(reference_json).collect();
    // Secrets of its own: the instance's go when its settings change.
    let ([settings, variables, playbooks, variable_references], secrets) =
        vault::seal(keyring, &application.kind().schema, [&settings, &variables, &playbooks, &references])?;
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
        requested_by: actor.to_owned(),
        reason: request.reason.clone(),
        trigger: request.trigger,
        attempt: request.attempt,
        num_attempts: request.num_attempts,
        retry_of: request.retry_of,
    };
    let app_server = app_servers::insert(conn, &new, request.activate_when_running.then_some(actor)).await?;
    vault::keep(conn, id, secrets).await?;
    pins::insert(conn, app_server, to_pin(&snapshot)).await?;
    AdvanceAppServer::enqueue(conn, app_server).await?;
    events::record(conn, EventKind::AppServerLaunched, events::About::app_server(id, app_server)).await?;
    let line = logs::Line::info(words(&name, actor, request));
    logs::append(conn, logs::About::AppServer(id, app_server), std::slice::from_ref(&line)).await?;
    logs::append(conn, logs::About::Instance(id), &[line]).await?;
    let detail = json!({
        "name": name,
        "trigger": request.trigger,
        "attempt": request.attempt,
        "num_attempts": request.num_attempts,
        "activate_when_running": request.activate_when_running,
    });
    let entry = audit::Entry::new(actor, "launch_app_server")
        .instance(id)
        .app_server(app_server)
        .detail(detail)
        .reason(request.reason.as_deref());
    audit::record(conn, entry).await?;
    Ok(app_server)
}

/// `AppServer 3 launched by admin (attempt 2 of 2): upgrade`.
fn words(name: &str, actor: &str, request: &Request) -> String {
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

/// What Ansible is given: the application's variables, and the app server's name for what is to show it.
pub(in crate::instances) fn variables(snapshot: &Snapshot, name: &str) -> Value {
    let mut variables: Map<String, Value> = snapshot.variables.clone();
    variables.entry("ocim_app_server").or_insert_with(|| name.into());
    variables.into()
}

/// Repositories and versions, without passwords: the build finds the real URL by what is left of it.
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

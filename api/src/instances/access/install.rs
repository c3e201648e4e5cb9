//! Installs the keys of people on machines, and records what has changed.

use std::collections::HashMap;
use std::time::Duration;

use diesel_async::AsyncConnection;
use futures::StreamExt as _;
use futures::stream;
use serde_json::{Value, json};
use shared_types::audit::Operation;
use shared_types::ssh_access::AccessGrant;
use shared_types::{AppServerId, EventKind, InstanceId, ServerId};

use super::people::{self, Person};
use super::team::Team;
use super::view::team_trouble;
use super::{InstanceTeams, Scope};
use crate::instances::journal::Journal;
use crate::instances::store::access::{self as store, LiveMachine};
use crate::instances::store::app_servers;
use crate::instances::store::teams::{self, KnownTeam};
use crate::instances::{Manager, Refusal};
use crate::machines;
use crate::platform::db::DbError;
use crate::platform::logs::Line;
use crate::platform::origin::Actor;
use crate::platform::users::store::ssh_keys::{self, OperatorKey};

/// How many machines one worker writes to at once.
const AT_ONCE: usize = 16;
/// How long a build waits for another worker that writes to its machine, and the pause between two looks. The sweep installs what
/// a worker that has died did not.
const PATIENCE: Duration = Duration::from_secs(5);
const LOOK_AGAIN: Duration = Duration::from_millis(200);
/// The most changes that a line of the log names.
const NAMED: usize = 20;

/// The actor of all changes of access.
const ACTOR: &Actor = &Actor::SshKeys;

/// How an installation went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Installed {
    /// The machine has the keys.
    Done,
    /// Another worker writes to the machine, or it is not ready any more.
    NotNow,
    /// It failed. The sweep tries again.
    Failed,
}

/// Installs the keys on machines whose keys are not those that they should be; those that were installed an hour ago, or
/// before the status of their app server changed, are installed again: a playbook may have replaced the file.
///
/// # Errors
/// [`DbError`] when the database does not answer.
pub async fn sweep(manager: &Manager, scope: Scope) -> Result<(), DbError> {
    let mut conn = manager.db.conn().await?;
    let operators = ssh_keys::of_operators(&mut conn).await?;
    let known = teams::all(&mut conn).await?;
    let mut digests = Digests { operators: &operators, known: &known, computed: HashMap::new() };
    let machines = match scope {
        Scope::All => store::machines(&mut conn, None).await?,
        Scope::Changed => {
            let wanted = digests.all();
            let mut ids = store::out_of_step(&mut conn, &wanted).await?;
            ids.extend(store::recent(&mut conn).await?);
            if ids.is_empty() { Vec::new() } else { store::machines(&mut conn, Some(&ids)).await? }
        }
    };
    if machines.is_empty() {
        return Ok(());
    }
    let instances: Vec<_> = machines.iter().map(|machine| (machine.instance_id, machine.instance_version)).collect();
    let named = InstanceTeams::of(manager, &mut conn, &instances).await?;
    drop(conn);
    let mut due = Vec::new();
    for machine in machines.iter().filter(|machine| machine.is_free) {
        let team = named.get(&machine.instance_id).and_then(Option::as_ref);
        let wanted = digests.of(team.map(Team::to_string).as_deref());
        if machine.digest.as_deref() != wanted || (machine.digest.is_some() && machine.is_stale) {
            due.push((Target::of(machine), team.cloned()));
        }
    }
    let installed = due.into_iter().map(|(target, team)| async move { install(manager, target, team.as_ref()).await });
    let results: Vec<_> = stream::iter(installed).buffer_unordered(AT_ONCE).collect().await;
    results.into_iter().try_for_each(|result| result.map(drop))
}

/// The digests of the keys that machines should have, by the names of teams.
struct Digests<'a> {
    operators: &'a [OperatorKey],
    known: &'a HashMap<String, KnownTeam>,
    computed: HashMap<Option<String>, Option<String>>,
}

impl Digests<'_> {
    /// Of the machines of instances that name this team. None: there is no key to install.
    fn of(&mut self, team: Option<&str>) -> Option<&str> {
        let Self { operators, known, computed } = self;
        let computed = computed.entry(team.map(str::to_owned)).or_insert_with(|| {
            let members = team.and_then(|team| known.get(team)).map(|known| &known.members);
            // The name of the team is not in what is installed.
            people::digest(&people::among(operators.to_vec(), None, members.unwrap_or(&Value::Null)))
        });
        computed.as_deref()
    }

    /// Of the machines of all instances; the empty word where there is no key to install.
    fn all(&mut self) -> Vec<String> {
        let known = self.known;
        let names = known.keys().map(|name| Some(name.as_str())).chain([None]);
        names.map(|name| self.of(name).unwrap_or_default().to_owned()).collect()
    }
}

/// Makes the next sweep try a machine again at once.
///
/// # Errors
/// [`Refusal::NotFound`]; [`Refusal::Conflict`] if the app server has no machine that answers.
pub async fn install_now(manager: &Manager, actor: &Actor, id: AppServerId) -> Result<(), Refusal> {
    let mut conn = manager.db.conn().await?;
    conn.transaction(async |conn| {
        let row = app_servers::find(conn, id).await?.ok_or(Refusal::NotFound { what: "app server", id: id.0 })?;
        if !store::is_live(conn, row.server_id).await? {
            return Err(Refusal::Conflict(format!(
                "App server {id} has no machine that is ready; keys can only be installed on a machine that answers SSH."
            )));
        }
        store::try_soon(conn, row.server_id).await?;
        let journal = Journal::of(actor, Operation::InstallSshKeys).app_server(row.instance_id, id);
        Ok(journal.write(conn).await?)
    })
    .await
}

/// Installs the keys on the machine of a build, which must be ready, as the database has them, without a request to GitHub.
/// Returns why the members of the instance's team cannot log in, if they cannot.
///
/// # Errors
/// [`DbError`] when the database does not answer.
pub(in crate::instances) async fn install_at_build(
    manager: &Manager,
    (instance, app_server): (InstanceId, AppServerId),
    server: ServerId,
) -> Result<Option<String>, DbError> {
    let mut conn = manager.db.conn().await?;
    let team = InstanceTeams::of_one(manager, &mut conn, instance).await?;
    let trouble = match &team {
        Some(team) => team_trouble(&mut conn, team).await?,
        None => None,
    };
    let is_needed =
        !people::of(&mut conn, team.as_ref()).await?.is_empty() || store::digest(&mut conn, server).await?.is_some();
    drop(conn);
    let given_up = tokio::time::Instant::now() + PATIENCE;
    while is_needed
        && install(manager, Target { instance, app_server, server }, team.as_ref()).await? == Installed::NotNow
        && tokio::time::Instant::now() < given_up
    {
        tokio::time::sleep(LOOK_AGAIN).await;
    }
    Ok(trouble)
}

/// A machine with its owners.
#[derive(Debug, Clone, Copy)]
struct Target {
    instance: InstanceId,
    app_server: AppServerId,
    server: ServerId,
}

impl Target {
    fn of(machine: &LiveMachine) -> Self {
        Self { instance: machine.instance_id, app_server: machine.app_server_id, server: machine.server_id }
    }
}

/// Gives a machine the keys that it should have now.
async fn install(manager: &Manager, target: Target, team: Option<&Team>) -> Result<Installed, DbError> {
    let mut conn = manager.db.conn().await?;
    if !store::claim(&mut conn, target.server).await? {
        return Ok(Installed::NotNow);
    }
    // Read after the claim: the worker that had it before has installed an earlier set of keys.
    let people = people::of(&mut conn, team).await?;
    let Some(row) = machines::store::find(&mut conn, target.server).await? else { return Ok(Installed::NotNow) };
    let new: Vec<_> = people.iter().map(grant).collect();
    if !store::begin_grants(&mut conn, target.server, &new).await? {
        store::release(&mut conn, target.server).await?;
        return Ok(Installed::NotNow);
    }
    drop(conn);
    let written = match manager.machines().login(&row).await {
        Ok(login) => {
            let written = manager.probe.install_people(&login, &people::block(&people)).await;
            written.map_err(|error| error.to_string())
        }
        Err(error) => Err(error.to_string()),
    };
    match written {
        Ok(()) => record(manager, target, &people).await.map(|()| Installed::Done),
        Err(words) => fail(manager, target, words).await,
    }
}

fn grant(person: &Person) -> store::NewGrant<'_> {
    let Person { name, origin, user_id, key_name, key } = person;
    store::NewGrant { person: name, origin: *origin, user_id: *user_id, key_name, fingerprint: key.fingerprint() }
}

/// Records that the machine has the keys of these people and of no others.
async fn record(manager: &Manager, target: Target, people: &[Person]) -> Result<(), DbError> {
    let Target { instance, app_server, server } = target;
    let fingerprints: Vec<&str> = people.iter().map(|person| person.key.fingerprint()).collect();
    let digest = people::digest(people);
    let mut conn = manager.db.conn().await?;
    conn.transaction(async |conn| {
        let (granted, revoked) = store::confirm(conn, server, digest.as_deref(), &fingerprints).await?;
        if granted.is_empty() && revoked.is_empty() {
            return Ok(());
        }
        let detail = json!({ "granted": facts(&granted), "revoked": facts(&revoked) });
        Journal::of(ACTOR, Operation::InstallSshKeys)
            .app_server(instance, app_server)
            .event(EventKind::AppServerUpdated)
            .line(Line::info(words(&granted, &revoked)))
            .detail(detail)
            .write(conn)
            .await
    })
    .await
}

async fn fail(manager: &Manager, target: Target, words: String) -> Result<Installed, DbError> {
    let Target { instance, app_server, server } = target;
    tracing::warn!(%server, words, "the SSH keys of people could not be installed on a machine");
    let mut conn = manager.db.conn().await?;
    conn.transaction(async |conn| {
        let is_first = store::fail(conn, server, &words).await?;
        if !is_first {
            return Ok(());
        }
        let line = format!("The SSH keys of people could not be installed ({words}); tried again until they are");
        Journal::of_consequence()
            .app_server(instance, app_server)
            .event(EventKind::AppServerUpdated)
            .line(Line::warning(line))
            .write(conn)
            .await
    })
    .await?;
    Ok(Installed::Failed)
}

/// The changes for the audit trail.
fn facts(grants: &[AccessGrant]) -> Value {
    let fact = |one: &AccessGrant| {
        json!({
            "person": one.person, "origin": one.origin, "user": one.user_id, "key": one.key_name,
            "fingerprint": one.fingerprint,
        })
    };
    grants.iter().map(fact).collect()
}

/// The changes as a sentence for the log.
fn words(granted: &[AccessGrant], revoked: &[AccessGrant]) -> String {
    let list = |grants: &[AccessGrant]| {
        let named = grants.iter().take(NAMED).map(|one| format!("{} ({})", one.person, one.fingerprint));
        let more = grants.len().saturating_sub(NAMED);
        named.chain((more > 0).then(|| format!("{more} more"))).collect::<Vec<_>>().join(", ")
    };
    let parts = [("may log in now", granted), ("may not any more", revoked)];
    let said = parts.iter().filter(|(_, grants)| !grants.is_empty());
    let said: Vec<_> = said.map(|(verb, grants)| format!("{} {verb}", list(grants))).collect();
    format!("SSH access: {}", said.join("; "))
}

//! Decides at launch which resources an app server uses. Those that the instance does not have yet get their names and passwords
//! here, in the launch's transaction, which has locked the instance: two launches at once share one set.

use std::collections::BTreeMap;

use diesel_async::AsyncPgConnection;
use secrecy::SecretString;
use shared_types::resource::{ACCOUNT, ResourceClass, ResourcePart, ResourceState};
use shared_types::{InstanceId, ResourceKind};

use crate::instances::application::ResourceSpec;
use crate::instances::store::backups;
use crate::instances::{Manager, Refusal};
use crate::platform::vault;
use crate::resources::connection::{Connection, Used};
use crate::resources::registry::Named;
use crate::resources::server::Account;
use crate::resources::store::{self, NewResource, ResourceRow};
use crate::resources::{names, numbers, password};

/// Stands for names and passwords that the next launch decides.
const UNDECIDED: &str = "(decided at launch)";

/// The resources that an app server uses.
#[derive(Debug, Default)]
pub(in crate::instances) struct Planned {
    /// How its variables say where they are; one for each kind.
    pub connections: Vec<Connection>,
    /// Their rows and names.
    pub used: Vec<Used>,
}

/// Decides the resources of an app server, in a transaction that has locked the instance. No query if it needs none.
///
/// # Errors
/// [`Refusal::Conflict`] if there is no server for a kind that is required, or the instance's earlier resources are still being
/// deleted, or its databases are being restored; the message says what to do.
pub(in crate::instances) async fn plan(
    manager: &Manager,
    conn: &mut AsyncPgConnection,
    id: InstanceId,
    specs: &[ResourceSpec],
) -> Result<Planned, Refusal> {
    let mut planned = Planned::default();
    if !specs.is_empty()
        && let Some(backup) = backups::restoring(conn, id).await?
    {
        return Err(Refusal::Conflict(format!(
            "The databases of instance {id} are being replaced by those of backup {}; launch when that has ended.",
            backup.id
        )));
    }
    for spec in with_one_store(manager, conn, id, specs).await? {
        let mut rows = live(conn, id, spec.kind).await?;
        if rows.is_empty() {
            let Some(named) = server_for(manager, conn, id, spec).await? else { continue };
            rows.push(insert_account(manager, conn, id, named).await?);
        }
        for name in &spec.databases {
            if !rows.iter().any(|row| row.name == *name) {
                rows.push(insert_database(manager, conn, &rows, name).await?);
            }
        }
        rows.retain(|row| row.part == ResourcePart::Account || spec.databases.contains(&row.name));
        planned.used.extend(rows.iter().map(|row| Used { id: row.id, remote_name: row.remote_name.clone() }));
        planned.connections.push(connection(manager, conn, &rows).await?);
    }
    Ok(planned)
}

/// The same for a launch that is only shown: what the instance does not have yet is not decided.
///
/// # Errors
/// As [`plan`].
pub(in crate::instances) async fn preview(
    manager: &Manager,
    conn: &mut AsyncPgConnection,
    id: InstanceId,
    specs: &[ResourceSpec],
) -> Result<Vec<Connection>, Refusal> {
    let mut connections = Vec::new();
    for spec in with_one_store(manager, conn, id, specs).await? {
        let rows = live(conn, id, spec.kind).await?;
        let mut shown = if rows.is_empty() {
            let Some(named) = server_for(manager, conn, id, spec).await? else { continue };
            Connection {
                kind: spec.kind,
                endpoint: named.server.endpoint().clone(),
                username: UNDECIDED.to_owned(),
                password: UNDECIDED.to_owned().into(),
                databases: BTreeMap::new(),
                options: named.server.options(),
            }
        } else {
            connection(manager, conn, &rows).await?
        };
        shown.databases.retain(|name, _| spec.databases.contains(name));
        for name in &spec.databases {
            shown.databases.entry(name.clone()).or_insert_with(|| UNDECIDED.to_owned());
        }
        connections.push(shown);
    }
    Ok(connections)
}

/// What is to be planned: of several stores of objects that are not required, the one that the instance has, or the first one that has a
/// server for it.
///
/// # Errors
/// [`Refusal::Db`] when a statement fails.
pub(super) async fn with_one_store<'s>(
    manager: &Manager,
    conn: &mut AsyncPgConnection,
    id: InstanceId,
    specs: &'s [ResourceSpec],
) -> Result<Vec<&'s ResourceSpec>, Refusal> {
    fn is_choice(spec: &ResourceSpec) -> bool {
        !spec.is_required && spec.kind.is_object_storage()
    }
    let stores: Vec<_> = specs.iter().filter(|spec| is_choice(spec)).collect();
    let mut chosen = None;
    if stores.len() > 1 {
        for spec in &stores {
            // Also one that is still being deleted: a launch says so, and lists show it.
            if chosen.is_none() && !store::of_kind(conn, id, spec.kind).await?.is_empty() {
                chosen = Some(spec.kind);
            }
        }
        for spec in &stores {
            if chosen.is_none() && server_for(manager, conn, id, spec).await?.is_some() {
                chosen = Some(spec.kind);
            }
        }
    }
    Ok(specs.iter().filter(|spec| !is_choice(spec) || chosen.is_none_or(|kind| kind == spec.kind)).collect())
}

/// How to connect to an account and its databases, from their rows.
///
/// # Errors
/// [`Refusal::Conflict`] if the settings do not have the server.
pub(in crate::instances) async fn connection(
    manager: &Manager,
    conn: &mut AsyncPgConnection,
    rows: &[ResourceRow],
) -> Result<Connection, Refusal> {
    let account = account(rows)?;
    let Some(endpoint) = store::endpoint(&manager.resources, account)? else {
        return Err(Refusal::Conflict(format!(
            "{}: the settings do not have this server; add its table [resources.NAME] again.",
            account.words()
        )));
    };
    let databases = rows.iter().filter(|row| row.part == ResourcePart::Database);
    let server = account.server.as_ref().and_then(|name| manager.resources.get(name)).map(|named| &named.server);
    let Account { username, password } = match server.and_then(|server| server.shared_account()) {
        Some(shared) => shared,
        None => Account {
            username: account.remote_name.clone(),
            password: password::open(&manager.options.keyring, conn, &account.secret).await?,
        },
    };
    let options = match account.given_place()? {
        Some(place) => place.options,
        None => server.map(|server| server.options()).unwrap_or_default(),
    };
    Ok(Connection {
        kind: account.kind,
        endpoint,
        username,
        password,
        databases: databases.map(|row| (row.name.clone(), row.remote_name.clone())).collect(),
        options,
    })
}

/// The account among the rows of one kind.
pub(in crate::instances) fn account(rows: &[ResourceRow]) -> Result<&ResourceRow, Refusal> {
    let found = rows.iter().find(|row| row.part == ResourcePart::Account);
    let missing = || Refusal::Conflict("The instance has databases without an account; purge it.".to_owned());
    found.ok_or_else(missing)
}

/// The resources of one kind that an app server can use.
async fn live(conn: &mut AsyncPgConnection, id: InstanceId, kind: ResourceKind) -> Result<Vec<ResourceRow>, Refusal> {
    let rows = store::of_kind(conn, id, kind).await?;
    match rows.iter().find(|row| row.state == ResourceState::Deleting) {
        Some(row) => Err(Refusal::Conflict(format!(
            "{} is still being deleted; launch when it is gone.{}",
            row.words(),
            row.trouble.as_deref().map(|words| format!(" The last attempt failed: {words}")).unwrap_or_default()
        ))),
        None => Ok(rows),
    }
}

/// The server for an instance that has chosen none; none: the application does without.
///
/// # Errors
/// [`Refusal::Conflict`] if there is none and one is required; [`Refusal::Db`] when a statement fails.
pub(super) async fn server_for<'m>(
    manager: &'m Manager,
    conn: &mut AsyncPgConnection,
    id: InstanceId,
    spec: &ResourceSpec,
) -> Result<Option<&'m Named>, Refusal> {
    let kind = spec.kind;
    for named in manager.resources.of(kind) {
        // One that is neither is only for instances that choose it.
        if (named.is_default || named.is_exclusive) && is_free(conn, id, named).await? {
            return Ok(Some(named));
        }
    }
    if !spec.is_required {
        return Ok(None);
    }
    let table = match kind.can_be_made() {
        true => {
            format!("add a table [resources.NAME] with kind = \"{kind}\" and default = true to the settings file, or ")
        }
        false => String::new(),
    };
    Err(Refusal::Conflict(format!(
        "The settings of instance {id} ask for persistent {}s, and there is no server of {} for it: {table}enter one on the \
         instance's Data tab (or with `ocim instance resources choose`), or change the settings so that the data is on the machine.",
        kind.unit(),
        kind.name()
    )))
}

/// Whether an instance may use a server: an exclusive one has no other instance.
///
/// # Errors
/// [`Refusal::Db`] when a statement fails.
pub(super) async fn is_free(conn: &mut AsyncPgConnection, id: InstanceId, named: &Named) -> Result<bool, Refusal> {
    if !named.is_exclusive {
        return Ok(true);
    }
    store::lock_server(conn, &named.name).await?;
    let used = store::at_server(conn, &named.name, ResourcePart::Account).await?;
    Ok(used.iter().all(|(instance, _)| *instance == id))
}

/// Stores the account that an instance is to have at a server.
///
/// # Errors
/// [`Refusal::Db`] when a statement fails.
pub(super) async fn insert_account(
    manager: &Manager,
    conn: &mut AsyncPgConnection,
    id: InstanceId,
    named: &Named,
) -> Result<ResourceRow, Refusal> {
    let keyring = &manager.options.keyring;
    let (remote_name, secret) = if named.server.shared_account().is_some() {
        (names::SHARED.to_owned(), password::none(keyring)?)
    } else {
        let password: SecretString = names::password()?.into();
        let (secret, secrets) = password::seal(keyring, &password)?;
        vault::keep(conn, id, secrets).await?;
        (names::username(&store::installation(conn).await?)?, secret)
    };
    let new = NewResource {
        instance_id: id,
        kind: named.server.kind(),
        part: ResourcePart::Account,
        name: ACCOUNT.to_owned(),
        class: ResourceClass::Made,
        server: Some(named.name.clone()),
        place: None,
        remote_name,
        secret,
        state: ResourceState::Wanted,
    };
    Ok(store::insert(conn, &new).await?)
}

async fn insert_database(
    manager: &Manager,
    conn: &mut AsyncPgConnection,
    rows: &[ResourceRow],
    name: &str,
) -> Result<ResourceRow, Refusal> {
    let account = account(rows)?;
    let (id, kind) = (account.instance_id, account.kind);
    let Some(server) = &account.server else {
        return Err(Refusal::Conflict(format!(
            "The {} that was entered for instance {id} names no {} `{name}`; enter it again with this one, on the instance's \
             Data tab or with `ocim instance resources choose`.",
            kind.name(),
            kind.unit()
        )));
    };
    let count = manager.resources.get(server).and_then(|named| named.server.numbers());
    let remote_name = match count {
        None => names::database(kind, &store::installation(conn).await?, id.0, name)?,
        Some(count) => numbers::free(conn, server, count, None).await?.map(|number| number.to_string()).ok_or_else(|| {
            Refusal::Conflict(format!(
                "The {} server `{server}` has {count} databases, and all are in use; add another server to the settings, or purge \
                 an archived instance.",
                kind.name()
            ))
        })?,
    };
    let new = NewResource {
        instance_id: id,
        kind,
        part: ResourcePart::Database,
        name: name.to_owned(),
        class: ResourceClass::Made,
        server: Some(server.clone()),
        place: None,
        remote_name,
        secret: password::none(&manager.options.keyring)?,
        state: ResourceState::Wanted,
    };
    Ok(store::insert(conn, &new).await?)
}

//! The table `resources`: rows and moves. Claims and what is due are in [`work`].

pub mod differences;
pub mod work;

use chrono::{DateTime, Utc};
use diesel::{ExpressionMethods, QueryDsl, Queryable, Selectable, SelectableHelper};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use serde_json::Value;
use shared_types::resource::{Resource, ResourceClass, ResourcePart, ResourceState};
use shared_types::{EventKind, InstanceId, ResourceId, ResourceKind, ResourceServerName};

use super::connection::Place;
use super::registry::Servers;
use super::server::Endpoint;
use crate::platform::db::DbError;
use crate::platform::db::schema::{installation, resources};
use crate::platform::events;
use crate::platform::logs::{self, Line};
use crate::platform::vault::Sealed;

/// The most characters of a server's words that are stored.
const TROUBLE: usize = 1000;

/// A row of `resources`.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = resources)]
pub struct ResourceRow {
    pub id: ResourceId,
    pub instance_id: InstanceId,
    pub kind: ResourceKind,
    pub part: ResourcePart,
    /// The name that the application knows it by; `account` for an account.
    pub name: String,
    pub class: ResourceClass,
    /// The server of the settings; none: it is given.
    pub server: Option<ResourceServerName>,
    /// Where a given account is; none for all others.
    pub place: Option<Value>,
    /// Its name or number at the server.
    pub remote_name: String,
    /// The password of an account.
    pub secret: Sealed,
    pub state: ResourceState,
    /// Whether the server must still be told the password.
    pub password_due: bool,
    /// Why the last attempt failed; none: it did not.
    pub trouble: Option<String>,
    pub size_bytes: Option<i64>,
    pub measured_at: Option<DateTime<Utc>>,
    pub created: DateTime<Utc>,
    /// When its state last changed.
    pub modified: DateTime<Utc>,
}

impl ResourceRow {
    /// The resource in words: `MySQL database main (ocim_1f2e3d4c_17_main_kqzmwx) on main`, `S3 account shared on files`.
    pub fn words(&self) -> String {
        let Self { kind, part, name, remote_name, server, .. } = self;
        let place = server.as_ref().map_or_else(|| "as given".to_owned(), |server| format!("on {server}"));
        match part {
            ResourcePart::Account => format!("{} account {remote_name} {place}", kind.name()),
            ResourcePart::Database => format!("{} {} {name} ({remote_name}) {place}", kind.name(), kind.unit()),
        }
    }

    /// Whether other instances log in with the same account.
    pub fn is_shared(&self) -> bool {
        self.part == ResourcePart::Account && self.class == ResourceClass::Made && self.kind.shares_account()
    }

    /// Where a given account is.
    ///
    /// # Errors
    /// [`DbError::Corrupt`] when the stored place cannot be parsed.
    pub fn given_place(&self) -> Result<Option<Place>, DbError> {
        Ok(self.place.as_ref().map(serde::Deserialize::deserialize).transpose()?)
    }

    /// Converts the row to the API's form. `endpoint`: where its account is; none: the settings do not have the server.
    pub fn into_dto(self, endpoint: Option<&Endpoint>) -> Resource {
        let is_shared = self.is_shared();
        let Self {
            id,
            instance_id: _,
            kind,
            part,
            name,
            class,
            server,
            place: _,
            remote_name,
            secret: _,
            state,
            password_due,
            trouble,
            size_bytes,
            measured_at,
            created,
            modified,
        } = self;
        Resource {
            id,
            kind,
            part,
            name,
            class,
            server,
            host: endpoint.map(|at| at.host.clone()),
            port: endpoint.map(|at| at.port),
            remote_name,
            is_shared,
            state,
            state_name: state.name().to_owned(),
            password_due,
            trouble,
            size_bytes,
            measured_at,
            created,
            modified,
        }
    }
}

/// Where the resources of one account are; none: the settings do not have the server. `account`: its row.
///
/// # Errors
/// [`DbError::Corrupt`] when the stored place cannot be parsed.
pub fn endpoint(servers: &Servers, account: &ResourceRow) -> Result<Option<Endpoint>, DbError> {
    if let Some(place) = account.given_place()? {
        return Ok(Some(place.endpoint()));
    }
    let named = account.server.as_ref().and_then(|name| servers.get(name));
    Ok(named.map(|named| named.server.endpoint().clone()))
}

/// A resource to be stored.
#[derive(Debug, diesel::Insertable)]
#[diesel(table_name = resources)]
pub struct NewResource {
    pub instance_id: InstanceId,
    pub kind: ResourceKind,
    pub part: ResourcePart,
    pub name: String,
    pub class: ResourceClass,
    pub server: Option<ResourceServerName>,
    pub place: Option<Value>,
    pub remote_name: String,
    pub secret: Sealed,
    pub state: ResourceState,
}

/// Stores a resource; the caller has locked the instance.
///
/// # Errors
/// [`DbError`] when the statement fails, also if the instance or another one has it already.
pub async fn insert(conn: &mut AsyncPgConnection, new: &NewResource) -> Result<ResourceRow, DbError> {
    let stored = diesel::insert_into(resources::table).values(new).returning(ResourceRow::as_returning());
    Ok(stored.get_result(conn).await?)
}

/// The resources of an instance that are not deleted: by kind, the account before its databases, then by name.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn of_instance(conn: &mut AsyncPgConnection, of: InstanceId) -> Result<Vec<ResourceRow>, DbError> {
    Ok(resources::table
        .filter(resources::instance_id.eq(of))
        .filter(resources::state.ne(ResourceState::Deleted))
        .order((resources::kind, resources::part, resources::name))
        .select(ResourceRow::as_select())
        .load(conn)
        .await?)
}

/// The resources of one kind of an instance that are not deleted: the account, then its databases by name.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn of_kind(
    conn: &mut AsyncPgConnection,
    of: InstanceId,
    kind: ResourceKind,
) -> Result<Vec<ResourceRow>, DbError> {
    let all = of_instance(conn, of).await?;
    Ok(all.into_iter().filter(|row| row.kind == kind).collect())
}

/// The resources with these ids; ids of others are left out.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn with_ids(conn: &mut AsyncPgConnection, ids: &[ResourceId]) -> Result<Vec<ResourceRow>, DbError> {
    Ok(resources::table
        .filter(resources::id.eq_any(ids))
        .order((resources::kind, resources::part, resources::name))
        .select(ResourceRow::as_select())
        .load(conn)
        .await?)
}

/// The installation's id, for names.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn installation(conn: &mut AsyncPgConnection) -> Result<String, DbError> {
    Ok(installation::table.select(installation::id).first(conn).await?)
}

/// Moves a resource from the row's state to another, and records event and log line; false if its state was not that one
/// any more. Clears the trouble, or stores this one.
///
/// # Errors
/// [`DbError`] when a statement fails.
pub async fn transition(
    conn: &mut AsyncPgConnection,
    row: &ResourceRow,
    to: ResourceState,
    trouble: Option<&str>,
) -> Result<bool, DbError> {
    let moved = diesel::update(resources::table.find(row.id))
        .filter(resources::state.eq(row.state))
        .set((
            resources::state.eq(to),
            resources::trouble.eq(trouble.map(shortened)),
            resources::failures.eq(0),
            resources::next_try.eq(None::<DateTime<Utc>>),
            resources::modified.eq(diesel::dsl::now),
        ))
        .execute(conn)
        .await?;
    if moved == 1 {
        tell(conn, row, to, trouble).await?;
    }
    Ok(moved == 1)
}

/// Gives a resource that its server does not have another name there, and back the state `wanted`. False if its state was not
/// the row's any more.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn rename(
    conn: &mut AsyncPgConnection,
    row: &ResourceRow,
    remote_name: &str,
    trouble: &str,
) -> Result<bool, DbError> {
    let renamed = diesel::update(resources::table.find(row.id))
        .filter(resources::state.eq(row.state))
        .set((
            resources::state.eq(ResourceState::Wanted),
            resources::remote_name.eq(remote_name),
            resources::trouble.eq(Some(shortened(trouble))),
            resources::modified.eq(diesel::dsl::now),
        ))
        .execute(conn)
        .await?;
    Ok(renamed == 1)
}

/// Stores why the last attempt failed, or that it did not.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn keep_trouble(conn: &mut AsyncPgConnection, id: ResourceId, words: Option<&str>) -> Result<(), DbError> {
    diesel::update(resources::table.find(id)).set(resources::trouble.eq(words.map(shortened))).execute(conn).await?;
    Ok(())
}

/// Stores another secret of an account. The caller deletes the secrets of the previous one.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn keep_secret(
    conn: &mut AsyncPgConnection,
    id: ResourceId,
    secret: &Sealed,
    password_due: bool,
) -> Result<(), DbError> {
    diesel::update(resources::table.find(id))
        .set((resources::secret.eq(secret), resources::password_due.eq(password_due)))
        .execute(conn)
        .await?;
    Ok(())
}

/// Keeps other transactions from choosing numbers at this server, or from taking it for themselves, until this one ends.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn lock_server(conn: &mut AsyncPgConnection, server: &ResourceServerName) -> Result<(), DbError> {
    diesel::sql_query("SELECT pg_advisory_xact_lock(hashtextextended('resources:' || $1, 0))")
        .bind::<diesel::sql_types::Text, _>(server)
        .execute(conn)
        .await?;
    Ok(())
}

/// The names at this server that resources of ours have, which are not deleted.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn at_server(
    conn: &mut AsyncPgConnection,
    server: &ResourceServerName,
    part: ResourcePart,
) -> Result<Vec<(InstanceId, String)>, DbError> {
    Ok(resources::table
        .filter(resources::server.eq(server))
        .filter(resources::part.eq(part))
        .filter(resources::state.ne(ResourceState::Deleted))
        .order(resources::id)
        .select((resources::instance_id, resources::remote_name))
        .load(conn)
        .await?)
}

/// Writes the event and the line in the instance's log.
async fn tell(
    conn: &mut AsyncPgConnection,
    row: &ResourceRow,
    to: ResourceState,
    trouble: Option<&str>,
) -> Result<(), DbError> {
    events::record(conn, EventKind::InstanceUpdated, events::About::instance(row.instance_id)).await?;
    let words = format!("{}: {}", row.words(), to.name().to_lowercase());
    let line = match trouble {
        Some(trouble) => Line::warning(format!("{words}: {trouble}")),
        None => Line::info(words),
    };
    logs::append(conn, logs::About::Instance(row.instance_id), &[line]).await
}

fn shortened(words: &str) -> String {
    words.chars().take(TROUBLE).collect()
}

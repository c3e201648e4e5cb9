//! The table `servers`.

use chrono::{DateTime, Utc};
use diesel::{ExpressionMethods, OptionalExtension, QueryDsl, Queryable, Selectable, SelectableHelper};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use shared_types::{AppServerId, EventKind, InstanceId, ProviderName, Server, ServerId, ServerStatus, SshLogin};

use super::provider::{Endpoint, Machine, MachineRef, MadeFrom};
use super::registry::Providers;
use crate::platform::db::DbError;
use crate::platform::db::fixed::fixed;
use crate::platform::db::schema::servers;
use crate::platform::events;
use crate::platform::logs::{self, Line};
use crate::platform::origin::Actor;
use crate::platform::vault::Sealed;

#[diesel::declare_sql_function]
extern "SQL" {
    /// The first value that is not null.
    fn coalesce(
        first: diesel::sql_types::Nullable<diesel::sql_types::Text>,
        second: diesel::sql_types::Nullable<diesel::sql_types::Text>,
    ) -> diesel::sql_types::Nullable<diesel::sql_types::Text>;
}

/// A row of `servers`.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = servers)]
pub struct MachineRow {
    pub id: ServerId,
    /// The machine's host name, `{prefix}-{id}`.
    pub name: String,
    /// The name of the provider that creates it.
    pub provider: ProviderName,
    /// The provider's id of it; none until it is created.
    pub provider_id: Option<String>,
    pub status: ServerStatus,
    /// The address shown to users; none until the provider reports it.
    pub public_ip: Option<String>,
    /// Address and port of sshd as text; none until the provider reports it.
    pub ssh_address: Option<String>,
    /// `address:port` of the web server.
    pub http_address: Option<String>,
    /// The only SSH host key to accept: the provider's, or that of the first login; none: there was no login yet.
    pub host_key: Option<String>,
    /// Identifies the boot before the last reboot; none without a reboot.
    pub boot_marker: Option<String>,
    pub created: DateTime<Utc>,
    pub modified: DateTime<Utc>,
    /// When its termination was requested; none: it was not.
    pub termination_requested_at: Option<DateTime<Utc>>,
    /// The key pair that the machine lets in; none: it ended, or has the key that machines of earlier versions share.
    pub ssh_key: Option<Sealed>,
    /// The key pair that is about to replace it: the machine may let in either. None: none is.
    pub next_ssh_key: Option<Sealed>,
    /// What it booted first, in the provider's words; none: not known.
    pub image: Option<String>,
    /// Its size, in the provider's words; none: not known.
    pub flavor: Option<String>,
}

impl MachineRow {
    /// Identifies the machine for its provider.
    pub fn machine(&self) -> MachineRef {
        MachineRef { server_id: self.id, provider_id: self.provider_id.clone() }
    }

    /// How a person logs in. None: the address is not known, the machine has ended, or its provider is not known.
    fn ssh(&self, providers: &Providers) -> Option<SshLogin> {
        if matches!(self.status, ServerStatus::Terminated | ServerStatus::Failed) {
            return None;
        }
        let address: std::net::SocketAddr = self.ssh_address.as_ref()?.parse().ok()?;
        let user = providers.get(&self.provider)?.provider.ssh_user().to_owned();
        Some(SshLogin::new(user, address.ip().to_string(), address.port(), self.host_key.clone()))
    }

    /// Converts the row to the API's form, with what only those may see who may log in to it.
    pub fn into_dto(self, app_server_id: AppServerId, providers: &Providers) -> Server {
        let ssh = self.ssh(providers);
        let Self { id, name, provider, provider_id, status, public_ip, image, flavor, created, modified, .. } = self;
        Server {
            id,
            api_url: format!("{}/servers/{id}", shared_types::API_BASE),
            app_server_id,
            name,
            provider,
            provider_id,
            status,
            status_name: status.name().into(),
            status_description: status.description().into(),
            public_ip,
            image,
            flavor,
            ssh,
            created,
            modified,
        }
    }
}

/// Instance and app server whose logs and events get the machine's.
#[derive(Debug, Clone, Copy)]
pub struct Owner {
    pub instance: InstanceId,
    pub app_server: AppServerId,
}

/// Inserts a pending machine named `{prefix}-{id}`, which will let this key pair in.
///
/// # Errors
/// [`DbError`] if a statement fails.
pub async fn insert(
    conn: &mut AsyncPgConnection,
    provider: &ProviderName,
    name_prefix: &str,
    ssh_key: &Sealed,
) -> Result<ServerId, DbError> {
    let id: ServerId = diesel::insert_into(servers::table)
        .values((servers::name.eq(name_prefix), servers::provider.eq(provider), servers::ssh_key.eq(ssh_key)))
        .returning(servers::id)
        .get_result(conn)
        .await?;
    diesel::update(servers::table.find(id)).set(servers::name.eq(format!("{name_prefix}-{id}"))).execute(conn).await?;
    Ok(id)
}

/// Reads one machine.
///
/// # Errors
/// [`DbError`] if the statement fails.
pub async fn find(conn: &mut AsyncPgConnection, id: ServerId) -> Result<Option<MachineRow>, DbError> {
    Ok(servers::table.find(id).select(MachineRow::as_select()).first(conn).await.optional()?)
}

/// Moves a machine from one status to another and records event and log; false if its status was not the first one. The
/// move to `terminated` deletes its key pairs, by a trigger.
///
/// # Errors
/// [`DbError`] if a statement fails.
pub async fn transition(
    conn: &mut AsyncPgConnection,
    owner: Owner,
    id: ServerId,
    from: ServerStatus,
    to: ServerStatus,
) -> Result<bool, DbError> {
    let moved = diesel::update(servers::table.find(id))
        .filter(servers::status.eq(from))
        .set((servers::status.eq(to), servers::modified.eq(diesel::dsl::now)))
        .execute(conn)
        .await?;
    if moved == 1 {
        let about =
            events::About { instance: Some(owner.instance), app_server: Some(owner.app_server), server: Some(id) };
        events::record(conn, EventKind::ServerUpdated, about).await?;
        let line = Line::info(format!("VM {}: {}", to.name().to_lowercase(), to.description()));
        logs::append(conn, logs::About::Server(owner.instance, owner.app_server, id), &[line]).await?;
    }
    Ok(moved == 1)
}

/// Stores the provider's id, addresses and host key of a machine, and what it was made from. The first image and flavor that
/// the provider told are kept: later answers may know less. A host key is kept if the provider tells none of the same machine.
///
/// # Errors
/// [`DbError`] if the statement fails.
pub async fn keep_machine(conn: &mut AsyncPgConnection, id: ServerId, machine: &Machine) -> Result<(), DbError> {
    let Machine { provider_id, state: _, endpoint, host_key, made_from } = machine;
    let MadeFrom { image, flavor } = made_from.shortened();
    let endpoint =
        endpoint.map(|Endpoint { public_ip, ssh, http }| (public_ip.to_string(), ssh.to_string(), http.to_string()));
    let (public_ip, ssh, http) = match endpoint {
        Some((ip, ssh, http)) => (Some(ip), Some(ssh), Some(http)),
        None => (None, None, None),
    };
    let is_same = servers::provider_id.eq(provider_id);
    let recorded = diesel::dsl::case_when(is_same, servers::host_key).otherwise(None::<String>);
    diesel::update(servers::table.find(id))
        .set((
            servers::provider_id.eq(provider_id),
            servers::public_ip.eq(public_ip),
            servers::ssh_address.eq(ssh),
            servers::http_address.eq(http),
            servers::host_key.eq(coalesce(host_key, recorded)),
            servers::image.eq(coalesce(servers::image, image)),
            servers::flavor.eq(coalesce(servers::flavor, flavor)),
            servers::modified.eq(diesel::dsl::now),
        ))
        .execute(conn)
        .await?;
    Ok(())
}

/// Stores the host key of a machine's first login, unless it has one. Gives the one that it has then; none if the machine has no row.
///
/// # Errors
/// [`DbError`] if the statement fails.
pub async fn keep_first_host_key(
    conn: &mut AsyncPgConnection,
    id: ServerId,
    seen: &str,
) -> Result<Option<String>, DbError> {
    let kept = diesel::update(servers::table.find(id))
        .set((servers::host_key.eq(coalesce(servers::host_key, seen)), servers::modified.eq(diesel::dsl::now)))
        .returning(servers::host_key)
        .get_result::<Option<String>>(conn)
        .await
        .optional()?;
    Ok(kept.flatten())
}

/// Stores what tells this boot from the next.
///
/// # Errors
/// [`DbError`] if the statement fails.
pub async fn keep_boot_marker(conn: &mut AsyncPgConnection, id: ServerId, marker: Option<&str>) -> Result<(), DbError> {
    diesel::update(servers::table.find(id)).set(servers::boot_marker.eq(marker)).execute(conn).await?;
    Ok(())
}

/// Stores the key pair that is about to replace the machine's.
///
/// # Errors
/// [`DbError`] if the statement fails.
pub async fn keep_next_key(conn: &mut AsyncPgConnection, id: ServerId, key: &Sealed) -> Result<(), DbError> {
    let live = servers::table.find(id).filter(servers::status.ne(ServerStatus::Terminated));
    diesel::update(live).set(servers::next_ssh_key.eq(key)).execute(conn).await?;
    Ok(())
}

/// Records that the machine lets in only its next key pair. The caller deletes the secrets of the previous one.
///
/// # Errors
/// [`DbError`] if the statement fails.
pub async fn confirm_next_key(conn: &mut AsyncPgConnection, id: ServerId) -> Result<(), DbError> {
    diesel::update(servers::table.find(id))
        .filter(servers::next_ssh_key.is_not_null())
        .set((servers::ssh_key.eq(servers::next_ssh_key), servers::next_ssh_key.eq(None::<Sealed>)))
        .execute(conn)
        .await?;
    Ok(())
}

/// Whether a machine that has not ended has no key pair of its own.
///
/// # Errors
/// [`DbError`] if the statement fails.
pub async fn is_key_shared(conn: &mut AsyncPgConnection) -> Result<bool, DbError> {
    let shared = servers::table
        .filter(servers::ssh_key.is_null())
        .filter(servers::status.ne(ServerStatus::Terminated))
        .select(servers::id);
    Ok(diesel::select(diesel::dsl::exists(shared)).get_result(conn).await?)
}

/// Records that a machine's termination was requested. False: it was before, or the machine has ended.
///
/// # Errors
/// [`DbError`] if the statement fails; also if its app server is active.
pub async fn request_termination(conn: &mut AsyncPgConnection, id: ServerId, by: &Actor) -> Result<bool, DbError> {
    use diesel::sql_types::{Nullable, Timestamptz};
    let asked = diesel::update(servers::table.find(id))
        .filter(servers::termination_requested_at.is_null())
        .filter(servers::status.ne(ServerStatus::Terminated))
        .set((
            servers::termination_requested_at.eq(fixed::<Nullable<Timestamptz>>("now()")),
            servers::termination_requested_by.eq(Some(by)),
        ))
        .execute(conn)
        .await?;
    Ok(asked == 1)
}

/// The app servers whose machines are yet to be terminated, oldest machine first; at most `limit`.
///
/// # Errors
/// [`DbError`] if the statement fails.
pub async fn to_terminate(conn: &mut AsyncPgConnection, limit: i64) -> Result<Vec<AppServerId>, DbError> {
    use crate::platform::db::schema::app_servers;
    Ok(servers::table
        .inner_join(app_servers::table)
        .filter(servers::termination_requested_at.is_not_null())
        .filter(servers::status.ne(ServerStatus::Terminated))
        .order(servers::id)
        .limit(limit)
        .select(app_servers::id)
        .load(conn)
        .await?)
}

/// Ids and names of a provider's machines that are not terminated.
///
/// # Errors
/// [`DbError`] if the statement fails.
pub async fn names(conn: &mut AsyncPgConnection, provider: &ProviderName) -> Result<Vec<(ServerId, String)>, DbError> {
    Ok(servers::table
        .filter(servers::provider.eq(provider))
        .filter(servers::status.ne(ServerStatus::Terminated))
        .select((servers::id, servers::name))
        .load(conn)
        .await?)
}

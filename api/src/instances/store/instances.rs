//! The table `instances`, with its locks and counters.

use chrono::{DateTime, Utc};
use diesel::sql_types::{Nullable, Timestamptz};
use diesel::{ExpressionMethods, OptionalExtension, QueryDsl, Queryable, Selectable, SelectableHelper};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use shared_types::https::HttpsPolicy;
use shared_types::queue::Tier;
use shared_types::{AppServerId, InstanceHealth, InstanceId, ProviderName};

use super::health::{self, ToShow};
use crate::platform::db::DbError;
use crate::platform::db::fixed::fixed;
use crate::platform::db::schema::instances;
use crate::platform::origin::Actor;
use crate::platform::vault::Sealed;

#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = instances)]
pub struct InstanceRow {
    pub id: InstanceId,
    /// The word of its application type.
    pub instance_type: String,
    pub name: String,
    /// Its main host name.
    pub domain: String,
    /// The application's settings, with sealed secrets.
    pub settings: Sealed,
    /// The version of the settings document.
    pub settings_version: i32,
    /// Secrets of the instance, by name; empty if its application has none.
    pub secrets: Sealed,
    /// Increases with each change, for optimistic locking.
    pub version: i64,
    /// When it was made.
    pub created: DateTime<Utc>,
    /// When it last changed.
    pub modified: DateTime<Utc>,
    /// The number of the next app server.
    pub next_app_server_number: i32,
    /// The app server that has the traffic; None: none is active.
    pub active_app_server_id: Option<AppServerId>,
    /// The app server to roll back to.
    pub fallback_app_server_id: Option<AppServerId>,
    /// Counts decisions about traffic.
    pub routing_generation: i64,
    /// The last decision that the gateway has applied.
    pub routing_applied_generation: i64,
    /// When it was archived; None: it is in use.
    pub archived_at: Option<DateTime<Utc>>,
    /// Builds of instances of a higher tier begin first.
    pub tier: Tier,
    /// How many of its builds may run at once.
    pub max_builds: i32,
    /// Hours that unneeded app servers keep their machines; None: the setting.
    pub retention_hours: Option<i32>,
    /// The provider of its next machines; None: the default one.
    pub provider: Option<ProviderName>,
    /// How visitors by HTTP are treated.
    pub https: HttpsPolicy,
    /// When the hold was set; None: automation may activate.
    pub hold_at: Option<DateTime<Utc>>,
    /// Who set the hold.
    pub hold_by: Option<String>,
    pub hold_reason: Option<String>,
    /// When the maintenance page was put up; None: it is not.
    pub maintenance_at: Option<DateTime<Utc>>,
    /// Who put it up.
    pub maintenance_by: Option<String>,
    /// What it says.
    pub maintenance_text: Option<String>,
}

/// An instance to be stored.
#[derive(Debug, diesel::Insertable)]
#[diesel(table_name = instances)]
pub struct NewInstance<'a> {
    /// The word of its application type.
    pub instance_type: &'a str,
    pub name: &'a str,
    /// Its main host name.
    pub domain: &'a str,
    /// The application's settings, with sealed secrets.
    pub settings: &'a Sealed,
    /// The version of the settings document.
    pub settings_version: i32,
    /// The instance's own secrets, sealed.
    pub secrets: &'a Sealed,
    /// Builds of instances of a higher tier begin first.
    pub tier: Tier,
    /// How many of its builds may run at once.
    pub max_builds: i32,
    /// Hours that unneeded app servers keep their machines; None: the setting.
    pub retention_hours: Option<i32>,
    /// The provider of its next machines; None: the default one.
    pub provider: Option<ProviderName>,
    /// How visitors by HTTP are treated.
    pub https: HttpsPolicy,
}

/// Stores a new instance. The caller must also store its host names: see [`super::hostnames::insert`].
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn insert(conn: &mut AsyncPgConnection, new: NewInstance<'_>) -> Result<InstanceId, DbError> {
    Ok(diesel::insert_into(instances::table).values(new).returning(instances::id).get_result(conn).await?)
}

/// Reads an instance; None: there is none with this id.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn find(conn: &mut AsyncPgConnection, id: InstanceId) -> Result<Option<InstanceRow>, DbError> {
    Ok(instances::table.find(id).select(InstanceRow::as_select()).first(conn).await.optional()?)
}

/// Reads an instance and its health as it is shown; None: there is no instance with this id.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn find_with_health(
    conn: &mut AsyncPgConnection,
    id: InstanceId,
) -> Result<Option<(InstanceRow, Option<InstanceHealth>)>, DbError> {
    let select = instances::table.find(id).select((InstanceRow::as_select(), health::columns()));
    let found: Option<(InstanceRow, ToShow)> = select.first(conn).await.optional()?;
    Ok(found.map(|(row, health)| (row, health::to_show(health))))
}

/// Reads an instance and locks it until the transaction ends.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn lock(conn: &mut AsyncPgConnection, id: InstanceId) -> Result<Option<InstanceRow>, DbError> {
    Ok(instances::table.find(id).select(InstanceRow::as_select()).for_no_key_update().first(conn).await.optional()?)
}

/// Stores changed name and settings, if the instance was not changed since `version`. False: it was changed.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn update(
    conn: &mut AsyncPgConnection,
    id: InstanceId,
    version: i64,
    new: NewInstance<'_>,
) -> Result<bool, DbError> {
    let NewInstance {
        instance_type: _,
        name,
        domain,
        settings,
        settings_version,
        secrets: _,
        tier,
        max_builds,
        retention_hours,
        provider,
        https,
    } = new;
    let changed = diesel::update(instances::table.find(id))
        .filter(instances::version.eq(version))
        .set((
            instances::name.eq(name),
            instances::domain.eq(domain),
            instances::settings.eq(settings),
            instances::settings_version.eq(settings_version),
            instances::tier.eq(tier),
            instances::max_builds.eq(max_builds),
            instances::retention_hours.eq(retention_hours),
            instances::provider.eq(provider),
            instances::https.eq(https),
            instances::version.eq(instances::version + 1),
            instances::modified.eq(diesel::dsl::now),
        ))
        .execute(conn)
        .await?;
    Ok(changed == 1)
}

/// Takes the number of the next app server.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn take_app_server_number(conn: &mut AsyncPgConnection, id: InstanceId) -> Result<i32, DbError> {
    Ok(diesel::update(instances::table.find(id))
        .set(instances::next_app_server_number.eq(instances::next_app_server_number + 1))
        .returning(instances::next_app_server_number - 1)
        .get_result(conn)
        .await?)
}

/// Points the traffic at an app server and stores the one to roll back to. Returns the new routing generation.
///
/// # Errors
/// [`DbError`] when the statement fails, also because the app server is not running or of another instance.
pub async fn point(
    conn: &mut AsyncPgConnection,
    id: InstanceId,
    active: AppServerId,
    fallback: Option<AppServerId>,
) -> Result<i64, DbError> {
    Ok(diesel::update(instances::table.find(id))
        .set((
            instances::active_app_server_id.eq(Some(active)),
            instances::fallback_app_server_id.eq(fallback),
            instances::routing_generation.eq(instances::routing_generation + 1),
        ))
        .returning(instances::routing_generation)
        .get_result(conn)
        .await?)
}

/// Every active app server.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn active(conn: &mut AsyncPgConnection) -> Result<Vec<AppServerId>, DbError> {
    let active: Vec<Option<AppServerId>> = instances::table
        .filter(instances::active_app_server_id.is_not_null())
        .select(instances::active_app_server_id)
        .load(conn)
        .await?;
    Ok(active.into_iter().flatten().collect())
}

/// Sets the hold: automation activates nothing. False: a hold was set already, and stays as it is.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn hold(
    conn: &mut AsyncPgConnection,
    id: InstanceId,
    by: &Actor,
    reason: Option<&str>,
) -> Result<bool, DbError> {
    let changed = diesel::update(instances::table.find(id))
        .filter(instances::hold_at.is_null())
        .set((
            instances::hold_at.eq(fixed::<Nullable<Timestamptz>>("now()")),
            instances::hold_by.eq(Some(by)),
            instances::hold_reason.eq(reason),
        ))
        .execute(conn)
        .await?;
    Ok(changed == 1)
}

/// Lifts the hold: automation may activate again. False: no hold was set.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn lift_hold(conn: &mut AsyncPgConnection, id: InstanceId) -> Result<bool, DbError> {
    let changed = diesel::update(instances::table.find(id))
        .filter(instances::hold_at.is_not_null())
        .set((
            instances::hold_at.eq(None::<DateTime<Utc>>),
            instances::hold_by.eq(None::<String>),
            instances::hold_reason.eq(None::<String>),
        ))
        .execute(conn)
        .await?;
    Ok(changed == 1)
}

/// Clears the fallback of an instance if it is this app server.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn forget_fallback(conn: &mut AsyncPgConnection, id: InstanceId, gone: AppServerId) -> Result<(), DbError> {
    diesel::update(instances::table.find(id))
        .filter(instances::fallback_app_server_id.eq(Some(gone)))
        .set(instances::fallback_app_server_id.eq(None::<AppServerId>))
        .execute(conn)
        .await?;
    Ok(())
}

/// Archives an instance: none of its app servers has traffic any more.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn archive(conn: &mut AsyncPgConnection, id: InstanceId, by: &Actor) -> Result<(), DbError> {
    diesel::update(instances::table.find(id))
        .set((
            instances::archived_at.eq(fixed::<Nullable<Timestamptz>>("now()")),
            instances::archived_by.eq(Some(by)),
            instances::active_app_server_id.eq(None::<AppServerId>),
            instances::fallback_app_server_id.eq(None::<AppServerId>),
            instances::maintenance_at.eq(None::<DateTime<Utc>>),
            instances::maintenance_by.eq(None::<String>),
            instances::maintenance_text.eq(None::<String>),
            instances::routing_generation.eq(instances::routing_generation + 1),
        ))
        .execute(conn)
        .await?;
    Ok(())
}

/// Restores an archived instance.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn restore(conn: &mut AsyncPgConnection, id: InstanceId) -> Result<(), DbError> {
    diesel::update(instances::table.find(id))
        .set((
            instances::archived_at.eq(None::<DateTime<Utc>>),
            instances::archived_by.eq(None::<String>),
            instances::routing_generation.eq(instances::routing_generation + 1),
        ))
        .execute(conn)
        .await?;
    Ok(())
}

/// Requests that the gateway is told again about an instance's host names. Returns the routing generation to apply.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn want_routing(conn: &mut AsyncPgConnection, id: InstanceId) -> Result<i64, DbError> {
    let wanted = diesel::update(instances::table.find(id))
        .set(instances::routing_generation.eq(instances::routing_generation + 1))
        .returning(instances::routing_generation);
    Ok(wanted.get_result(conn).await?)
}

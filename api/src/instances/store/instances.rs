//! The table `instances`.

use chrono::{DateTime, Utc};
use diesel::sql_types::{Nullable, Timestamptz};
use diesel::{ExpressionMethods, OptionalExtension, QueryDsl, Queryable, Selectable, SelectableHelper};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use shared_types::queue::Tier;
use shared_types::{AppServerId, InstanceId};

use crate::platform::db::DbError;
use crate::platform::db::fixed::fixed;
use crate::platform::db::schema::instances;
use crate::platform::vault::Sealed;

/// A row.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = instances)]
pub struct InstanceRow {
    /// Its id.
    pub id: InstanceId,
    /// Which application.
    pub instance_type: String,
    /// What people call it.
    pub name: String,
    /// Its main host name.
    pub domain: String,
    /// The application's settings.
    pub settings: Sealed,
    /// The version of that document.
    pub settings_version: i32,
    /// Secrets of the instance, by name; empty where its application has none.
    pub secrets: Sealed,
    /// Counts changes.
    pub version: i64,
    /// When it was made.
    pub created: DateTime<Utc>,
    /// When it last changed.
    pub modified: DateTime<Utc>,
    /// The n of the next app server.
    pub next_app_server_number: i32,
    /// Who has the traffic.
    pub active_app_server_id: Option<AppServerId>,
    /// Who had it before.
    pub fallback_app_server_id: Option<AppServerId>,
    /// Counts decisions about traffic.
    pub routing_generation: i64,
    /// Up to where the gateway has them.
    pub routing_applied_generation: i64,
    /// When it was put away.
    pub archived_at: Option<DateTime<Utc>>,
    /// Whose builds begin first.
    pub tier: Tier,
    /// How many of its builds may be under way at once.
    pub max_builds: i32,
    /// How long what is not needed keeps its machine.
    pub retention_hours: Option<i32>,
    /// Since when automation may not activate.
    pub hold_at: Option<DateTime<Utc>>,
    /// Who set the hold.
    pub hold_by: Option<String>,
    /// Why.
    pub hold_reason: Option<String>,
}

/// What is stored of a new instance.
#[derive(Debug, diesel::Insertable)]
#[diesel(table_name = instances)]
pub struct NewInstance<'a> {
    /// Which application.
    pub instance_type: &'a str,
    /// What people call it.
    pub name: &'a str,
    /// Its main host name.
    pub domain: &'a str,
    /// The application's settings.
    pub settings: &'a Sealed,
    /// The version of that document.
    pub settings_version: i32,
    /// Secrets of its own.
    pub secrets: &'a Sealed,
    /// Whose builds begin first.
    pub tier: Tier,
    /// How many of its builds may be under way at once.
    pub max_builds: i32,
    /// How long what is not needed keeps its machine; none: the setting.
    pub retention_hours: Option<i32>,
}

/// Stores a new instance. Its host names are owed: see [`super::hostnames::insert`].
///
/// # Errors
/// When the statement fails.
pub async fn insert(conn: &mut AsyncPgConnection, new: NewInstance<'_>) -> Result<InstanceId, DbError> {
    Ok(diesel::insert_into(instances::table).values(new).returning(instances::id).get_result(conn).await?)
}

/// One instance.
///
/// # Errors
/// When the statement fails.
pub async fn find(conn: &mut AsyncPgConnection, id: InstanceId) -> Result<Option<InstanceRow>, DbError> {
    Ok(instances::table.find(id).select(InstanceRow::as_select()).first(conn).await.optional()?)
}

/// One instance, locked until the transaction ends.
///
/// # Errors
/// When the statement fails.
pub async fn lock(conn: &mut AsyncPgConnection, id: InstanceId) -> Result<Option<InstanceRow>, DbError> {
    Ok(instances::table.find(id).select(InstanceRow::as_select()).for_no_key_update().first(conn).await.optional()?)
}

/// Stores changed name and settings if nobody else changed them since `version`. False: somebody did.
///
/// # Errors
/// When the statement fails.
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
            instances::version.eq(instances::version + 1),
            instances::modified.eq(diesel::dsl::now),
        ))
        .execute(conn)
        .await?;
    Ok(changed == 1)
}

/// Gives out the number of the next app server.
///
/// # Errors
/// When the statement fails.
pub async fn take_app_server_number(conn: &mut AsyncPgConnection, id: InstanceId) -> Result<i32, DbError> {
    Ok(diesel::update(instances::table.find(id))
        .set(instances::next_app_server_number.eq(instances::next_app_server_number + 1))
        .returning(instances::next_app_server_number - 1)
        .get_result(conn)
        .await?)
}

/// Points the traffic at an app server and remembers the one to go back to. Gives the new routing generation.
///
/// # Errors
/// When the statement fails, also because the app server is not running or not the instance's.
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
/// When the statement fails.
pub async fn active(conn: &mut AsyncPgConnection) -> Result<Vec<AppServerId>, DbError> {
    let active: Vec<Option<AppServerId>> = instances::table
        .filter(instances::active_app_server_id.is_not_null())
        .select(instances::active_app_server_id)
        .load(conn)
        .await?;
    Ok(active.into_iter().flatten().collect())
}

/// Keeps automation from activating. False: a hold was on already, and stays as it is.
///
/// # Errors
/// When the statement fails.
pub async fn hold(
    conn: &mut AsyncPgConnection,
    id: InstanceId,
    by: &str,
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

/// Lets automation activate again. False: it might already.
///
/// # Errors
/// When the statement fails.
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

/// An app server is no longer the one to go back to.
///
/// # Errors
/// When the statement fails.
pub async fn forget_fallback(conn: &mut AsyncPgConnection, id: InstanceId, gone: AppServerId) -> Result<(), DbError> {
    diesel::update(instances::table.find(id))
        .filter(instances::fallback_app_server_id.eq(Some(gone)))
        .set(instances::fallback_app_server_id.eq(None::<AppServerId>))
        .execute(conn)
        .await?;
    Ok(())
}

/// Puts an instance away: nothing of it has traffic any more. Gives the new routing generation.
///
/// # Errors
/// When the statement fails.
pub async fn archive(conn: &mut AsyncPgConnection, id: InstanceId, by: &str) -> Result<(), DbError> {
    diesel::update(instances::table.find(id))
        .set((
            instances::archived_at.eq(fixed::<Nullable<Timestamptz>>("now()")),
            instances::archived_by.eq(Some(by)),
            instances::active_app_server_id.eq(None::<AppServerId>),
            instances::fallback_app_server_id.eq(None::<AppServerId>),
            instances::routing_generation.eq(instances::routing_generation + 1),
        ))
        .execute(conn)
        .await?;
    Ok(())
}

/// Takes an instance into use again.
///
/// # Errors
/// When the statement fails.
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

/// The gateway is to be told again about an instance's host names.
///
/// # Errors
/// When the statement fails.
pub async fn want_routing(conn: &mut AsyncPgConnection, id: InstanceId) -> Result<(), DbError> {
    diesel::update(instances::table.find(id))
        .set(instances::routing_generation.eq(instances::routing_generation + 1))
        .execute(conn)
        .await?;
    Ok(())
}

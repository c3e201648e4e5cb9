//! The table `preview_links`.

use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use diesel::{
    BoolExpressionMethods, ExpressionMethods, JoinOnDsl, NullableExpressionMethods, QueryDsl, Queryable, Selectable,
    SelectableHelper,
};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use shared_types::preview_link::PreviewLink;
use shared_types::{AppServerId, AppServerStatus, InstanceId, PreviewLinkId};

use crate::platform::db::DbError;
use crate::platform::db::schema::{app_servers, instances, preview_links, servers};
use crate::platform::origin::Actor;

/// A link without its token.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = preview_links)]
pub struct PreviewLinkRow {
    pub id: PreviewLinkId,
    pub created: DateTime<Utc>,
    pub created_by: String,
    pub ends_at: DateTime<Utc>,
}

impl From<PreviewLinkRow> for PreviewLink {
    fn from(row: PreviewLinkRow) -> Self {
        let PreviewLinkRow { id, created, created_by, ends_at } = row;
        Self { id, created_at: created, created_by, ends_at }
    }
}

/// Adds a link that ends after this many hours. The gateway must be told afterwards.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn insert(
    conn: &mut AsyncPgConnection,
    of: AppServerId,
    token_hash: &[u8],
    by: &Actor,
    hours: i64,
) -> Result<PreviewLinkRow, DbError> {
    let now = Utc::now();
    let row = diesel::insert_into(preview_links::table)
        .values((
            preview_links::app_server_id.eq(of),
            preview_links::token_hash.eq(token_hash),
            preview_links::created.eq(now),
            preview_links::created_by.eq(by.to_string()),
            // Gateways know whole seconds.
            preview_links::ends_at.eq((now + TimeDelta::hours(hours)).trunc_subsecs(0)),
        ))
        .returning(PreviewLinkRow::as_returning())
        .get_result(conn)
        .await?;
    Ok(row)
}

/// The links of an app server that have not ended, newest first.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn of(conn: &mut AsyncPgConnection, id: AppServerId) -> Result<Vec<PreviewLinkRow>, DbError> {
    Ok(preview_links::table
        .filter(preview_links::app_server_id.eq(id))
        .filter(preview_links::ends_at.gt(diesel::dsl::now))
        .order(preview_links::id.desc())
        .select(PreviewLinkRow::as_select())
        .load(conn)
        .await?)
}

/// Deletes a link of this app server. False: there is none. The gateway must be told afterwards.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn delete(conn: &mut AsyncPgConnection, of: AppServerId, id: PreviewLinkId) -> Result<bool, DbError> {
    let deleted = diesel::delete(preview_links::table.find(id)).filter(preview_links::app_server_id.eq(of));
    Ok(deleted.execute(conn).await? == 1)
}

/// Deletes all links of an app server, and returns their number. The gateway must be told afterwards.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn delete_all(conn: &mut AsyncPgConnection, of: AppServerId) -> Result<usize, DbError> {
    Ok(diesel::delete(preview_links::table).filter(preview_links::app_server_id.eq(of)).execute(conn).await?)
}

/// Deletes at most `limit` links that have ended; gateways do not accept them any more. Returns their number.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn prune(conn: &mut AsyncPgConnection, limit: i64) -> Result<usize, DbError> {
    let ended: Vec<PreviewLinkId> = preview_links::table
        .filter(preview_links::ends_at.le(diesel::dsl::now))
        .order(preview_links::ends_at)
        .limit(limit)
        .select(preview_links::id)
        .load(conn)
        .await?;
    Ok(diesel::delete(preview_links::table).filter(preview_links::id.eq_any(ended)).execute(conn).await?)
}

/// A link that gateways are to accept.
#[derive(Debug, Clone, Queryable)]
pub struct WantedLink {
    pub instance: InstanceId,
    pub token_hash: Vec<u8>,
    /// The web server of the candidate.
    pub address: String,
    pub ends_at: DateTime<Utc>,
}

/// The links that work: they have not ended, and their app servers run and are not active. Of these instances, or of all that are
/// not archived.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn wanted(conn: &mut AsyncPgConnection, ids: Option<&[InstanceId]>) -> Result<Vec<WantedLink>, DbError> {
    let is_active = instances::active_app_server_id.eq(app_servers::id.nullable());
    let select = preview_links::table
        .inner_join(app_servers::table.on(app_servers::id.eq(preview_links::app_server_id)))
        .inner_join(instances::table.on(instances::id.eq(app_servers::instance_id)))
        .inner_join(servers::table.on(servers::id.eq(app_servers::server_id)))
        .filter(preview_links::ends_at.gt(diesel::dsl::now))
        .filter(app_servers::status.eq(AppServerStatus::Running))
        .filter(instances::archived_at.is_null())
        .filter(instances::active_app_server_id.is_null().or(diesel::dsl::not(is_active)))
        .filter(servers::http_address.is_not_null())
        .order(preview_links::id)
        .select((
            instances::id,
            preview_links::token_hash,
            servers::http_address.assume_not_null(),
            preview_links::ends_at,
        ))
        .into_boxed();
    let select = match ids {
        Some(ids) => select.filter(instances::id.eq_any(ids)),
        None => select,
    };
    Ok(select.load(conn).await?)
}

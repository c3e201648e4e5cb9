//! The table `audit_log`.

use diesel::ExpressionMethods;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use shared_types::{AppServerId, InstanceId};

use crate::db::DbError;
use crate::db::schema::audit_log;

/// One thing that somebody did.
#[derive(Debug)]
pub struct Entry<'a> {
    /// Who, by name.
    pub actor: &'a str,
    /// What, by the operation's name in the API.
    pub action: &'static str,
    /// The instance it was done to.
    pub instance: Option<InstanceId>,
    /// The app server it was done to.
    pub app_server: Option<AppServerId>,
    /// What else there is to know; never a secret.
    pub detail: serde_json::Value,
}

/// Adds an entry, in the transaction of what it tells of.
///
/// # Errors
/// When the statement fails.
pub async fn record(conn: &mut AsyncPgConnection, entry: Entry<'_>) -> Result<(), DbError> {
    let Entry { actor, action, instance, app_server, detail } = entry;
    diesel::insert_into(audit_log::table)
        .values((
            audit_log::actor.eq(actor),
            audit_log::action.eq(action),
            audit_log::instance_id.eq(instance),
            audit_log::app_server_id.eq(app_server),
            audit_log::detail.eq(detail),
        ))
        .execute(conn)
        .await?;
    Ok(())
}

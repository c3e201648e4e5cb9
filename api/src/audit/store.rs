//! The table `audit_log`.

use diesel::ExpressionMethods;
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use serde_json::Value;
use shared_types::audit::Outcome;
use shared_types::{AppServerId, InstanceId};

use super::Origin;
use crate::db::DbError;
use crate::db::schema::audit_log;

/// One thing that somebody did, or was not let do.
#[derive(Debug)]
pub struct Entry<'a> {
    actor: &'a str,
    action: &'a str,
    instance: Option<InstanceId>,
    app_server: Option<AppServerId>,
    detail: Value,
    change: Option<(Value, Value)>,
    reason: Option<&'a str>,
    outcome: Outcome,
}

impl<'a> Entry<'a> {
    /// Who did what: the operation's name in the API.
    pub fn new(actor: &'a str, action: &'a str) -> Self {
        Self {
            actor,
            action,
            instance: None,
            app_server: None,
            detail: Value::Object(serde_json::Map::new()),
            change: None,
            reason: None,
            outcome: Outcome::Done,
        }
    }

    /// The instance it was done to.
    pub fn instance(self, id: InstanceId) -> Self {
        Self { instance: Some(id), ..self }
    }

    /// The app server it was done to.
    pub fn app_server(self, id: AppServerId) -> Self {
        Self { app_server: Some(id), ..self }
    }

    /// What else there is to know; never a secret.
    pub fn detail(self, detail: Value) -> Self {
        Self { detail, ..self }
    }

    /// What was changed, as it was and as it is since; never a secret.
    pub fn change(self, before: Value, after: Value) -> Self {
        Self { change: Some((before, after)), ..self }
    }

    /// Why, in their words.
    pub fn reason(self, reason: Option<&'a str>) -> Self {
        Self { reason, ..self }
    }

    /// They were not let, for this reason.
    pub fn refused(self, reason: &'a str) -> Self {
        Self { outcome: Outcome::Refused, reason: Some(reason), ..self }
    }
}

/// Adds an entry, in the transaction of what it tells of. Where the request came from is taken from the [`Origin`].
///
/// # Errors
/// When the statement fails.
pub async fn record(conn: &mut AsyncPgConnection, entry: Entry<'_>) -> Result<(), DbError> {
    let Entry { actor, action, instance, app_server, detail, change, reason, outcome } = entry;
    let Origin { user, token, address, user_agent: _, request_id } = Origin::current();
    let (before, after) = change.unzip();
    diesel::insert_into(audit_log::table)
        .values((
            audit_log::actor.eq(actor),
            audit_log::action.eq(action),
            audit_log::instance_id.eq(instance),
            audit_log::app_server_id.eq(app_server),
            audit_log::detail.eq(detail),
            audit_log::user_id.eq(user),
            audit_log::token_id.eq(token),
            audit_log::address.eq(address.map(|address| address.to_string())),
            audit_log::request_id.eq(request_id),
            audit_log::outcome.eq(outcome),
            audit_log::before.eq(before),
            audit_log::after.eq(after),
            audit_log::reason.eq(reason),
        ))
        .execute(conn)
        .await?;
    Ok(())
}

/// Removes entries older than so many days, at most `limit`. Gives how many.
///
/// # Errors
/// When a statement fails.
pub async fn prune(conn: &mut AsyncPgConnection, days: u32, limit: i64) -> Result<usize, DbError> {
    use diesel::sql_types::{BigInt, Integer};
    use diesel_async::AsyncConnection;
    conn.transaction(async |conn| {
        // The table refuses every other removal.
        diesel::sql_query("SET LOCAL ocim.housekeeping = 'on'").execute(conn).await?;
        let gone = diesel::sql_query(
            "DELETE FROM audit_log WHERE id IN \
             (SELECT id FROM audit_log WHERE at < now() - make_interval(days => $1) ORDER BY id LIMIT $2)",
        )
        .bind::<Integer, _>(i32::try_from(days).unwrap_or(i32::MAX))
        .bind::<BigInt, _>(limit)
        .execute(conn)
        .await?;
        Ok(gone)
    })
    .await
}

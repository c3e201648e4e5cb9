//! The table `audit_log`: operations of users and of the program, permitted or refused.

use chrono::{DateTime, Utc};
use diesel::{ExpressionMethods, QueryDsl, SelectableHelper};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use serde_json::Value;
use shared_types::audit::{Activity, Operation, Outcome};
use shared_types::{ActivityId, AppServerId, InstanceId, TokenId, UserId};

use super::{Actor, Origin};
use crate::platform::db::DbError;
use crate::platform::db::schema::audit_log;

/// An operation that an actor performed, or was refused.
#[derive(Debug)]
pub struct Entry<'a> {
    actor: &'a Actor,
    operation: Operation,
    instance: Option<InstanceId>,
    app_server: Option<AppServerId>,
    detail: Value,
    change: Option<(Value, Value)>,
    reason: Option<&'a str>,
    outcome: Outcome,
}

impl<'a> Entry<'a> {
    /// An operation that was done, without details.
    pub fn new(actor: &'a Actor, operation: Operation) -> Self {
        Self {
            actor,
            operation,
            instance: None,
            app_server: None,
            detail: Value::Object(serde_json::Map::new()),
            change: None,
            reason: None,
            outcome: Outcome::Done,
        }
    }

    /// Sets the instance that the operation concerns.
    pub fn instance(self, id: InstanceId) -> Self {
        Self { instance: Some(id), ..self }
    }

    /// Sets the app server that the operation concerns.
    pub fn app_server(self, id: AppServerId) -> Self {
        Self { app_server: Some(id), ..self }
    }

    /// Sets further details; never a secret.
    pub fn detail(self, detail: Value) -> Self {
        Self { detail, ..self }
    }

    /// Sets the values before and after the change; never a secret.
    pub fn change(self, before: Value, after: Value) -> Self {
        Self { change: Some((before, after)), ..self }
    }

    /// Sets the reason that the actor gave.
    pub fn reason(self, reason: Option<&'a str>) -> Self {
        Self { reason, ..self }
    }

    /// Marks the operation as refused, for this reason.
    pub fn refused(self, reason: &'a str) -> Self {
        Self { outcome: Outcome::Refused, reason: Some(reason), ..self }
    }
}

/// Adds an entry, in the transaction of the operation. The client's address and request id come from the [`Origin`].
///
/// # Errors
/// [`DbError`] if the statement fails.
pub async fn record(conn: &mut AsyncPgConnection, entry: Entry<'_>) -> Result<(), DbError> {
    let Entry { actor, operation, instance, app_server, detail, change, reason, outcome } = entry;
    let Origin { user, token, actor: _, address, user_agent: _, request_id, .. } = Origin::current();
    let (before, after) = change.unzip();
    diesel::insert_into(audit_log::table)
        .values((
            audit_log::actor.eq(actor),
            audit_log::action.eq(operation.as_str()),
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

/// A filter for entries of the audit log.
#[derive(Debug, Clone, Default)]
pub struct Query {
    /// Only entries of this actor; the whole name must match.
    pub actor: Option<String>,
    /// Only entries of this operation, by its name in the API.
    pub action: Option<String>,
    /// Only those about this instance.
    pub instance: Option<InstanceId>,
    /// Only those about this app server.
    pub app_server: Option<AppServerId>,
    /// Only permitted or only refused operations.
    pub outcome: Option<Outcome>,
    /// Only entries at or after this time.
    pub since: Option<DateTime<Utc>>,
    /// Only entries before this time.
    pub until: Option<DateTime<Utc>>,
    /// Only entries before this one (for paging).
    pub before: Option<ActivityId>,
    /// The maximum number of entries.
    pub limit: i64,
}

/// Entries that match, newest first.
///
/// # Errors
/// [`DbError`] if the statement fails.
pub async fn page(conn: &mut AsyncPgConnection, query: &Query) -> Result<Vec<Activity>, DbError> {
    let Query { actor, action, instance, app_server, outcome, since, until, before, limit } = query;
    let mut select = audit_log::table.order(audit_log::id.desc()).limit(*limit).select(Row::as_select()).into_boxed();
    if let Some(actor) = actor {
        select = select.filter(audit_log::actor.eq(actor));
    }
    if let Some(action) = action {
        select = select.filter(audit_log::action.eq(action));
    }
    if let Some(id) = instance {
        select = select.filter(audit_log::instance_id.eq(id));
    }
    if let Some(id) = app_server {
        select = select.filter(audit_log::app_server_id.eq(id));
    }
    if let Some(outcome) = outcome {
        select = select.filter(audit_log::outcome.eq(outcome));
    }
    if let Some(since) = since {
        select = select.filter(audit_log::at.ge(since));
    }
    if let Some(until) = until {
        select = select.filter(audit_log::at.lt(until));
    }
    if let Some(id) = before {
        select = select.filter(audit_log::id.lt(id));
    }
    Ok(select.load(conn).await?.into_iter().map(activity).collect())
}

#[derive(diesel::Queryable, diesel::Selectable)]
#[diesel(table_name = audit_log)]
struct Row {
    id: ActivityId,
    at: DateTime<Utc>,
    actor: String,
    user_id: Option<UserId>,
    token_id: Option<TokenId>,
    address: Option<String>,
    request_id: Option<String>,
    action: String,
    outcome: Outcome,
    instance_id: Option<InstanceId>,
    app_server_id: Option<AppServerId>,
    reason: Option<String>,
    before: Option<Value>,
    after: Option<Value>,
    detail: Value,
}

fn activity(row: Row) -> Activity {
    let Row {
        id,
        at,
        actor,
        user_id,
        token_id,
        address,
        request_id,
        action,
        outcome,
        instance_id,
        app_server_id,
        reason,
        before,
        after,
        detail,
    } = row;
    Activity {
        id,
        at,
        actor,
        user_id,
        token_id,
        address,
        request_id,
        action,
        outcome,
        instance_id,
        app_server_id,
        reason,
        before,
        after,
        detail,
    }
}

/// How many refusals of an operation there are since a time, counted up to `most`.
///
/// # Errors
/// [`DbError`] if the statement fails.
pub async fn count_refused(
    conn: &mut AsyncPgConnection,
    operation: Operation,
    since: DateTime<Utc>,
    most: i64,
) -> Result<i64, DbError> {
    let found: Vec<ActivityId> = audit_log::table
        .filter(audit_log::action.eq(operation.as_str()))
        .filter(audit_log::outcome.eq(Outcome::Refused))
        .filter(audit_log::at.ge(since))
        .limit(most)
        .select(audit_log::id)
        .load(conn)
        .await?;
    Ok(i64::try_from(found.len()).unwrap_or(most))
}

/// Deletes entries older than `days`, at most `limit`. Returns the number of deleted entries.
///
/// # Errors
/// [`DbError`] if a statement fails.
pub async fn prune(conn: &mut AsyncPgConnection, days: u32, limit: i64) -> Result<usize, DbError> {
    use diesel::sql_types::{BigInt, Integer};
    use diesel_async::AsyncConnection;
    conn.transaction(async |conn| {
        // A trigger of the table refuses any other deletion.
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

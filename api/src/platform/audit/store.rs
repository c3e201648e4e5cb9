//! The table `audit_log`.

use chrono::{DateTime, Utc};
use diesel::{ExpressionMethods, QueryDsl, SelectableHelper};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use serde_json::Value;
use shared_types::audit::{Activity, Outcome};
use shared_types::{ActivityId, AppServerId, InstanceId, TokenId, UserId};

use super::Origin;
use crate::platform::db::DbError;
use crate::platform::db::schema::audit_log;

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
    let Origin { user, token, actor: _, address, user_agent: _, request_id, .. } = Origin::current();
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

/// Which entries.
#[derive(Debug, Clone, Default)]
pub struct Query {
    /// Only this one's, by the whole name.
    pub actor: Option<String>,
    /// Only this operation's.
    pub action: Option<String>,
    /// Only those about this instance.
    pub instance: Option<InstanceId>,
    /// Only those about this app server.
    pub app_server: Option<AppServerId>,
    /// Only what was done, or what was refused.
    pub outcome: Option<Outcome>,
    /// Only from then on.
    pub since: Option<DateTime<Utc>>,
    /// Only before then.
    pub until: Option<DateTime<Utc>>,
    /// Only those before this one.
    pub before: Option<ActivityId>,
    /// How many at most.
    pub limit: i64,
}

/// Entries, the newest first.
///
/// # Errors
/// When the statement fails.
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

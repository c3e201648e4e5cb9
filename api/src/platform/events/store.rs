//! The table `events`: a short history of changes, from which streams resume.

use diesel::{ExpressionMethods, QueryDsl};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use shared_types::{AppServerId, Event, EventId, EventKind, InstanceId, ServerId};

use crate::platform::db::DbError;
use crate::platform::db::schema::events;

/// Transactions that write events take less than this.
const LONGEST_TRANSACTION: chrono::Duration = chrono::Duration::minutes(10);

/// How far back events are looked for that were committed after one with a higher id.
const LATE_WITHIN: i64 = 10_000;

/// The objects that an event is about.
#[derive(Debug, Clone, Copy, Default)]
pub struct About {
    pub instance: Option<InstanceId>,
    pub app_server: Option<AppServerId>,
    /// The machine, by its id in `servers`.
    pub server: Option<ServerId>,
}

impl About {
    /// An event about an instance.
    pub fn instance(id: InstanceId) -> Self {
        Self { instance: Some(id), ..Self::default() }
    }

    /// An event about an app server and its instance.
    pub fn app_server(instance: InstanceId, app_server: AppServerId) -> Self {
        Self { instance: Some(instance), app_server: Some(app_server), server: None }
    }
}

/// Writes an event; subscribers are notified when the transaction commits.
///
/// # Errors
/// [`DbError`] if the statement fails.
pub async fn record(conn: &mut AsyncPgConnection, kind: EventKind, about: About) -> Result<(), DbError> {
    diesel::insert_into(events::table)
        .values((
            events::kind.eq(kind),
            events::instance_id.eq(about.instance),
            events::app_server_id.eq(about.app_server),
            events::server_id.eq(about.server),
        ))
        .execute(conn)
        .await?;
    Ok(())
}

/// Writes an event of one kind about each of several things, in one statement.
///
/// # Errors
/// [`DbError`] if the statement fails.
pub async fn record_all(conn: &mut AsyncPgConnection, kind: EventKind, about: &[About]) -> Result<(), DbError> {
    let rows: Vec<_> = about
        .iter()
        .map(|about| {
            (
                events::kind.eq(kind),
                events::instance_id.eq(about.instance),
                events::app_server_id.eq(about.app_server),
                events::server_id.eq(about.server),
            )
        })
        .collect();
    // Postgres allows 65,535 parameters per statement.
    for rows in rows.chunks(10_000) {
        diesel::insert_into(events::table).values(rows).execute(conn).await?;
    }
    Ok(())
}

/// Deletes events older than `days`, at most `limit`. Returns the number of deleted events.
///
/// # Errors
/// [`DbError`] if the statement fails.
pub async fn prune(conn: &mut AsyncPgConnection, days: u32, limit: i64) -> Result<usize, DbError> {
    use diesel::sql_types::{BigInt, Integer};
    Ok(diesel::sql_query(
        "DELETE FROM events WHERE id IN \
         (SELECT id FROM events WHERE created < now() - make_interval(days => $1) ORDER BY created LIMIT $2)",
    )
    .bind::<Integer, _>(i32::try_from(days).unwrap_or(i32::MAX))
    .bind::<BigInt, _>(limit)
    .execute(conn)
    .await?)
}

type Row =
    (EventId, EventKind, chrono::DateTime<chrono::Utc>, Option<InstanceId>, Option<AppServerId>, Option<ServerId>);

/// The columns of a [`Row`].
const SHOWN: (
    events::id,
    events::kind,
    events::created,
    events::instance_id,
    events::app_server_id,
    events::server_id,
) = (events::id, events::kind, events::created, events::instance_id, events::app_server_id, events::server_id);

/// What a reader has missed since an event.
#[derive(Debug)]
pub enum Missed {
    /// These events, oldest first. Some may have been received before.
    Events(Vec<Event>),
    /// More than are replayed, or how many is unknown; the id of the newest event, if there is one.
    TooMany(Option<EventId>),
}

/// The events after `id`, and those with a lower id that may have been committed after it. At most `limit`.
///
/// # Errors
/// [`DbError`] if a statement fails.
pub async fn missed(conn: &mut AsyncPgConnection, id: EventId, limit: i64) -> Result<Missed, DbError> {
    let mut rows = match last(conn, id).await? {
        Some(last) => late(conn, last, limit).await?,
        // Readers that have received none ask for all that there are.
        None if id.0 <= 0 => Vec::new(),
        None => return Ok(Missed::TooMany(newest(conn).await?)),
    };
    let after: Vec<Row> = events::table
        .filter(events::id.gt(id))
        .order(events::id.asc())
        .limit(limit + 1)
        .select(SHOWN)
        .load(conn)
        .await?;
    rows.extend(after);
    if i64::try_from(rows.len()).is_ok_and(|count| count > limit) {
        return Ok(Missed::TooMany(newest(conn).await?));
    }
    Ok(Missed::Events(rows.into_iter().map(event).collect()))
}

/// An event's id, its time, its transaction and the earliest one that had not ended.
type Last = (EventId, chrono::DateTime<chrono::Utc>, Option<i64>, Option<i64>);

async fn last(conn: &mut AsyncPgConnection, id: EventId) -> Result<Option<Last>, DbError> {
    use diesel::OptionalExtension;
    let columns = (events::id, events::created, events::transaction, events::earliest);
    Ok(events::table.find(id).select(columns).first(conn).await.optional()?)
}

/// Events that may have been committed after a later one was: of transactions that had not ended when that was written.
async fn late(
    conn: &mut AsyncPgConnection,
    (id, created, transaction, earliest): Last,
    limit: i64,
) -> Result<Vec<Row>, DbError> {
    let (Some(transaction), Some(earliest)) = (transaction, earliest) else { return Ok(Vec::new()) };
    let mut rows: Vec<Row> = events::table
        .filter(events::id.lt(id))
        .filter(events::id.gt(EventId(id.0 - LATE_WITHIN)))
        .filter(events::created.gt(created - LONGEST_TRANSACTION))
        .filter(events::transaction.ge(earliest))
        .filter(events::transaction.ne(transaction))
        .order(events::id.desc())
        .limit(limit + 1)
        .select(SHOWN)
        .load(conn)
        .await?;
    rows.reverse();
    Ok(rows)
}

async fn newest(conn: &mut AsyncPgConnection) -> Result<Option<EventId>, DbError> {
    use diesel::OptionalExtension;
    Ok(events::table.order(events::id.desc()).select(events::id).first(conn).await.optional()?)
}

fn event((id, kind, created, instance_id, app_server_id, server_id): Row) -> Event {
    Event { id: Some(id), kind, created, instance_id, app_server_id, server_id, last_seq: None }
}

//! The table `events`: a short history of changes, from which streams resume.

use diesel::{ExpressionMethods, QueryDsl};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use shared_types::{AppServerId, Event, EventId, EventKind, InstanceId, ServerId};

use crate::platform::db::DbError;
use crate::platform::db::schema::events;

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

/// The events after `id`, oldest first, at most `limit`.
///
/// # Errors
/// [`DbError`] if the statement fails.
pub async fn after(conn: &mut AsyncPgConnection, id: EventId, limit: i64) -> Result<Vec<Event>, DbError> {
    let rows: Vec<Row> = events::table
        .filter(events::id.gt(id))
        .order(events::id.asc())
        .limit(limit)
        .select((
            events::id,
            events::kind,
            events::created,
            events::instance_id,
            events::app_server_id,
            events::server_id,
        ))
        .load(conn)
        .await?;
    let event = |(id, kind, created, instance_id, app_server_id, server_id): Row| Event {
        id: Some(id),
        kind,
        created,
        instance_id,
        app_server_id,
        server_id,
        last_seq: None,
    };
    Ok(rows.into_iter().map(event).collect())
}

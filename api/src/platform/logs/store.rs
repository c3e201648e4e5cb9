//! The tables `log_entries` and `log_counters`.

use std::borrow::Cow;

use chrono::{DateTime, Utc};
use diesel::{BoolExpressionMethods, ExpressionMethods, PgTextExpressionMethods, QueryDsl};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use shared_types::log_entry::LogMatches;
use shared_types::{AppServerId, InstanceId, LogEntry, LogEntryId, LogLevel, ServerId};

use crate::platform::db::DbError;
use crate::platform::db::schema::{log_counters, log_entries};

/// The longest text that is stored, in bytes; the rest is cut off, and the text says so.
pub const MAX_TEXT: usize = 1 << 20;
/// The maximum number of bytes of text in one statement; a single longer line is sent alone.
const MAX_BATCH: usize = 16 << 20;

/// The log that a line goes to.
#[derive(Debug, Clone, Copy)]
pub enum About {
    /// The instance's own log.
    Instance(InstanceId),
    /// An app server's log.
    AppServer(InstanceId, AppServerId),
    /// An app server's log, for a line about its machine.
    Server(InstanceId, AppServerId, ServerId),
}

impl About {
    /// The instance whose log this is, or whose app server's.
    pub fn instance(self) -> InstanceId {
        match self {
            Self::Instance(id) | Self::AppServer(id, _) | Self::Server(id, ..) => id,
        }
    }

    /// The app server whose log this is; none for an instance's log.
    pub fn app_server(self) -> Option<AppServerId> {
        match self {
            Self::Instance(_) => None,
            Self::AppServer(_, id) | Self::Server(_, id, _) => Some(id),
        }
    }

    /// Whether an event announces new entries in this log.
    pub fn is_told_by(self, event: &shared_types::Event) -> bool {
        event.kind == shared_types::EventKind::LogAppended
            && event.instance_id == Some(self.instance())
            && event.app_server_id == self.app_server()
    }

    fn server(self) -> Option<ServerId> {
        match self {
            Self::Instance(_) | Self::AppServer(..) => None,
            Self::Server(.., id) => Some(id),
        }
    }
}

/// A log line to append.
#[derive(Debug, Clone)]
pub struct Line {
    /// When the event happened; may be earlier than when the line is stored.
    pub at: DateTime<Utc>,
    /// The line's severity.
    pub level: LogLevel,
    /// The text of the line; cut off at [`MAX_TEXT`].
    pub text: String,
    /// The Ansible task that printed the line, if any.
    pub task: Option<String>,
}

impl Line {
    /// A line of the level info, with the current time.
    pub fn info(text: impl Into<String>) -> Self {
        Self { at: Utc::now(), level: LogLevel::Info, text: text.into(), task: None }
    }

    /// A line of the level error, with the current time.
    pub fn error(text: impl Into<String>) -> Self {
        Self { level: LogLevel::Error, ..Self::info(text) }
    }

    /// A line of the level warning, with the current time.
    pub fn warning(text: impl Into<String>) -> Self {
        Self { level: LogLevel::Warning, ..Self::info(text) }
    }
}

/// Appends lines to a log: numbers, rows and the notification on commit, in one statement for
/// every 16 MB of text.
///
/// # Errors
/// [`DbError`] if a statement fails, or the log does not exist.
pub async fn append(conn: &mut AsyncPgConnection, about: About, lines: &[Line]) -> Result<(), DbError> {
    let mut batch: Vec<(&Line, Cow<'_, str>)> = Vec::new();
    let mut size = 0;
    for line in lines.iter().filter(|line| line.level > LogLevel::Debug) {
        let text = clean(&line.text);
        if size > 0 && size + text.len() > MAX_BATCH {
            insert(conn, about, &batch).await?;
            batch.clear();
            size = 0;
        }
        size += text.len();
        batch.push((line, text));
    }
    if batch.is_empty() { Ok(()) } else { insert(conn, about, &batch).await }
}

/// For an app server's log: takes the next numbers under the lock of the counter, which is held until the commit.
const NUMBERED: &str = "WITH numbers AS (\
    UPDATE log_counters SET last_seq = last_seq + cardinality($1) WHERE app_server_id = $6 RETURNING last_seq)";
/// For an instance's log, which has no numbers.
const UNNUMBERED: &str = "WITH numbers AS (SELECT NULL::bigint AS last_seq)";
/// Inserts the rows in order and sends the notification, which is not stored in `events`.
const ROWS: &str = ", rows AS (\
    INSERT INTO log_entries (created, level, text, task, instance_id, app_server_id, server_id, seq) \
    SELECT created, level, text, task, $5, $6, $7, last_seq - cardinality($1) + n \
    FROM numbers, unnest($1, $2, $3, $4) WITH ORDINALITY AS line (created, level, text, task, n) ORDER BY n) \
    SELECT pg_notify('ocim_events', ($8::jsonb || jsonb_build_object('last_seq', last_seq))::text) FROM numbers";

async fn insert(conn: &mut AsyncPgConnection, about: About, lines: &[(&Line, Cow<'_, str>)]) -> Result<(), DbError> {
    use diesel::sql_types::{Array, BigInt, Nullable, Text, Timestamptz};
    let event = serde_json::json!({
        "id": null,
        "type": shared_types::EventKind::LogAppended,
        "created": Utc::now(),
        "instance_id": about.instance(),
        "app_server_id": about.app_server(),
        "server_id": about.server(),
    });
    let numbers = if about.app_server().is_some() { NUMBERED } else { UNNUMBERED };
    let told = diesel::sql_query(format!("{numbers}{ROWS}"))
        .bind::<Array<Timestamptz>, _>(lines.iter().map(|(line, _)| line.at).collect::<Vec<_>>())
        .bind::<Array<Text>, _>(lines.iter().map(|(line, _)| line.level.as_str()).collect::<Vec<_>>())
        .bind::<Array<Text>, _>(lines.iter().map(|(_, text)| text.as_ref()).collect::<Vec<_>>())
        .bind::<Array<Nullable<Text>>, _>(lines.iter().map(|(line, _)| line.task.as_deref()).collect::<Vec<_>>())
        .bind::<BigInt, _>(about.instance())
        .bind::<Nullable<BigInt>, _>(about.app_server())
        .bind::<Nullable<BigInt>, _>(about.server())
        .bind::<Text, _>(event.to_string())
        .execute(conn)
        .await?;
    // If there is a counter row, one notification was sent.
    if told == 1 { Ok(()) } else { Err(diesel::result::Error::NotFound.into()) }
}

/// Makes a text storable in Postgres: no null character, at most [`MAX_TEXT`] bytes.
fn clean(text: &str) -> Cow<'_, str> {
    let text = if text.contains('\0') { Cow::from(text.replace('\0', "\u{fffd}")) } else { Cow::from(text) };
    if text.len() <= MAX_TEXT {
        return text;
    }
    let end = text.floor_char_boundary(MAX_TEXT);
    format!("{} … ({} bytes cut off)", text.get(..end).unwrap_or_default(), text.len() - end).into()
}

/// Deletes lines of instances' own logs that are older than `days`, at most `limit`. Returns the number of lines.
///
/// # Errors
/// [`DbError`] if the statement fails.
pub async fn prune_instances(conn: &mut AsyncPgConnection, days: u32, limit: i64) -> Result<usize, DbError> {
    use diesel::sql_types::{BigInt, Integer};
    Ok(diesel::sql_query(
        "DELETE FROM log_entries WHERE id IN (SELECT id FROM log_entries \
         WHERE app_server_id IS NULL AND created < now() - make_interval(days => $1) ORDER BY created LIMIT $2)",
    )
    .bind::<Integer, _>(i32::try_from(days).unwrap_or(i32::MAX))
    .bind::<BigInt, _>(limit)
    .execute(conn)
    .await?)
}

/// Deletes lines of an app server's log, oldest first, at most `limit`, and records the time when the last one is gone.
/// Returns the number of deleted lines.
///
/// # Errors
/// [`DbError`] if a statement fails.
pub async fn prune_app_server(conn: &mut AsyncPgConnection, id: AppServerId, limit: i64) -> Result<usize, DbError> {
    use diesel::sql_types::BigInt;
    let gone = diesel::sql_query(
        "DELETE FROM log_entries WHERE id IN \
         (SELECT id FROM log_entries WHERE app_server_id = $1 ORDER BY seq LIMIT $2)",
    )
    .bind::<BigInt, _>(id)
    .bind::<BigInt, _>(limit)
    .execute(conn)
    .await?;
    if i64::try_from(gone).unwrap_or(i64::MAX) < limit {
        diesel::update(log_counters::table.find(id))
            .set(log_counters::pruned_at.eq(Some(Utc::now())))
            .execute(conn)
            .await?;
    }
    Ok(gone)
}

/// When an app server's log was deleted after its retention time; none while it exists.
///
/// # Errors
/// [`DbError`] if the statement fails.
pub async fn pruned_at(conn: &mut AsyncPgConnection, id: AppServerId) -> Result<Option<DateTime<Utc>>, DbError> {
    Ok(log_counters::table.find(id).select(log_counters::pruned_at).first(conn).await?)
}

/// The part of a log to read.
#[derive(Debug, Clone, Default)]
pub struct Query {
    /// Only entries after this `seq` (`id` in an instance's log).
    pub after: Option<i64>,
    /// Only entries before this `seq` or `id`; with `before` alone, the last ones are returned.
    pub before: Option<i64>,
    /// Only entries of these levels; none: all levels.
    pub levels: Option<&'static [LogLevel]>,
    /// Only entries that contain this text, ignoring case.
    pub text: Option<String>,
    /// The maximum number of entries.
    pub limit: i64,
}

/// A filter for entries of all logs.
#[derive(Debug, Clone, Default)]
pub struct Everywhere {
    /// Only entries about this instance, its app servers or their machines.
    pub instance: Option<InstanceId>,
    /// Only entries about this app server or its machine.
    pub app_server: Option<AppServerId>,
    /// Only entries of these levels; none: all levels.
    pub levels: Option<&'static [LogLevel]>,
    /// Only entries that contain this text, ignoring case.
    pub text: Option<String>,
    /// Only entries before this one (for paging).
    pub before: Option<LogEntryId>,
    /// The maximum number of entries.
    pub limit: i64,
}

/// Entries of all logs, newest first.
///
/// # Errors
/// [`DbError`] if the statement fails.
pub async fn everywhere(conn: &mut AsyncPgConnection, query: &Everywhere) -> Result<Vec<LogEntry>, DbError> {
    use log_entries::dsl as l;
    let mut select = l::log_entries
        .select((l::id, l::seq, l::created, l::level, l::text, l::task, l::instance_id, l::app_server_id, l::server_id))
        .order(l::id.desc())
        .limit(query.limit)
        .into_boxed();
    if let Some(id) = query.instance {
        select = select.filter(l::instance_id.eq(id));
    }
    if let Some(id) = query.app_server {
        select = select.filter(l::app_server_id.eq(id));
    }
    if let Some(levels) = query.levels {
        select = select.filter(l::level.eq_any(levels));
    }
    if let Some(text) = &query.text {
        select = select.filter(l::text.ilike(holding(text)));
    }
    if let Some(before) = query.before {
        select = select.filter(l::id.lt(before));
    }
    let rows: Vec<Row> = select.load(conn).await?;
    Ok(rows.into_iter().map(entry).collect())
}

/// The LIKE pattern for texts that contain this text.
fn holding(text: &str) -> String {
    format!("%{}%", text.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_"))
}

type Row = (
    LogEntryId,
    Option<i64>,
    DateTime<Utc>,
    LogLevel,
    String,
    Option<String>,
    Option<InstanceId>,
    Option<AppServerId>,
    Option<ServerId>,
);

/// Part of a log, oldest first. An instance's log contains only its own entries.
///
/// # Errors
/// [`DbError`] if the statement fails.
pub async fn page(conn: &mut AsyncPgConnection, about: About, query: &Query) -> Result<Vec<LogEntry>, DbError> {
    use log_entries::dsl as l;
    let mut select = l::log_entries
        .select((l::id, l::seq, l::created, l::level, l::text, l::task, l::instance_id, l::app_server_id, l::server_id))
        .limit(query.limit)
        .into_boxed();
    let from_end = query.before.is_some() && query.after.is_none();
    if let Some(id) = about.app_server() {
        select = select.filter(l::app_server_id.eq(id));
        select = if from_end { select.order(l::seq.desc()) } else { select.order(l::seq.asc()) };
        if let Some(after) = query.after {
            select = select.filter(l::seq.gt(after));
        }
        if let Some(before) = query.before {
            select = select.filter(l::seq.lt(before));
        }
    } else {
        select = select.filter(l::instance_id.eq(about.instance()).and(l::app_server_id.is_null()));
        select = if from_end { select.order(l::id.desc()) } else { select.order(l::id.asc()) };
        if let Some(after) = query.after {
            select = select.filter(l::id.gt(after));
        }
        if let Some(before) = query.before {
            select = select.filter(l::id.lt(before));
        }
    }
    if let Some(levels) = query.levels {
        select = select.filter(l::level.eq_any(levels));
    }
    if let Some(text) = &query.text {
        select = select.filter(l::text.ilike(holding(text)));
    }
    let mut rows: Vec<Row> = select.load(conn).await?;
    if from_end {
        rows.reverse();
    }
    Ok(rows.into_iter().map(entry).collect())
}

/// Where in a log a text or a level occurs, and how often; `after`, `before` and `limit` are ignored. One statement,
/// which reads the log once.
///
/// # Errors
/// [`DbError`] if the statement fails.
pub async fn matches(conn: &mut AsyncPgConnection, about: About, query: &Query) -> Result<LogMatches, DbError> {
    use diesel::dsl::sql;
    use diesel::sql_types::BigInt;
    use log_entries::dsl as l;
    let mut select = l::log_entries
        .select((sql::<BigInt>("count(*) OVER ()"), sql::<BigInt>("coalesce(seq, id)")))
        .limit(LogMatches::MAX_PLACES)
        .into_boxed();
    select = match about.app_server() {
        Some(id) => select.filter(l::app_server_id.eq(id)).order(l::seq.desc()),
        None => select.filter(l::instance_id.eq(about.instance()).and(l::app_server_id.is_null())).order(l::id.desc()),
    };
    if let Some(levels) = query.levels {
        select = select.filter(l::level.eq_any(levels));
    }
    if let Some(text) = &query.text {
        select = select.filter(l::text.ilike(holding(text)));
    }
    let rows: Vec<(i64, i64)> = select.load(conn).await?;
    let count = rows.iter().map(|(count, _)| *count).next().unwrap_or(0);
    Ok(LogMatches { count, places: rows.into_iter().rev().map(|(_, place)| place).collect() })
}

fn entry((id, seq, created, level, text, task, instance_id, app_server_id, server_id): Row) -> LogEntry {
    LogEntry { id, seq, created, level, text, task, instance_id, app_server_id, server_id }
}

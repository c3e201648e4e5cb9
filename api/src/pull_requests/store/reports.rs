//! What was reported to GitHub about pull requests, and which reports are due.

use std::sync::LazyLock;
use std::time::Duration;

use chrono::{DateTime, Utc};
use diesel::sql_types::{BigInt, Double, Integer, Jsonb, Nullable, Text};
use diesel::{ExpressionMethods, OptionalExtension, QueryDsl, SelectableHelper};
use diesel_async::{AsyncConnection, AsyncPgConnection, RunQueryDsl};
use serde_json::Value;
use shared_types::PullRequestId;

use super::rows::{self, Row};
use crate::instances::store::pins;
use crate::platform::db::DbError;
use crate::platform::db::fixed::{VALUE, fixed};
use crate::platform::db::schema::{pull_requests, watched_repositories};
use crate::platform::db::statuses::NO_MACHINE;

/// How many pull requests one query gives at most.
const A_LOOK: i64 = 100;

/// Every report is derived from these facts, so an unchanged digest of them means that no report is due: the pull
/// request, its instance, and the newest and the active app server. Machines are counted once the instance is archived.
/// The commit of an app server is the one that it was built from, not the one in the settings. [`VALUE`] stands for the
/// names of the references with the code, as `Manager::code_references` gives them; each function here that reads the
/// facts takes them as `references`.
static FACTS: LazyLock<String> = LazyLock::new(|| {
    let name = format!("{VALUE} ->> i.instance_type");
    FACTS_BUT_COMMITS.replace("$commit", &pins::commit_sql("a", &name)).replace("$no_machine", &NO_MACHINE.to_string())
});

const FACTS_BUT_COMMITS: &str = "(SELECT jsonb_build_object(\
    'pull_request', jsonb_build_array(pull_requests.state, pull_requests.head_commit, pull_requests.version, \
        pull_requests.is_trusted, pull_requests.decision, pull_requests.decided_version, \
        pull_requests.settings_trouble, pull_requests.trouble, pull_requests.settings_warnings), \
    'instance', (SELECT jsonb_build_object(\
        'id', i.id, \
        'version', i.version, \
        'is_archived', i.archived_at IS NOT NULL, \
        'active', i.active_app_server_id, \
        'has_traffic', coalesce((SELECT t.applied_at IS NOT NULL FROM activations AS t WHERE t.instance_id = i.id \
            ORDER BY t.generation DESC LIMIT 1), false), \
        'machines', CASE WHEN i.archived_at IS NULL THEN 0 ELSE (SELECT count(*) FROM app_servers AS m \
            JOIN servers AS s ON s.id = m.server_id \
            WHERE m.instance_id = i.id AND s.status NOT IN ($no_machine)) END, \
        'builds', coalesce((SELECT jsonb_agg(jsonb_build_object(\
                'id', a.id, \
                'name', a.name, \
                'status', a.status, \
                'commit', $commit, \
                'failure', left(a.failure, 10000), \
                'failed_step', (SELECT f.step FROM build_steps AS f WHERE f.app_server_id = a.id AND NOT f.is_ok LIMIT 1), \
                'is_begun', b.begun_at IS NOT NULL, \
                'is_to_be_activated', b.activate_when_running OR EXISTS (SELECT 1 FROM hook_runs AS h \
                    WHERE h.app_server_id = a.id AND h.moment = 'before_traffic' AND h.settled_at IS NULL)) ORDER BY a.id) \
            FROM app_servers AS a JOIN builds AS b ON b.app_server_id = a.id \
            WHERE a.id IN (i.active_app_server_id, \
                (SELECT max(n.id) FROM app_servers AS n WHERE n.instance_id = i.id))), '[]')) \
        FROM instances AS i WHERE i.id = pull_requests.instance_id)))";

/// A pull request, what was reported about it, and its current facts.
#[derive(Debug, Clone)]
pub struct Found {
    pub row: Row,
    /// `owner/name` of the repository, as GitHub spelled it last.
    pub repository: String,
    /// GitHub's id of our comment; none: not written yet.
    pub comment_id: Option<i64>,
    /// What was reported, as `report/told.rs` stores it.
    pub reported: Option<Value>,
    /// Failed attempts since the last report that succeeded.
    pub tries: i32,
    /// The current facts.
    pub facts: Value,
    /// The digest of the current facts.
    pub digest: String,
}

#[derive(diesel::QueryableByName)]
struct Id {
    #[diesel(sql_type = BigInt)]
    id: PullRequestId,
}

#[derive(diesel::QueryableByName)]
struct Turn {
    #[diesel(sql_type = BigInt)]
    report_turn: i64,
}

/// Pull requests whose facts have changed since the last report, or whose retry is due. Settled ones whose instance is
/// archived are skipped.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn due(conn: &mut AsyncPgConnection, references: &Value) -> Result<Vec<PullRequestId>, DbError> {
    let found: Vec<Id> = diesel::sql_query(format!(
        "SELECT pull_requests.id FROM pull_requests WHERE pull_requests.id IN (\
             SELECT p.id FROM pull_requests AS p WHERE NOT p.is_report_settled UNION ALL \
             SELECT p.id FROM instances AS i JOIN pull_requests AS p ON p.instance_id = i.id WHERE i.archived_at IS NULL) \
         AND (pull_requests.report_until IS NULL OR pull_requests.report_until < now()) \
         AND NOT EXISTS (SELECT 1 FROM github_pause WHERE until > now()) \
         AND (pull_requests.report_after <= now() OR pull_requests.reported_of IS DISTINCT FROM md5({}::text)) \
         ORDER BY pull_requests.id LIMIT $1",
        FACTS.replace(VALUE, "$2")
    ))
    .bind::<BigInt, _>(A_LOOK)
    .bind::<Jsonb, _>(references)
    .load(conn)
    .await?;
    Ok(found.into_iter().map(|Id { id }| id).collect())
}

/// Takes the lease for reporting, for the time `spell`; gives the fencing token (`turn`) for [`hold`], [`note`] and
/// [`settle`]. None: another worker holds the lease.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn claim(conn: &mut AsyncPgConnection, id: PullRequestId, spell: Duration) -> Result<Option<i64>, DbError> {
    let claimed: Option<Turn> = diesel::sql_query(
        "UPDATE pull_requests SET report_turn = report_turn + 1, report_until = now() + make_interval(secs => $1) \
         WHERE id = $2 AND (report_until IS NULL OR report_until < now()) RETURNING report_turn",
    )
    .bind::<Double, _>(spell.as_secs_f64())
    .bind::<BigInt, _>(id)
    .get_result(conn)
    .await
    .optional()?;
    Ok(claimed.map(|Turn { report_turn }| report_turn))
}

/// Renews the lease for the time `spell`. False: another worker has taken it.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn hold(
    conn: &mut AsyncPgConnection,
    id: PullRequestId,
    turn: i64,
    spell: Duration,
) -> Result<bool, DbError> {
    let held = diesel::sql_query(
        "UPDATE pull_requests SET report_until = now() + make_interval(secs => $1) WHERE id = $2 AND report_turn = $3",
    )
    .bind::<Double, _>(spell.as_secs_f64())
    .bind::<BigInt, _>(id)
    .bind::<BigInt, _>(turn)
    .execute(conn)
    .await?;
    Ok(held == 1)
}

/// Releases the lease and writes nothing else. False: another worker has taken it.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn release(conn: &mut AsyncPgConnection, id: PullRequestId, turn: i64) -> Result<bool, DbError> {
    let left = diesel::update(pull_requests::table.find(id).filter(pull_requests::report_turn.eq(turn)))
        .set(pull_requests::report_until.eq(None::<DateTime<Utc>>))
        .execute(conn)
        .await?;
    Ok(left == 1)
}

/// A pull request with its current facts, from one snapshot.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn read(
    conn: &mut AsyncPgConnection,
    id: PullRequestId,
    references: &Value,
) -> Result<Option<Found>, DbError> {
    type Columns = (Row, String, Option<i64>, Option<Value>, i32, Value, String);
    let found: Option<Columns> = pull_requests::table
        .inner_join(watched_repositories::table)
        .filter(pull_requests::id.eq(id))
        .select((
            Row::as_select(),
            watched_repositories::name,
            pull_requests::comment_id,
            pull_requests::reported,
            pull_requests::report_tries,
            fixed::<Jsonb>(FACTS.as_str()).with(references),
            fixed::<Text>(format!("md5({}::text)", *FACTS)).with(references),
        ))
        .first(conn)
        .await
        .optional()?;
    Ok(found.map(|(row, repository, comment_id, reported, tries, facts, digest)| Found {
        row,
        repository,
        comment_id,
        reported,
        tries,
        facts,
        digest,
    }))
}

/// Stores what was reported so far. False: another worker has taken the lease.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn note(
    conn: &mut AsyncPgConnection,
    id: PullRequestId,
    turn: i64,
    comment_id: Option<i64>,
    reported: &Value,
) -> Result<bool, DbError> {
    let noted = diesel::update(pull_requests::table.find(id).filter(pull_requests::report_turn.eq(turn)))
        .set((pull_requests::comment_id.eq(comment_id), pull_requests::reported.eq(Some(reported))))
        .execute(conn)
        .await?;
    Ok(noted == 1)
}

/// The outcome of a report.
#[derive(Debug, Clone)]
pub struct Told {
    /// The digest of the facts that the report was derived from.
    pub digest: String,
    /// Whether only a change of the row or a restored instance makes another report due.
    pub is_settled: bool,
    /// Why not all of it could be reported.
    pub trouble: Option<String>,
    /// Failed attempts since the last report that succeeded.
    pub tries: i32,
    /// Seconds until the retry; none: no retry.
    pub again_in: Option<i32>,
}

/// Stores the outcome and releases the lease. [`due`] finds facts that have changed meanwhile.
///
/// # Errors
/// [`DbError`] when a statement fails.
pub async fn settle(
    conn: &mut AsyncPgConnection,
    id: PullRequestId,
    turn: i64,
    told: &Told,
    references: &Value,
) -> Result<(), DbError> {
    conn.transaction(async |conn| {
        // A change of the row after this lock clears `is_report_settled` again.
        rows::lock(conn, id).await?;
        diesel::sql_query(format!(
            "UPDATE pull_requests SET reported_of = $1, is_report_settled = $2 AND md5({}::text) = $1, \
                 report_trouble = left($3, 1000), report_tries = $4, report_after = now() + make_interval(secs => $5), \
                 report_until = NULL \
             WHERE id = $6 AND report_turn = $7",
            FACTS.replace(VALUE, "$8")
        ))
        .bind::<Text, _>(&told.digest)
        .bind::<diesel::sql_types::Bool, _>(told.is_settled)
        .bind::<Nullable<Text>, _>(told.trouble.as_deref())
        .bind::<Integer, _>(told.tries)
        .bind::<Nullable<Double>, _>(told.again_in.map(f64::from))
        .bind::<BigInt, _>(id)
        .bind::<BigInt, _>(turn)
        .bind::<Jsonb, _>(references)
        .execute(conn)
        .await?;
        Ok(())
    })
    .await
}

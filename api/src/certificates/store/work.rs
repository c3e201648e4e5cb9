//! The table `certificates`: which worker works on a certificate, and what came of a step.

use chrono::{DateTime, TimeDelta, Utc};
use diesel::sql_types::{BigInt, Timestamptz};
use diesel::{BoolExpressionMethods, ExpressionMethods, QueryDsl, QueryableByName};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use shared_types::certificate::{CertificateSource, CertificateState};
use shared_types::{CertificateId, EventKind, InstanceId};

use super::super::pem::Facts;
use super::{CertificateRow, find, shortened};
use crate::platform::db::DbError;
use crate::platform::db::schema::certificates;
use crate::platform::events;
use crate::platform::logs::{self, Line};

/// How long a claim lasts: longer than a step may take.
pub const LEASE: TimeDelta = TimeDelta::minutes(10);

#[derive(QueryableByName)]
struct Claimed {
    #[diesel(sql_type = BigInt)]
    id: CertificateId,
}

/// Reserves the certificate whose step has been due longest for this worker. None: nothing is due, or others work on it.
///
/// # Errors
/// [`DbError`] when a statement fails.
pub async fn claim(conn: &mut AsyncPgConnection) -> Result<Option<CertificateRow>, DbError> {
    let claimed: Vec<Claimed> = diesel::sql_query(
        "UPDATE certificates SET claim = claim + 1, claimed_until = now() + $1 * interval '1 second' WHERE id = ( \
             SELECT id FROM certificates WHERE source = 'acme' AND instance_id IS NOT NULL AND next_attempt_at <= now() \
             AND (claimed_until IS NULL OR claimed_until <= now()) \
             ORDER BY next_attempt_at, id LIMIT 1 FOR UPDATE SKIP LOCKED) RETURNING id",
    )
    .bind::<BigInt, _>(LEASE.num_seconds())
    .load(conn)
    .await?;
    match claimed.as_slice() {
        [Claimed { id }, ..] => find(conn, *id).await,
        [] => Ok(None),
    }
}

/// Whether the claim is still this worker's; locks the row until the transaction ends.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn holds(conn: &mut AsyncPgConnection, row: &CertificateRow) -> Result<bool, DbError> {
    let own = certificates::table.filter(certificates::id.eq(row.id).and(certificates::claim.eq(row.claim)));
    let held: Vec<CertificateId> = own.select(certificates::id).for_update().load(conn).await?;
    Ok(!held.is_empty())
}

/// Ends the claim: the next step is due then, in this state and with these words. False: another worker has claimed it.
///
/// # Errors
/// [`DbError`] when a statement fails.
pub async fn postpone(
    conn: &mut AsyncPgConnection,
    row: &CertificateRow,
    state: CertificateState,
    at: DateTime<Utc>,
    words: Option<&str>,
) -> Result<bool, DbError> {
    let moved = diesel::update(certificates::table.find(row.id))
        .filter(certificates::claim.eq(row.claim))
        .set((
            certificates::state.eq(state),
            certificates::next_attempt_at.eq(at),
            certificates::last_error.eq(words.map(shortened)),
            certificates::claimed_until.eq(None::<DateTime<Utc>>),
            certificates::modified.eq(diesel::dsl::now),
        ))
        .execute(conn)
        .await?;
    let is_new = state != row.state || words.map(shortened) != row.last_error;
    if moved == 1 && is_new && state != CertificateState::Ordering {
        tell(conn, row, state, words).await?;
    }
    Ok(moved == 1)
}

/// Ends the claim after a failure. The next step is due then. False: another worker has claimed it.
///
/// # Errors
/// [`DbError`] when a statement fails.
pub async fn fail(
    conn: &mut AsyncPgConnection,
    row: &CertificateRow,
    at: DateTime<Utc>,
    words: &str,
) -> Result<bool, DbError> {
    let moved = diesel::update(certificates::table.find(row.id))
        .filter(certificates::claim.eq(row.claim))
        .set((
            certificates::state.eq(CertificateState::Failing),
            certificates::next_attempt_at.eq(at),
            certificates::attempts.eq(certificates::attempts + 1),
            certificates::last_error.eq(Some(shortened(words))),
            certificates::failing_since.eq(Some(row.failing_since.unwrap_or_else(Utc::now))),
            certificates::claimed_until.eq(None::<DateTime<Utc>>),
            certificates::modified.eq(diesel::dsl::now),
        ))
        .execute(conn)
        .await?;
    if moved == 1 && (row.state != CertificateState::Failing || row.last_error.as_deref() != Some(words)) {
        tell(conn, row, CertificateState::Failing, Some(words)).await?;
    }
    Ok(moved == 1)
}

/// A chain that was issued, and what is known of it.
#[derive(Debug)]
pub struct Issued<'a> {
    pub chain: &'a str,
    /// The directory of the authority.
    pub origin: &'a str,
    pub facts: &'a Facts,
    pub renew_at: DateTime<Utc>,
}

/// Publishes a chain and ends the claim; the caller stores the key in the same transaction. The authority's window is asked
/// for next. False: another worker has claimed it.
///
/// # Errors
/// [`DbError`] when a statement fails.
pub async fn publish(
    conn: &mut AsyncPgConnection,
    row: &CertificateRow,
    Issued { chain, origin, facts, renew_at }: &Issued<'_>,
) -> Result<bool, DbError> {
    let moved = diesel::update(certificates::table.find(row.id))
        .filter(certificates::claim.eq(row.claim))
        .filter(certificates::source.eq(CertificateSource::Acme))
        .set((
            certificates::state.eq(CertificateState::Valid),
            certificates::chain.eq(Some(*chain)),
            certificates::origin.eq(Some(*origin)),
            certificates::not_before.eq(Some(facts.not_before)),
            certificates::not_after.eq(Some(facts.not_after)),
            certificates::renew_at.eq(Some(*renew_at)),
            certificates::renewal_checked_at.eq(None::<DateTime<Utc>>),
            (
                certificates::attempts.eq(0),
                certificates::last_error.eq(None::<String>),
                certificates::failing_since.eq(None::<DateTime<Utc>>),
                certificates::mailed_at.eq(None::<DateTime<Utc>>),
                certificates::next_attempt_at.eq(diesel::dsl::now),
                certificates::revision.eq(certificates::revision + 1),
                certificates::claimed_until.eq(None::<DateTime<Utc>>),
                certificates::modified.eq(diesel::dsl::now),
            ),
        ))
        .execute(conn)
        .await?;
    if moved == 1 {
        let words = format!("until {}", facts.not_after.format("%Y-%m-%d %H:%M UTC"));
        tell(conn, row, CertificateState::Valid, Some(&words)).await?;
    }
    Ok(moved == 1)
}

/// Stores when the certificate is renewed, and that the authority was asked now; ends the claim.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn keep_renewal(
    conn: &mut AsyncPgConnection,
    row: &CertificateRow,
    renew_at: DateTime<Utc>,
    next: DateTime<Utc>,
) -> Result<(), DbError> {
    diesel::update(certificates::table.find(row.id))
        .filter(certificates::claim.eq(row.claim))
        .set((
            certificates::renew_at.eq(Some(renew_at)),
            certificates::renewal_checked_at.eq(diesel::dsl::now),
            certificates::next_attempt_at.eq(next),
            certificates::claimed_until.eq(None::<DateTime<Utc>>),
        ))
        .execute(conn)
        .await?;
    Ok(())
}

/// Has the next certificate ordered at once, and the pause after failures ended. False: it is not one that is ordered, or no
/// instance has its names.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn renew_now(conn: &mut AsyncPgConnection, of: InstanceId) -> Result<bool, DbError> {
    let moved = diesel::sql_query(
        "UPDATE certificates SET next_attempt_at = $2, renew_at = CASE WHEN chain IS NULL THEN renew_at ELSE $2 END \
         WHERE instance_id = $1 AND source = 'acme'",
    )
    .bind::<BigInt, _>(of.0)
    .bind::<Timestamptz, _>(Utc::now())
    .execute(conn)
    .await?;
    Ok(moved == 1)
}

/// Writes the event and the line in the instance's log.
async fn tell(
    conn: &mut AsyncPgConnection,
    row: &CertificateRow,
    to: CertificateState,
    words: Option<&str>,
) -> Result<(), DbError> {
    let Some(instance) = row.instance_id else { return Ok(()) };
    events::record(conn, EventKind::InstanceUpdated, events::About::instance(instance)).await?;
    let text = format!("certificate of {}: {}", row.names.join(", "), to.name().to_lowercase());
    let line = match (to, words) {
        (CertificateState::Failing, Some(words)) => Line::warning(format!("{text}: {words}")),
        (_, Some(words)) => Line::info(format!("{text}: {words}")),
        (_, None) => Line::info(text),
    };
    logs::append(conn, logs::About::Instance(instance), &[line]).await
}

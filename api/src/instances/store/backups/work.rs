//! The table `backups`: which worker does which work, and how it ends. Each statement is refused once another worker has claimed
//! the backup.

use chrono::{DateTime, Utc};
use diesel::sql_types::{BigInt, Nullable, Text, Timestamptz};
use diesel::{ExpressionMethods, OptionalExtension, QueryDsl};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use shared_types::backup::{BackupState, BackupWork};
use shared_types::{BackupId, InstanceId};

use super::BackupRow;
use crate::backups::Piece;
use crate::platform::db::DbError;
use crate::platform::db::fixed::fixed;
use crate::platform::db::schema::backups;
use crate::platform::origin::Actor;

/// The most characters of an error that are stored.
const TROUBLE: usize = 1000;
/// How long a claim lasts. It is renewed every few seconds.
const LASTS: &str = "interval '1 minute'";

/// A worker's right to work on a backup; void once another worker has claimed it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Claim {
    /// The backup.
    pub id: BackupId,
    number: i64,
}

#[derive(Debug, diesel::QueryableByName)]
struct Claimed {
    #[diesel(sql_type = BigInt)]
    id: BackupId,
    #[diesel(sql_type = BigInt)]
    claim: i64,
}

/// Whether another worker writes a backup of the instance, and this one is to be deleted, or the other way round.
const IN_CONFLICT: &str = "EXISTS (SELECT FROM backups AS o WHERE o.instance_id = b.instance_id AND o.id <> b.id \
    AND o.claimed_until > now() AND (b.work, o.work) IN (('write', 'delete'), ('delete', 'write')))";

/// Reserves the next work that is due for this worker for a minute; restores come first. None: nothing is due. A deletion and the writing
/// of another backup of the same instance are never reserved at once.
///
/// # Errors
/// [`DbError`] when a statement fails.
pub async fn claim(conn: &mut AsyncPgConnection) -> Result<Option<(Claim, BackupRow)>, DbError> {
    let query = format!(
        "UPDATE backups SET claim = claim + 1, claimed_until = now() + {LASTS}, work_bytes = 0 WHERE id = (\
             SELECT id FROM backups AS b WHERE work IS NOT NULL AND (claimed_until IS NULL OR claimed_until <= now()) \
             AND (next_try IS NULL OR next_try <= now()) AND NOT {IN_CONFLICT} \
             ORDER BY work <> 'restore', id LIMIT 1 FOR UPDATE SKIP LOCKED) RETURNING id, claim"
    );
    let claimed: Option<Claimed> = diesel::sql_query(query).get_result(conn).await.optional()?;
    let Some(Claimed { id, claim: number }) = claimed else { return Ok(None) };
    let claim = Claim { id, number };
    if is_given_back(conn, claim).await? {
        return Ok(None);
    }
    let row = super::find(conn, id).await?;
    Ok(row.map(|row| (claim, row)))
}

/// Gives a claim back if two workers have claimed works at the same moment that must not be done at once. Each looks after its own claim is
/// committed, so that at least one of them sees the other.
async fn is_given_back(conn: &mut AsyncPgConnection, claim: Claim) -> Result<bool, DbError> {
    let query = format!("UPDATE backups AS b SET claimed_until = NULL WHERE id = $1 AND claim = $2 AND {IN_CONFLICT}");
    let given = diesel::sql_query(query).bind::<BigInt, _>(claim.id).bind::<BigInt, _>(claim.number);
    Ok(given.execute(conn).await? == 1)
}

/// Extends a claim to a minute from now, and stores how far the work has come. False: another worker has it.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn renew(conn: &mut AsyncPgConnection, claim: Claim, bytes: u64) -> Result<bool, DbError> {
    let renewed = diesel::update(claimed(claim))
        .filter(backups::work.is_not_null())
        .set((
            backups::claimed_until.eq(fixed::<Nullable<Timestamptz>>(format!("now() + {LASTS}"))),
            backups::work_bytes.eq(i64::try_from(bytes).unwrap_or(i64::MAX)),
        ))
        .execute(conn)
        .await?;
    Ok(renewed == 1)
}

/// Records that the restore puts the maintenance page up. False: another worker has it.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn note_page(conn: &mut AsyncPgConnection, claim: Claim) -> Result<bool, DbError> {
    Ok(diesel::update(claimed(claim)).set(backups::has_page.eq(true)).execute(conn).await? == 1)
}

/// Records that the request for a restore puts the maintenance page up, in its transaction.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn note_page_of_request(conn: &mut AsyncPgConnection, id: BackupId) -> Result<(), DbError> {
    diesel::update(backups::table.find(id)).set(backups::has_page.eq(true)).execute(conn).await?;
    Ok(())
}

/// Records that the restore begins to delete databases. False: another worker has it.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn note_replacing(conn: &mut AsyncPgConnection, claim: Claim) -> Result<bool, DbError> {
    Ok(diesel::update(claimed(claim)).set(backups::is_replacing.eq(true)).execute(conn).await? == 1)
}

/// Records that a backup is complete. `next`: who wants it verified at once. False: another worker has it.
///
/// # Errors
/// [`DbError`] when a statement fails.
pub async fn complete(
    conn: &mut AsyncPgConnection,
    claim: Claim,
    pieces: &[Piece],
    next: Option<&Actor>,
) -> Result<bool, DbError> {
    let ended = diesel::update(claimed(claim))
        .filter(backups::state.eq(BackupState::Writing))
        .set((
            backups::state.eq(BackupState::Complete),
            backups::pieces.eq(serde_json::to_value(pieces)?),
            backups::ended.eq(fixed::<Nullable<Timestamptz>>("now()")),
            backups::trouble.eq(None::<String>),
            backups::work.eq(next.map(|_| BackupWork::Verify)),
            backups::work_by.eq(next),
            no_attempts(),
        ))
        .execute(conn)
        .await?;
    Ok(ended == 1)
}

/// Records that a backup could not be written, and why. False: another worker has it.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn fail(conn: &mut AsyncPgConnection, claim: Claim, words: &str) -> Result<bool, DbError> {
    let ended = diesel::update(claimed(claim))
        .filter(backups::state.eq(BackupState::Writing))
        .set((
            backups::state.eq(BackupState::Failed),
            backups::ended.eq(fixed::<Nullable<Timestamptz>>("now()")),
            backups::trouble.eq(Some(shortened(words))),
            backups::work.eq(None::<BackupWork>),
            backups::work_by.eq(None::<String>),
            no_attempts(),
        ))
        .execute(conn)
        .await?;
    Ok(ended == 1)
}

/// Records that the work on a complete backup has ended, and why if it failed. False: another worker has it.
///
/// # Errors
/// [`DbError`] when a statement fails.
pub async fn end(
    conn: &mut AsyncPgConnection,
    claim: Claim,
    work: BackupWork,
    trouble: Option<&str>,
) -> Result<bool, DbError> {
    // The columns that say when each work last succeeded.
    let now = |of: BackupWork, column: &'static str| {
        let has_succeeded = work == of && trouble.is_none();
        // A restore into another instance says nothing about the backup's own one.
        fixed::<Nullable<Timestamptz>>(match has_succeeded {
            true => format!("CASE WHEN into_instance_id IS NULL THEN now() ELSE {column} END"),
            false => column.to_owned(),
        })
    };
    let ended = diesel::update(claimed(claim))
        .filter(backups::work.eq(Some(work)))
        .set((
            backups::verified.eq(now(BackupWork::Verify, "verified")),
            backups::restored.eq(now(BackupWork::Restore, "restored")),
            backups::into_instance_id.eq(None::<InstanceId>),
            backups::trouble.eq(trouble.map(shortened)),
            backups::work.eq(None::<BackupWork>),
            backups::work_by.eq(None::<String>),
            backups::has_page.eq(false),
            backups::is_replacing.eq(false),
            no_attempts(),
        ))
        .execute(conn)
        .await?;
    Ok(ended == 1)
}

/// Records that an attempt failed. The next one is made after half a minute, twice as long with each failure in a row, 32 minutes at
/// most. False: another worker has it.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn postpone(conn: &mut AsyncPgConnection, claim: Claim, words: &str) -> Result<bool, DbError> {
    let postponed = diesel::sql_query(
        "UPDATE backups SET trouble = $3, failures = failures + 1, claimed_until = NULL, \
             next_try = now() + (2 ^ least(failures, 6)) * interval '30 seconds' \
             WHERE id = $1 AND claim = $2 AND work IS NOT NULL",
    )
    .bind::<BigInt, _>(claim.id)
    .bind::<BigInt, _>(claim.number)
    .bind::<Text, _>(shortened(words))
    .execute(conn)
    .await?;
    Ok(postponed == 1)
}

/// Deletes the row of a backup whose files are deleted. False: another worker has it.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn remove(conn: &mut AsyncPgConnection, claim: Claim) -> Result<bool, DbError> {
    let removed =
        diesel::delete(claimed(claim)).filter(backups::work.eq(Some(BackupWork::Delete))).execute(conn).await?;
    Ok(removed == 1)
}

/// The row of a backup while this claim holds.
#[diesel::dsl::auto_type]
fn claimed(claim: Claim) -> _ {
    let id: BackupId = claim.id;
    let number: i64 = claim.number;
    backups::table.find(id).filter(backups::claim.eq(number))
}

/// The columns about claims and attempts, once the work has ended.
#[diesel::dsl::auto_type]
fn no_attempts() -> _ {
    let never: Option<DateTime<Utc>> = None;
    (backups::claimed_until.eq(never), backups::failures.eq(0_i32), backups::next_try.eq(never))
}

fn shortened(words: &str) -> String {
    words.chars().take(TROUBLE).collect()
}

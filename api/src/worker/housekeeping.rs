//! Deletes expired records: events, the audit log, logs, and rows about objects that no longer exist; and a key that no
//! machine needs any more. In batches, so that locks are short; idempotent, and safe to run in several workers at once.

use crate::instances::Manager;
use crate::instances::store::{health, housekeeping as store, preview_links};
use crate::instances::upkeep::shared_key;
use crate::platform::cache;
use crate::platform::db::DbError;
use crate::platform::jobs::workers;
use crate::platform::outbox;
use crate::platform::{answers, audit, events, logs, users};

/// The maximum number of rows that one statement deletes.
const BATCH: i64 = 10_000;
/// The maximum number of app server logs that one sweep deletes; the next sweep continues.
const LOGS_A_SWEEP: i64 = 1_000;

/// Minimum days that changes of health are kept; they are kept as long as logs if that is longer.
const HEALTH_DAYS: u32 = 90;
/// Days that sent and given-up messages are kept.
const MESSAGE_DAYS: u32 = 30;

/// Deletes expired records.
///
/// # Errors
/// [`DbError`] if the database does not answer. What was deleted before stays deleted.
pub async fn sweep(manager: &Manager) -> Result<(), DbError> {
    let kept = manager.options.kept.bounded();
    let events =
        batches(|| async { events::prune(&mut *manager.db.conn().await?, kept.events_days, BATCH).await }).await?;
    let audit = match kept.audit_days {
        0 => 0,
        days => batches(|| async { audit::prune(&mut *manager.db.conn().await?, days, BATCH).await }).await?,
    };
    let lines =
        batches(|| async { logs::prune_instances(&mut *manager.db.conn().await?, kept.logs_days, BATCH).await })
            .await?;
    let over = store::logs_over(&mut *manager.db.conn().await?, kept, LOGS_A_SWEEP).await?;
    for id in &over {
        batches(|| async { logs::prune_app_server(&mut *manager.db.conn().await?, *id, BATCH).await }).await?;
    }
    let changes = kept.logs_days.max(HEALTH_DAYS);
    batches(|| async { health::prune_changes(&mut *manager.db.conn().await?, changes, BATCH).await }).await?;
    batches(|| async { outbox::prune(&mut *manager.db.conn().await?, MESSAGE_DAYS, BATCH).await }).await?;
    batches(|| async { answers::prune(&mut *manager.db.conn().await?, BATCH).await }).await?;
    batches(|| async { preview_links::prune(&mut *manager.db.conn().await?, BATCH).await }).await?;
    shared_key::sweep(manager).await?;
    if let Some(certifier) = &manager.certifier {
        certifier.clean().await?;
    }
    let mut conn = manager.db.conn().await?;
    store::forget_orphans(&mut conn).await?;
    workers::remove_dead(&mut conn).await?;
    users::store::failures::forget_old(&mut conn, chrono::Duration::days(1)).await?;
    if events + audit + lines + over.len() > 0 {
        tracing::info!(events, audit, lines, logs = over.len(), "records whose time was over were removed");
    }
    Ok(())
}

/// Removes from this host's cache what is too old or too much. A failure is logged.
pub async fn clean_cache(manager: &Manager) {
    let (dir, limits) = (manager.options.cache_dir.clone(), manager.options.cache_limits);
    let cleaned = tokio::task::spawn_blocking(move || cache::clean(&dir, limits)).await;
    match cleaned.map_err(|error| error.to_string()).and_then(|cleaned| cleaned.map_err(|error| error.to_string())) {
        Ok(cleaned) if cleaned.entries > 0 => {
            let cache::Cleaned { entries, megabytes } = cleaned;
            tracing::info!(entries, megabytes, "parts of the cache that were not used were removed");
        }
        Ok(_) => {}
        Err(error) => tracing::warn!(%error, "the cache could not be cleaned"),
    }
}

/// Repeats until a batch is not full. Returns the number of rows.
async fn batches<F>(remove: impl Fn() -> F) -> Result<usize, DbError>
where
    F: Future<Output = Result<usize, DbError>>,
{
    let mut total = 0;
    loop {
        let gone = remove().await?;
        total += gone;
        if i64::try_from(gone).unwrap_or(i64::MAX) < BATCH {
            return Ok(total);
        }
    }
}

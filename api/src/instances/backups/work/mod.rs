//! The work on backups: claimed by a worker, kept while it renews the claim, and tried again after what may pass.

mod buckets;
mod failure;
mod place;
mod restore;
mod verify;
mod write;

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use diesel_async::{AsyncConnection, AsyncPgConnection};
use shared_types::backup::BackupWork;
use shared_types::{EventKind, ResourceKind};

use super::contents::{self, Contents};
use super::databases::{self, Place};
use super::{migration, page};
use crate::backups::Backups;
use crate::backups::port::Progress;
use crate::instances::Manager;
use crate::instances::journal::Journal;
use crate::instances::store::backups::work::{self as store, Claim};
use crate::instances::store::backups::{self, BackupRow};
use crate::instances::store::{copies, instances};
use crate::platform::db::DbError;
use crate::platform::logs::Line;
pub(super) use buckets::target as bucket_target;
use failure::Failure;

/// The most attempts of a work that begins with a request. A deletion is tried until it is done.
const ATTEMPTS: i32 = 10;
/// The interval between renewals of a claim, and between two records of how far the work has come.
const BEAT: Duration = Duration::from_secs(2);
/// How long a claim may go without a renewal before the work is stopped: less than it lasts, with [`STOPPING`].
const UNRENEWED: Duration = Duration::from_secs(40);
/// How long a work that lost its claim may take to stop.
const STOPPING: Duration = Duration::from_secs(10);

/// Does what is due, one work after another. No query if the settings name no place for backups.
///
/// # Errors
/// [`DbError`] when the database does not answer; another worker takes over what was begun.
pub async fn sweep(manager: &Manager) -> Result<(), DbError> {
    let Some(backups) = &manager.backups else { return Ok(()) };
    loop {
        let claimed = store::claim(&mut *manager.db.conn().await?).await?;
        let Some((claim, row)) = claimed else { return Ok(()) };
        let Some(work) = row.work else { return Ok(()) };
        let task = Task { manager, backups: backups.as_ref(), work, row, claim, progress: Progress::default() };
        task.run().await?;
    }
}

/// A work that this worker has claimed.
struct Task<'m> {
    manager: &'m Manager,
    backups: &'m dyn Backups,
    work: BackupWork,
    /// The backup as it was when it was claimed.
    row: BackupRow,
    claim: Claim,
    progress: Progress,
}

impl Task<'_> {
    async fn run(&self) -> Result<(), DbError> {
        // Also stops the programs when this future is dropped, because the worker ends.
        let _stops = self.progress.cancel.clone().drop_guard();
        if self.row.failures == 0 {
            let line = Line::info(format!("Backup {} is being {}", self.row.words(), self.work.participle()));
            self.tell(&mut *self.manager.db.conn().await?, line).await?;
        }
        let mut performing = Box::pin(self.perform());
        let done = tokio::select! {
            done = &mut performing => done,
            () = self.beat() => {
                self.progress.cancel.cancel();
                tokio::time::timeout(STOPPING, performing).await.unwrap_or(Err(Failure::Lost))
            }
        };
        let settled = match done {
            Err(Failure::Transient(words)) if self.is_tried_again() => self.postpone(&words).await,
            Err(Failure::Transient(words)) => self.give_up(&format!("{words} (after {ATTEMPTS} attempts)")).await,
            Err(Failure::Permanent(words)) if self.work == BackupWork::Delete => self.postpone(&words).await,
            Err(Failure::Permanent(words)) => self.give_up(&words).await,
            done @ (Ok(()) | Err(Failure::Lost | Failure::Db(_))) => done,
        };
        match settled {
            Ok(()) => Ok(()),
            Err(Failure::Lost) => {
                tracing::warn!(backup = %self.row.id, "the work on a backup was left to another worker");
                Ok(())
            }
            Err(Failure::Db(error)) => Err(error),
            Err(Failure::Transient(words) | Failure::Permanent(words)) => Err(DbError::Corrupt(words)),
        }
    }

    async fn perform(&self) -> Result<(), Failure> {
        match self.work {
            BackupWork::Write => self.write().await,
            BackupWork::Verify => self.verify().await,
            BackupWork::Restore => self.restore().await,
            BackupWork::Delete => self.delete().await,
        }
    }

    /// Renews the claim until another worker has it, or it was not renewed for too long.
    async fn beat(&self) {
        let mut renewed_at = Instant::now();
        loop {
            tokio::time::sleep(BEAT).await;
            let bytes = self.progress.bytes.load(Ordering::Relaxed);
            let renewed = async { store::renew(&mut *self.manager.db.vital().await?, self.claim, bytes).await };
            match renewed.await {
                Ok(true) => renewed_at = Instant::now(),
                Ok(false) => return,
                Err(error) if renewed_at.elapsed() < UNRENEWED => {
                    tracing::warn!(backup = %self.row.id, %error, "the claim on a backup was not renewed; trying again");
                }
                Err(_) => return,
            }
        }
    }

    fn is_tried_again(&self) -> bool {
        self.work == BackupWork::Delete || self.row.failures + 1 < ATTEMPTS
    }

    async fn delete(&self) -> Result<(), Failure> {
        self.backups.delete(&self.row.at()).await?;
        self.backups.sweep(&self.row.at(), &self.progress).await?;
        let mut conn = self.manager.db.conn().await?;
        conn.transaction(async |conn| {
            if !store::remove(conn, self.claim).await? {
                return Err(Failure::Lost);
            }
            Ok(self.tell(conn, Line::info(format!("Backup {} is deleted", self.row.id))).await?)
        })
        .await
    }

    /// What the instance has whose databases are read or written, and how to log in there.
    async fn places(&self) -> Result<(Contents, BTreeMap<ResourceKind, Place<'_>>), Failure> {
        let mut conn = self.manager.db.conn().await?;
        let contents = contents::of_instance(&mut conn, self.row.target()).await?;
        let places = databases::places(self.manager, &mut conn, &contents).await?;
        Ok((contents, places))
    }

    /// Records that an attempt failed, and that another one follows. Its words are in the instance's log unless they are there already.
    async fn postpone(&self, words: &str) -> Result<(), Failure> {
        let mut conn = self.manager.db.conn().await?;
        conn.transaction(async |conn| {
            if !store::postpone(conn, self.claim, words).await? {
                return Err(Failure::Lost);
            }
            if self.row.trouble.as_deref() == Some(words) {
                return Ok(());
            }
            let (named, done) = (self.row.words(), self.work.participle());
            Ok(self
                .tell(conn, Line::warning(format!("Backup {named} is not {done} yet, trying again: {words}")))
                .await?)
        })
        .await
    }

    /// Records that the work has failed, and for good.
    async fn give_up(&self, words: &str) -> Result<(), Failure> {
        if self.work == BackupWork::Write {
            let deleted = match self.backups.delete(&self.row.at()).await {
                Ok(()) => self.backups.sweep(&self.row.at(), &self.progress).await,
                Err(error) => Err(error),
            };
            if let Err(error) = deleted {
                // The deletion of the failed backup tries it again.
                tracing::warn!(backup = %self.row.id, %error, "files of a failed backup were left");
            }
        }
        let mut conn = self.manager.db.conn().await?;
        conn.transaction(async |conn| {
            // Before the backup: requests lock in this order.
            instances::lock(conn, self.row.target()).await?;
            let words = match backups::find(conn, self.row.id).await? {
                Some(row) if self.work == BackupWork::Restore => {
                    let words = give_up_restore(conn, &row, words).await?;
                    migration::restore_failed(conn, self.row.target(), &words).await?;
                    words
                }
                Some(_) | None => words.to_owned(),
            };
            let ended = match self.work {
                BackupWork::Write => store::fail(conn, self.claim, &words).await?,
                BackupWork::Verify | BackupWork::Restore | BackupWork::Delete => {
                    store::end(conn, self.claim, self.work, Some(&words)).await?
                }
            };
            if !ended {
                return Err(Failure::Lost);
            }
            let done = self.work.participle();
            Ok(self
                .tell(conn, Line::error(format!("Backup {} could not be {done}: {words}", self.row.words())))
                .await?)
        })
        .await
    }

    /// Writes the event, and a line in the log of the instance whose databases are read or written. The backup's own instance shows its
    /// state, too.
    async fn tell(&self, conn: &mut AsyncPgConnection, line: Line) -> Result<(), DbError> {
        let about = |id| Journal::of_consequence().instance(id).event(EventKind::InstanceUpdated);
        if self.row.into_instance_id.is_some() {
            about(self.row.instance_id).write(conn).await?;
        }
        about(self.row.target()).line(line).write(conn).await
    }
}

/// Takes the page of a restore down if nothing was deleted; then nothing was copied either. Returns how things are, and what to do.
async fn give_up_restore(conn: &mut AsyncPgConnection, row: &BackupRow, words: &str) -> Result<String, Failure> {
    let (words, target) = (words.trim_end_matches('.'), row.target());
    if row.is_replacing {
        let of = row.into_instance_id.map_or_else(|| "the instance".to_owned(), |into| format!("instance {into}"));
        return Ok(format!(
            "The databases or the files of {of} are incomplete, and visitors get the maintenance page: {words}. Restore this backup again, \
             or another one."
        ));
    }
    if row.has_page {
        page::take_down(conn, target).await?;
    }
    if row.into_instance_id.is_some() {
        copies::forget_unarrived(conn, target).await?;
    }
    Ok(format!("{words}. Nothing was deleted."))
}

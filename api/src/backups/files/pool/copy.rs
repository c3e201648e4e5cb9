//! Copies the objects of a bucket that the pool does not have.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures::{StreamExt as _, stream};

use super::super::Files;
use super::super::place::blocking;
use super::super::seal::{Sealed, Summed};
use super::copies::Header;
use super::known::{Found, Known};
use super::manifest::Line;
use super::passing::Sealing;
use super::{Id, Paths, Sum, about, id, of_store, used};
use crate::backups::port::{BackupError, Bucket, Copied, Piece, Progress};
use crate::resources::objects::{Listed, Page};

/// How many objects are copied at once.
const AT_ONCE: usize = 8;

/// Copies a bucket. `earlier`: a complete backup, and what it has of this bucket.
pub(in super::super) async fn copy(
    own: &Files,
    at: &str,
    bucket: &Bucket,
    earlier: Option<(&str, &Piece)>,
    progress: &Progress,
) -> Result<Piece, BackupError> {
    let paths = Paths::of(at, bucket.kind, &bucket.name)?;
    let copying = Copying { own, bucket, paths, progress };
    copying.note_plan().await?;
    let known = Known::read(own, &copying.paths, earlier, &progress.cancel).await?;
    let count = Arc::default();
    let manifest = Sealing::begin(own, copying.paths.manifest.clone(), count, &progress.cancel).await?;
    match copying.all(known, &manifest).await {
        Ok((known, copied)) => copying.complete(known, copied, manifest).await,
        Err(error) => {
            manifest.abandon().await;
            Err(error)
        }
    }
}

struct Copying<'c> {
    own: &'c Files,
    bucket: &'c Bucket,
    paths: Paths,
    progress: &'c Progress,
}

/// What was done with an object.
enum Done {
    /// The pool has its file.
    Listed(usize, Line),
    /// It was there, but not listed.
    Found(Id, Sum, Line),
    /// It was copied.
    Copied(Id, Sum, Line),
    /// No address names it.
    LeftOut(String),
    /// It was deleted since it was listed.
    Gone,
}

impl Copying<'_> {
    /// Lists what the backup will use, so that a deletion between two attempts keeps what the first one has copied.
    async fn note_plan(&self) -> Result<(), BackupError> {
        let (mut ids, mut after) = (Vec::new(), None);
        loop {
            let page = self.page(after.as_deref()).await?;
            ids.extend(page.objects.iter().map(|one| id(self.bucket.kind, &self.bucket.bucket, one)));
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        ids.sort_unstable();
        let lines = ids.into_iter().map(|id| (id, None));
        used::write(self.own, &self.paths.used, lines, &self.progress.cancel).await.map(drop)
    }

    async fn page(&self, after: Option<&str>) -> Result<Page, BackupError> {
        let page = self.bucket.store.list(&self.bucket.bucket, after);
        tokio::select! {
            biased;
            () = self.progress.cancel.cancelled() => Err(BackupError::Cancelled),
            page = page => page.map_err(of_store),
        }
    }

    /// Copies what is missing, and writes the manifest.
    async fn all(&self, mut known: Known, manifest: &Sealing) -> Result<(Known, Copied), BackupError> {
        let (mut copied, mut after) = (Copied::default(), None);
        loop {
            let page = self.page(after.as_deref()).await?;
            let has_failed = AtomicBool::new(false);
            let works: Vec<_> = page.objects.into_iter().map(|one| self.one(&known, one, &has_failed)).collect();
            // In the order of the list, which is that of the manifest. After an error, what is under way is completed.
            let done: Vec<Result<Done, BackupError>> = stream::iter(works).buffered(AT_ONCE).collect().await;
            let mut errors = done.iter().filter_map(|one| one.as_ref().err());
            // Those that were not begun say less.
            if let Some(error) = errors.find(|error| **error != BackupError::Cancelled) {
                return Err(error.clone());
            }
            for one in done.into_iter().collect::<Result<Vec<_>, _>>()? {
                if let Some(line) = note(one, &mut known, &mut copied)
                    && !manifest.push(line.into_bytes()?).await
                {
                    // Its end says why it has stopped.
                    return Ok((known, copied));
                }
            }
            after = page.next;
            if after.is_none() {
                return Ok((known, copied));
            }
        }
    }

    /// Does an object, unless an earlier one of the page has failed.
    async fn one(&self, known: &Known, object: Listed, has_failed: &AtomicBool) -> Result<Done, BackupError> {
        if self.progress.cancel.is_cancelled() || has_failed.load(Ordering::Relaxed) {
            return Err(BackupError::Cancelled);
        }
        let done = self.done(known, object).await;
        has_failed.fetch_or(done.is_err(), Ordering::Relaxed);
        done
    }

    async fn done(&self, known: &Known, object: Listed) -> Result<Done, BackupError> {
        if !self.bucket.store.can_name(&object.name) {
            return Ok(Done::LeftOut(object.name));
        }
        let id = id(self.bucket.kind, &self.bucket.bucket, &object);
        let line = |sum: &Sum| {
            let Listed { name, bytes, etag, modified: _ } = object.clone();
            Line { name, bytes, etag, id: hex::encode(id), sha256: hex::encode(sum) }
        };
        match known.find(&id) {
            Found::Listed(at, sum) => Ok(Done::Listed(at, line(&sum))),
            Found::Other => {
                let sum = self.sum(&id).await?;
                Ok(Done::Found(id, sum, line(&sum)))
            }
            Found::Missing => {
                let copied = self.copy_one(&object.name, &id).await?;
                Ok(copied.map_or(Done::Gone, |sum| Done::Copied(id, sum, line(&sum))))
            }
        }
    }

    /// Sums up a file that an attempt has left.
    async fn sum(&self, id: &Id) -> Result<Sum, BackupError> {
        let path = self.paths.object(id)?;
        let stored = self.own.stored(&path, &self.progress.cancel).await?;
        let (own, cancel) = (self.own.clone(), self.progress.cancel.clone());
        blocking(move || {
            let (_, sha256) = Summed::new(stored.content).finish(&cancel).map_err(|error| own.unread(&path, &error))?;
            decoded(&sha256)
        })
        .await
    }

    /// Copies an object; none: it was deleted since it was listed.
    async fn copy_one(&self, name: &str, id: &Id) -> Result<Option<Sum>, BackupError> {
        let Progress { bytes, cancel } = self.progress;
        let content = tokio::select! {
            biased;
            () = cancel.cancelled() => return Err(BackupError::Cancelled),
            content = self.bucket.store.read(&self.bucket.bucket, name) => content.map_err(|error| about(name, error))?,
        };
        let Some(content) = content else { return Ok(None) };
        let header = Header { name: name.to_owned(), meta: content.meta };
        let mut header = serde_json::to_vec(&header).map_err(|error| BackupError::Permanent(error.to_string()))?;
        header.push(b'\n');
        let sealing = Sealing::begin(self.own, self.paths.object(id)?, bytes.clone(), cancel).await?;
        sealing.push(header).await;
        if let Err(error) = sealing.feed(name, content.chunks, cancel).await {
            sealing.abandon().await;
            return Err(error);
        }
        let Sealed { sha256, .. } = sealing.keep(self.own).await?;
        decoded(&sha256).map(Some)
    }

    /// Completes the manifest, and then the list of used files.
    async fn complete(&self, known: Known, copied: Copied, manifest: Sealing) -> Result<Piece, BackupError> {
        let Sealed { bytes, sha256, tail: _ } = manifest.keep(self.own).await?;
        let used = known.into_used();
        let used_sha256 = used::write(self.own, &self.paths.used, used, &self.progress.cancel).await?;
        let objects = Some(Copied { used_sha256, ..copied });
        Ok(Piece { kind: self.bucket.kind, name: self.bucket.name.clone(), bytes, sha256, tables: 0, objects })
    }
}

/// Counts an object. Returns its line in the manifest.
fn note(done: Done, known: &mut Known, copied: &mut Copied) -> Option<Line> {
    let line = match done {
        Done::Listed(at, line) => {
            known.use_listed(at);
            line
        }
        Done::Found(id, sum, line) => {
            known.add(id, sum);
            line
        }
        Done::Copied(id, sum, line) => {
            known.add(id, sum);
            copied.copied += 1;
            line
        }
        Done::LeftOut(name) => {
            copied.left_out += 1;
            tracing::warn!(%name, "an object is in no backup: no address names it");
            return None;
        }
        Done::Gone => return None,
    };
    copied.count += 1;
    copied.bytes += line.bytes;
    copied.largest = copied.largest.max(line.bytes);
    Some(line)
}

fn decoded(sha256: &str) -> Result<Sum, BackupError> {
    let sum = hex::decode(sha256).ok().and_then(|sum| sum.try_into().ok());
    sum.ok_or_else(|| BackupError::Permanent(format!("“{sha256}” is no SHA-256")))
}

//! Writes the objects of a backup that the bucket does not have as they were. Others stay.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use age::x25519::Identity;
use futures::{StreamExt as _, TryStreamExt as _, stream};
use tokio::sync::{mpsc, oneshot};

use super::super::Files;
use super::super::place::lost;
use super::copies::ObjectFile;
use super::manifest::{self, Line};
use super::{Paths, about, of_store};
use crate::backups::port::{BackupError, Bucket, Piece, Progress};
use crate::resources::objects::{Chunks, Content, Listed};
use crate::resources::server::ServerError;

/// How many objects are written at once. Each has a part of a large object in memory.
const AT_ONCE: usize = 4;
/// How many chunks of an object wait for the store.
const WAITING: usize = 4;
/// The most attempts to write an object, and the pause between two.
const ATTEMPTS: u32 = 3;
const PAUSE: Duration = Duration::from_secs(1);

/// Writes back what differs. Returns how many objects these were.
pub(in super::super) async fn put_back(
    own: &Files,
    at: &str,
    piece: &Piece,
    into: &Bucket,
    progress: &Progress,
) -> Result<u64, BackupError> {
    let paths = Paths::of(at, piece.kind, &piece.name)?;
    let identities = own.identities().map_err(BackupError::Permanent)?.into();
    let mut lines = manifest::read(own, &paths, piece, &progress.cancel).await?;
    let writing = Writing { own, paths, identities, into, progress };
    let (mut present, mut written) = (Present::of(into), 0);
    while let Some(batch) = lines.recv().await {
        let mut differing = Vec::new();
        for line in batch? {
            if progress.cancel.is_cancelled() {
                return Err(BackupError::Cancelled);
            }
            if !present.has(&line).await? {
                differing.push(line);
            }
        }
        written += u64::try_from(differing.len()).unwrap_or_default();
        let writes = differing.into_iter().map(|line| writing.write(line));
        stream::iter(writes.map(Ok)).try_for_each_concurrent(AT_ONCE, |write| write).await?;
    }
    Ok(written)
}

/// The objects that a bucket has, in the order of the store's list, which is that of the manifest. If the order should differ, objects are
/// taken for missing, and written once more.
struct Present<'b> {
    bucket: &'b Bucket,
    page: VecDeque<Listed>,
    next: Option<String>,
    is_begun: bool,
}

impl<'b> Present<'b> {
    fn of(bucket: &'b Bucket) -> Self {
        Self { bucket, page: VecDeque::new(), next: None, is_begun: false }
    }

    /// Whether the bucket has an object with this content.
    async fn has(&mut self, line: &Line) -> Result<bool, BackupError> {
        loop {
            match self.page.front() {
                Some(one) if one.name < line.name => drop(self.page.pop_front()),
                Some(one) => {
                    let is_same = one.etag == line.etag && one.bytes == line.bytes && !one.etag.is_empty();
                    return Ok(is_same && one.name == line.name);
                }
                None if self.is_begun && self.next.is_none() => return Ok(false),
                None => {
                    let page = self.bucket.store.list(&self.bucket.bucket, self.next.as_deref()).await;
                    let page = page.map_err(of_store)?;
                    (self.page, self.next, self.is_begun) = (page.objects.into(), page.next, true);
                }
            }
        }
    }
}

struct Writing<'w> {
    own: &'w Files,
    paths: Paths,
    identities: Arc<[Identity]>,
    into: &'w Bucket,
    progress: &'w Progress,
}

impl Writing<'_> {
    async fn write(&self, line: Line) -> Result<(), BackupError> {
        for _ in 1..ATTEMPTS {
            match self.try_write(&line).await {
                Err(BackupError::Transient(_)) => tokio::time::sleep(PAUSE).await,
                done => return done,
            }
        }
        self.try_write(&line).await
    }

    async fn try_write(&self, line: &Line) -> Result<(), BackupError> {
        let cancel = &self.progress.cancel;
        let (copied, stored) = ObjectFile::open(self.own, &self.paths, line, (&self.identities, cancel)).await?;
        let (begin, begun) = oneshot::channel();
        let (into, chunks) = mpsc::channel(WAITING);
        let reading = tokio::task::spawn_blocking(move || {
            let read =
                copied.read(stored, |meta| begin.send(meta).is_ok(), |chunk| into.blocking_send(Ok(chunk)).is_ok());
            if let Err(error) = &read {
                // The object must not appear without its end.
                let _ = into.blocking_send(Err(ServerError::Away(error.to_string())));
            }
            read
        });
        let written = match begun.await {
            Ok(meta) => {
                let content = Content { meta, chunks: counted(chunks, self.progress.bytes.clone()) };
                tokio::select! {
                    biased;
                    () = cancel.cancelled() => return Err(BackupError::Cancelled),
                    written = self.into.store.write(&self.into.bucket, &line.name, content) => written,
                }
            }
            // It could not be read, which its own error says.
            Err(_) => Ok(()),
        };
        match (reading.await.map_err(lost)?, written) {
            // The thread stops where the store takes no more.
            (Ok(()) | Err(BackupError::Cancelled), Err(error)) => Err(about(&line.name, error)),
            (read, Ok(()) | Err(_)) => read,
        }
    }
}

/// The chunks of a thread, counted.
fn counted(chunks: mpsc::Receiver<Result<Vec<u8>, ServerError>>, count: Arc<AtomicU64>) -> Chunks {
    let next = move |mut chunks: mpsc::Receiver<Result<Vec<u8>, ServerError>>| {
        let count = count.clone();
        async move {
            let chunk = chunks.recv().await?;
            if let Ok(bytes) = &chunk {
                count.fetch_add(u64::try_from(bytes.len()).unwrap_or_default(), Ordering::Relaxed);
            }
            Some((chunk, chunks))
        }
    };
    stream::unfold(chunks, next).fuse().boxed()
}

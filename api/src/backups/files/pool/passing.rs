//! Bytes on their way between tasks and threads that block.

use std::io::{self, ErrorKind, Read};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use futures::StreamExt as _;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::super::Files;
use super::super::place::{PlacePath, Unfinished, blocking, lost};
use super::super::seal::{self, Failed, Sealed};
use super::about;
use crate::backups::port::BackupError;
use crate::resources::objects::Chunks;

/// How many chunks wait for the thread.
const WAITING: usize = 4;

/// Chunks as a thread reads them. `None` is their end; a sender that is dropped without it has failed.
struct Reader {
    from: mpsc::Receiver<Option<Vec<u8>>>,
    chunk: io::Cursor<Vec<u8>>,
    has_ended: bool,
}

impl Read for Reader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let length = self.chunk.read(buffer)?;
            if length > 0 || self.has_ended || buffer.is_empty() {
                return Ok(length);
            }
            match self.from.blocking_recv() {
                Some(Some(chunk)) => self.chunk = io::Cursor::new(chunk),
                Some(None) => self.has_ended = true,
                None => return Err(ErrorKind::ConnectionAborted.into()),
            }
        }
    }
}

/// A file that is being compressed and encrypted. Nothing of it stays unless it is kept.
pub(super) struct Sealing {
    path: PlacePath,
    into: mpsc::Sender<Option<Vec<u8>>>,
    task: JoinHandle<(Box<dyn Unfinished>, Result<Sealed, Failed>)>,
}

impl Sealing {
    pub(super) async fn begin(
        own: &Files,
        path: PlacePath,
        count: Arc<AtomicU64>,
        cancel: &CancellationToken,
    ) -> Result<Self, BackupError> {
        let mut unfinished = own.place.begin(&path, cancel).await?;
        let (into, from) = mpsc::channel(WAITING);
        let recipients = own.recipients.clone();
        let task = tokio::task::spawn_blocking(move || {
            let reader = Reader { from, chunk: io::Cursor::default(), has_ended: false };
            let sealed = seal::seal(reader, &mut *unfinished, &recipients, &count);
            (unfinished, sealed)
        });
        Ok(Self { path, into, task })
    }

    /// Adds bytes. False: the thread has stopped, and [`Self::keep`] says why.
    pub(super) async fn push(&self, bytes: Vec<u8>) -> bool {
        self.into.send(Some(bytes)).await.is_ok()
    }

    /// Adds the bytes of an object.
    pub(super) async fn feed(
        &self,
        name: &str,
        mut chunks: Chunks,
        cancel: &CancellationToken,
    ) -> Result<(), BackupError> {
        loop {
            let chunk = tokio::select! {
                biased;
                () = cancel.cancelled() => return Err(BackupError::Cancelled),
                chunk = chunks.next() => chunk,
            };
            match chunk {
                Some(Ok(bytes)) => {
                    if !self.push(bytes).await {
                        return Ok(());
                    }
                }
                Some(Err(error)) => return Err(about(name, error)),
                None => return Ok(()),
            }
        }
    }

    /// Ends the file, and gives it its name.
    pub(super) async fn keep(self, own: &Files) -> Result<Sealed, BackupError> {
        let Self { path, into, task } = self;
        // If the thread has stopped, it says why.
        let _ = into.send(None).await;
        let (unfinished, sealed) = task.await.map_err(lost)?;
        match sealed {
            Ok(sealed) => {
                blocking(move || unfinished.keep()).await?;
                Ok(sealed)
            }
            Err(Failed::Writing(error)) => Err(own.place.failed(&path, &error)),
            Err(Failed::Reading(error)) => Err(BackupError::Transient(format!("the bytes to write ended: {error}"))),
        }
    }

    /// Deletes what is written of it.
    pub(super) async fn abandon(self) {
        drop(self.into);
        // Its end is the end of the unfinished file.
        drop(self.task.await);
    }
}

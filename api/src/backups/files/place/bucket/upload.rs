//! Writes an object. A thread that blocks fills a part while a task sends those before, so that three parts are in memory at most. Small
//! files are sent by one request.

use std::io::{self, Write};
use std::sync::Arc;

use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

use super::super::{Unfinished, carry};
use super::{Inner, PlacePath};
use crate::backups::port::BackupError;
use crate::resources::providers::s3::{Content, MOST_PARTS, Upload};
use crate::resources::server::ServerError;

/// The sizes of parts: they grow, because their number is limited, and so is memory.
#[derive(Debug, Clone, Copy)]
pub struct PartSizes {
    /// The size of the first ones, at least 5 MiB for most stores.
    pub first: usize,
    /// After so many parts the size doubles.
    pub doubles_after: u16,
    /// The largest size.
    pub most: usize,
}

impl Default for PartSizes {
    fn default() -> Self {
        Self { first: 8 << 20, doubles_after: 1000, most: 64 << 20 }
    }
}

impl PartSizes {
    /// The size of the part with this number, from 1.
    fn of(&self, number: u16) -> usize {
        let doubled = u32::from(number.saturating_sub(1) / self.doubles_after.max(1));
        self.first.checked_shl(doubled).filter(|size| size >> doubled == self.first).unwrap_or(self.most).min(self.most)
    }

    /// The largest file in GB.
    fn most_gigabytes(&self) -> u64 {
        let sizes = (1..=MOST_PARTS).map(|number| u64::try_from(self.of(number)).unwrap_or(u64::MAX));
        sizes.fold(0, u64::saturating_add) / 1_000_000_000
    }
}

/// What the writer hands over.
enum Step {
    /// A part that is not the last one.
    Part(Content),
    /// The last part, which may be the only one.
    Last(Content),
}

/// An object that is being written.
struct Writer {
    sizes: PartSizes,
    /// The part that is being filled, and its number.
    part: Vec<u8>,
    number: u16,
    steps: mpsc::Sender<Step>,
    /// How the upload has ended.
    ended: Option<oneshot::Receiver<Result<(), BackupError>>>,
}

/// Begins an object. Nothing is sent before its first part is full, or it is complete.
pub(super) fn begin(place: Arc<Inner>, path: PlacePath, cancel: CancellationToken) -> impl Unfinished {
    let ((steps, given), (end, ended)) = (mpsc::channel(1), oneshot::channel());
    let sizes = place.transfer.parts;
    let sender = Sender { place, path, cancel };
    tokio::spawn(async move {
        // The writer may be gone.
        let _ = end.send(sender.send(given).await);
    });
    Writer { sizes, part: Vec::new(), number: 1, steps, ended: Some(ended) }
}

impl Writer {
    fn hand_over(&mut self, step: Step) -> Result<(), BackupError> {
        if self.steps.blocking_send(step).is_ok() {
            return Ok(());
        }
        // It ended before: why?
        self.end()
    }

    fn end(&mut self) -> Result<(), BackupError> {
        let lost = || BackupError::Transient("the upload was lost".to_owned());
        self.ended.take().and_then(|ended| ended.blocking_recv().ok()).ok_or_else(lost)?
    }
}

impl Write for Writer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let size = self.sizes.of(self.number);
        if self.part.len() >= size {
            // More follows, so that this part is not the last one.
            let part = std::mem::replace(&mut self.part, Vec::with_capacity(size));
            self.hand_over(Step::Part(Content::of(part))).map_err(carry)?;
            self.number += 1;
        }
        let room = self.sizes.of(self.number).saturating_sub(self.part.len());
        let taken = bytes.get(..room).unwrap_or(bytes);
        self.part.extend_from_slice(taken);
        Ok(taken.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Unfinished for Writer {
    fn keep(mut self: Box<Self>) -> Result<(), BackupError> {
        let last = Content::of(std::mem::take(&mut self.part));
        self.hand_over(Step::Last(last))?;
        self.end()
    }
}

/// Sends an object.
struct Sender {
    place: Arc<Inner>,
    path: PlacePath,
    cancel: CancellationToken,
}

impl Sender {
    /// Sends what is given, until the last part, or until the writer is dropped: then nothing of it stays.
    async fn send(&self, mut given: mpsc::Receiver<Step>) -> Result<(), BackupError> {
        let objects = &self.place.objects;
        let key = self.path.as_str();
        let first = match self.next(&mut given).await? {
            Step::Last(content) => return self.persist(|| objects.put(key, &content)).await,
            Step::Part(content) => content,
        };
        let upload = self.persist(|| objects.begin(key)).await?;
        let sent = self.send_parts(&upload, first, &mut given).await;
        if sent.is_err() {
            self.abort(&upload).await;
        }
        sent
    }

    async fn send_parts(
        &self,
        upload: &Upload,
        first: Content,
        given: &mut mpsc::Receiver<Step>,
    ) -> Result<(), BackupError> {
        let objects = &self.place.objects;
        let (mut bytes, mut marks, mut step) = (0, Vec::new(), Step::Part(first));
        for number in 1..=MOST_PARTS {
            let (Step::Part(content) | Step::Last(content)) = &step;
            marks.push(self.persist(|| objects.put_part(upload, number, content)).await?);
            bytes += content.length();
            if matches!(step, Step::Last(_)) {
                return self.persist(|| objects.complete(upload, &marks, bytes)).await;
            }
            step = self.next(given).await?;
        }
        Err(BackupError::Permanent(format!(
            "{} has more than {} GB, which is the limit of one file in a bucket. Use a directory for backups.",
            self.place.shown(&self.path),
            self.place.transfer.parts.most_gigabytes()
        )))
    }

    /// What the writer hands over next.
    async fn next(&self, given: &mut mpsc::Receiver<Step>) -> Result<Step, BackupError> {
        tokio::select! {
            () = self.cancel.cancelled() => Err(BackupError::Cancelled),
            step = given.recv() => step.ok_or(BackupError::Cancelled),
        }
    }

    async fn persist<T, F: Future<Output = Result<T, ServerError>>>(
        &self,
        request: impl Fn() -> F,
    ) -> Result<T, BackupError> {
        self.place.persist(Some(&self.path), &self.cancel, request).await
    }

    /// What is left if this fails is aborted with the deletion of the folder, or by a rule of the bucket.
    async fn abort(&self, upload: &Upload) {
        let (objects, never) = (&self.place.objects, CancellationToken::new());
        let aborted = self.place.persist(Some(&self.path), &never, || objects.abort(upload)).await;
        if let Err(error) = aborted {
            tracing::warn!(%error, "an upload of a backup was not aborted; the store keeps its parts until it is");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_grow_so_that_their_number_suffices_and_memory_does() {
        let sizes = PartSizes::default();
        let mib = |number| sizes.of(number) >> 20;
        assert_eq!([1, 1000, 1001, 2001, 3001, 4001, MOST_PARTS].map(mib), [8, 8, 16, 32, 64, 64, 64]);
        assert_eq!(sizes.most_gigabytes(), 528);
        let tiny = PartSizes { first: 3, doubles_after: 1, most: usize::MAX };
        assert_eq!((tiny.of(1), tiny.of(2), tiny.of(9)), (3, 6, 768));
        assert_eq!(tiny.of(MOST_PARTS), usize::MAX, "it does not overflow");
    }
}

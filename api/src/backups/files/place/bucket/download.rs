//! Reads an object, by requests for one range after another: a connection that ends in the middle, or that waits too long for a slow
//! reader, costs one of them only. Three ranges are in memory at most.

use std::io::{self, Read};
use std::sync::Arc;

use tokio::sync::mpsc;
use tokio_util::bytes::{Buf as _, Bytes};
use tokio_util::sync::CancellationToken;

use super::super::{Stored, carry};
use super::{Inner, PlacePath};
use crate::backups::port::BackupError;
use crate::resources::providers::s3::Stat;

/// An object that is being read.
struct Reader {
    ranges: mpsc::Receiver<Result<Bytes, BackupError>>,
    /// The rest of the present range.
    range: Bytes,
    /// How many bytes follow after it.
    left: u64,
    /// Why it cannot be read on.
    failed: Option<BackupError>,
}

/// Begins to read an object.
pub(super) fn begin(place: Arc<Inner>, path: PlacePath, stat: Stat, cancel: CancellationToken) -> Stored {
    let (give, ranges) = mpsc::channel(1);
    let bytes = stat.bytes;
    tokio::spawn(async move {
        let mut from = 0;
        while from < bytes {
            let read = next(&place, &path, (&stat, from), &cancel).await;
            let length = read.as_ref().map_or(0, Bytes::len);
            // The reader may be gone.
            if give.send(read).await.is_err() || length == 0 {
                return;
            }
            from += u64::try_from(length).unwrap_or(u64::MAX);
        }
    });
    Stored { bytes, content: Box::new(Reader { ranges, range: Bytes::new(), left: bytes, failed: None }) }
}

async fn next(
    place: &Inner,
    path: &PlacePath,
    (stat, from): (&Stat, u64),
    cancel: &CancellationToken,
) -> Result<Bytes, BackupError> {
    let left = usize::try_from(stat.bytes - from).unwrap_or(usize::MAX);
    let length = left.min(place.transfer.read.max(1));
    let read = || place.objects.read(path.as_str(), stat, from, length);
    let read = place.persist(Some(path), cancel, read).await?;
    let changed = || format!("{} was deleted or replaced while it was read.", place.shown(path));
    read.ok_or_else(|| BackupError::Damaged(changed()))
}

impl Reader {
    /// Waits for the next range.
    fn next(&mut self) -> Result<(), BackupError> {
        if let Some(error) = &self.failed {
            return Err(error.clone());
        }
        let lost = || Err(BackupError::Transient("the download was lost".to_owned()));
        self.range = self.ranges.blocking_recv().unwrap_or_else(lost).inspect_err(|error| {
            self.failed = Some(error.clone());
        })?;
        self.left = self.left.saturating_sub(u64::try_from(self.range.len()).unwrap_or(u64::MAX));
        Ok(())
    }
}

impl Read for Reader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.range.is_empty() && self.left > 0 && !buffer.is_empty() {
            self.next().map_err(carry)?;
        }
        let length = self.range.len().min(buffer.len());
        self.range.copy_to_slice(buffer.get_mut(..length).unwrap_or_default());
        Ok(length)
    }
}

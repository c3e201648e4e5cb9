//! Reads an object's file of the pool, to check it or to use it.

use std::io::{BufRead as _, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use age::x25519::Identity;
use futures::{TryStreamExt as _, stream};
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;

use super::super::Files;
use super::super::place::{PlacePath, Stored, blocking};
use super::super::seal::Summed;
use super::manifest::{self, Line};
use super::{Paths, Sum};
use crate::backups::port::{BackupError, Piece, Progress};
use crate::resources::objects::Meta;

/// How many files are checked at once.
const AT_ONCE: usize = 4;
/// The longest first line of a file, in bytes.
const HEADER_MAX: u64 = 1 << 20;
/// The size of the chunks of an object.
const CHUNK: usize = 64 << 10;

/// The first line of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Header {
    /// The object's name.
    pub(super) name: String,
    #[serde(flatten)]
    pub(super) meta: Meta,
}

/// A file that is to be read.
pub(super) struct ObjectFile {
    own: Files,
    path: PlacePath,
    sum: Sum,
    identities: Arc<[Identity]>,
    cancel: CancellationToken,
}

impl ObjectFile {
    /// The file of an object, opened.
    pub(super) async fn open(
        own: &Files,
        paths: &Paths,
        line: &Line,
        (identities, cancel): (&Arc<[Identity]>, &CancellationToken),
    ) -> Result<(Self, Stored), BackupError> {
        let no_file = || own.damaged(&paths.manifest, &format!("it names no file for `{}`", line.name));
        let (id, sum) = line.file().ok_or_else(no_file)?;
        let path = paths.object(&id)?;
        let stored = own.stored(&path, cancel).await?;
        Ok((Self { own: own.clone(), path, sum, identities: identities.clone(), cancel: cancel.clone() }, stored))
    }

    /// Reads all of it and passes it on: what the object is, and then its bytes. Whether these are what was written is known only when
    /// this has returned. Ends as if it was cancelled once one of the functions says false. Blocks.
    ///
    /// # Errors
    /// [`BackupError::Damaged`] if it is not the file that was written.
    pub(super) fn read(
        &self,
        stored: Stored,
        begin: impl FnOnce(Meta) -> bool,
        pass: impl FnMut(Vec<u8>) -> bool,
    ) -> Result<(), BackupError> {
        let mut summed = Summed::new(stored.content);
        let passed = self.pass(&mut summed, begin, pass);
        if let Err(error @ (BackupError::Transient(_) | BackupError::Cancelled)) = passed {
            return Err(error);
        }
        let (_, sha256) = summed.finish(&self.cancel).map_err(|error| self.own.unread(&self.path, &error))?;
        let expected = hex::encode(self.sum);
        if sha256 != expected {
            return Err(self.damaged(&format!("its SHA-256 is {sha256}, not {expected}")));
        }
        passed
    }

    fn pass(
        &self,
        file: impl Read,
        begin: impl FnOnce(Meta) -> bool,
        mut pass: impl FnMut(Vec<u8>) -> bool,
    ) -> Result<(), BackupError> {
        let unread = |error: std::io::Error| self.own.unread(&self.path, &error);
        let mut opened = self.own.opened(&self.path, file, &self.identities)?;
        let from = opened.reader();
        let mut header = String::new();
        from.take(HEADER_MAX).read_line(&mut header).map_err(unread)?;
        let Ok(Header { name: _, meta }) = serde_json::from_str(&header) else {
            return Err(self.damaged("its first line does not say what it is"));
        };
        let expected = meta.bytes;
        let (mut is_wanted, mut bytes) = (begin(meta), 0);
        while is_wanted && !self.cancel.is_cancelled() {
            let mut chunk = Vec::with_capacity(CHUNK);
            from.take(u64::try_from(CHUNK).unwrap_or_default()).read_to_end(&mut chunk).map_err(unread)?;
            if chunk.is_empty() {
                let words = || self.damaged(&format!("the object in it has {bytes} bytes, not {expected}"));
                return if bytes == expected { Ok(()) } else { Err(words()) };
            }
            bytes += u64::try_from(chunk.len()).unwrap_or_default();
            is_wanted = pass(chunk);
        }
        Err(BackupError::Cancelled)
    }

    fn damaged(&self, words: &str) -> BackupError {
        let remedy = "Delete this file: the next backup copies the object anew, if the bucket still has it";
        self.own.damaged(&self.path, &format!("{words}. {remedy}"))
    }
}

/// Reads and decrypts the manifest and all files that it names, and uses nothing of them.
pub(in super::super) async fn check(
    own: &Files,
    at: &str,
    piece: &Piece,
    progress: &Progress,
) -> Result<(), BackupError> {
    let paths = Paths::of(at, piece.kind, &piece.name)?;
    let identities: Arc<[_]> = own.identities().map_err(BackupError::Permanent)?.into();
    let mut lines = manifest::read(own, &paths, piece, &progress.cancel).await?;
    while let Some(batch) = lines.recv().await {
        let checks = batch?.into_iter().map(|line| check_one(own, &paths, line, (&identities, progress)));
        // In any order: the first one that is damaged ends it.
        stream::iter(checks.map(Ok)).try_for_each_concurrent(AT_ONCE, |check| check).await?;
    }
    Ok(())
}

async fn check_one(
    own: &Files,
    paths: &Paths,
    line: Line,
    (identities, progress): (&Arc<[Identity]>, &Progress),
) -> Result<(), BackupError> {
    let (copied, stored) = ObjectFile::open(own, paths, &line, (identities, &progress.cancel)).await?;
    let count = progress.bytes.clone();
    blocking(move || copied.read(stored, |_| true, |chunk| counted(&count, &chunk))).await
}

/// Counts bytes; always true.
fn counted(count: &AtomicU64, chunk: &[u8]) -> bool {
    count.fetch_add(u64::try_from(chunk.len()).unwrap_or_default(), Ordering::Relaxed);
    true
}

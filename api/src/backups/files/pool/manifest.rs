//! The manifest of a bucket: a line for each object, in the order of the store's list.

use std::io::BufRead as _;

use age::x25519::Identity;
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::super::Files;
use super::super::place::PlacePath;
use super::{Id, Paths, Sum};
use crate::backups::port::{BackupError, Piece};

/// How many lines are passed on at once.
const BATCH: usize = 500;

/// An object of a backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Line {
    /// Its name.
    pub(super) name: String,
    /// Its size in bytes, as the list said.
    pub(super) bytes: u64,
    /// Its content, as the list said.
    pub(super) etag: String,
    /// What names its file, in hexadecimal digits.
    pub(super) id: String,
    /// The SHA-256 of its file, in hexadecimal digits.
    pub(super) sha256: String,
}

impl Line {
    pub(super) fn into_bytes(self) -> Result<Vec<u8>, BackupError> {
        let mut bytes = serde_json::to_vec(&self).map_err(|error| BackupError::Permanent(error.to_string()))?;
        bytes.push(b'\n');
        Ok(bytes)
    }

    /// The file that it names, and its SHA-256.
    pub(super) fn file(&self) -> Option<(Id, Sum)> {
        let bytes = |text: &str| hex::decode(text).ok()?.try_into().ok();
        Some((bytes(&self.id)?, bytes(&self.sha256)?))
    }
}

/// A manifest that is being read. Its lines come in batches; the last item may be an error.
pub(super) type Lines = mpsc::Receiver<Result<Vec<Line>, BackupError>>;

/// Compares the whole manifest with what was written, and then reads its lines.
pub(super) async fn read(
    own: &Files,
    paths: &Paths,
    piece: &Piece,
    cancel: &CancellationToken,
) -> Result<Lines, BackupError> {
    let identities = own.identities().map_err(BackupError::Permanent)?;
    own.prove(paths.manifest.clone(), piece, identities.clone(), cancel).await?;
    let stored = own.stored(&paths.manifest, cancel).await?;
    let (into, lines) = mpsc::channel(1);
    let (own, path) = (own.clone(), paths.manifest.clone());
    tokio::task::spawn_blocking(move || {
        let send = |batch| into.blocking_send(batch).is_ok();
        match each(&own, &path, stored.content, &identities, |batch| send(Ok(batch))) {
            Ok(()) => {}
            // A receiver that is gone needs no error.
            Err(error) => drop(send(Err(error))),
        }
    });
    Ok(lines)
}

fn each(
    own: &Files,
    path: &PlacePath,
    content: Box<dyn std::io::Read + Send>,
    identities: &[Identity],
    mut pass: impl FnMut(Vec<Line>) -> bool,
) -> Result<(), BackupError> {
    let mut opened = own.opened(path, content, identities)?;
    let (mut batch, mut text) = (Vec::with_capacity(BATCH), String::new());
    loop {
        text.clear();
        let length = opened.reader().read_line(&mut text).map_err(|error| own.unread(path, &error))?;
        if length > 0 {
            let no_line = |error: serde_json::Error| own.damaged(path, &format!("a line cannot be read: {error}"));
            batch.push(serde_json::from_str(&text).map_err(no_line)?);
        }
        if batch.len() == BATCH || length == 0 {
            if !batch.is_empty() && !pass(std::mem::replace(&mut batch, Vec::with_capacity(BATCH))) {
                return Ok(());
            }
            if length == 0 {
                return Ok(());
            }
        }
    }
}

//! Reading a file back: whether it is the one that was written, and the dump in it.

use std::io::{self, ErrorKind, Read};
use std::path::Path;

use age::x25519::Identity;
use tokio_util::sync::CancellationToken;

use super::Files;
use super::place::{PlacePath, Stored, blocking, carried};
use super::seal::{self, Locked, Opened, Summed, Tail};
use crate::backups::port::{BackupError, Piece};
use crate::backups::programs::Server;

impl Files {
    /// Reads the whole file once, compares it with what was written, and decrypts it, without a use of it: a file that cannot be loaded
    /// to its end is found before its first half is.
    pub(super) async fn prove(
        &self,
        path: PlacePath,
        piece: &Piece,
        identities: Vec<Identity>,
        cancel: &CancellationToken,
    ) -> Result<(), BackupError> {
        let marker = if piece.objects.is_some() { None } else { Some(Server::of(piece.kind)?.marker()) };
        let stored = self.stored(&path, cancel).await?;
        let (own, piece, cancel) = (self.clone(), piece.clone(), cancel.clone());
        let whole = Whole { own, path, piece, marker, identities, cancel };
        blocking(move || whole.prove(stored)).await
    }

    /// Opens the file, and the dump in it.
    pub(super) async fn dump_in(
        &self,
        path: &PlacePath,
        identities: Vec<Identity>,
        cancel: &CancellationToken,
    ) -> Result<Opened<Box<dyn Read + Send>>, BackupError> {
        let stored = self.stored(path, cancel).await?;
        let (own, path) = (self.clone(), path.clone());
        blocking(move || own.opened(&path, stored.content, &identities)).await
    }

    pub(super) async fn stored(&self, path: &PlacePath, cancel: &CancellationToken) -> Result<Stored, BackupError> {
        let missing = || BackupError::Damaged(format!("{} is missing.", self.place.shown(path)));
        self.place.open(path, cancel).await?.ok_or_else(missing)
    }

    pub(super) fn opened<R: Read>(
        &self,
        path: &PlacePath,
        file: R,
        identities: &[Identity],
    ) -> Result<Opened<R>, BackupError> {
        Opened::of(file, identities).map_err(|locked| match locked {
            Locked::NoKey => BackupError::Permanent(format!(
                "No private key in {} opens {}: it was encrypted for other recipients. Add the private key of one of them to \
                 the file; without it, the backup cannot be read.",
                self.identities.as_deref().unwrap_or(Path::new("the settings")).display(),
                self.place.shown(path)
            )),
            Locked::Broken(words) => self.damaged(path, &words),
            Locked::Io(error) => self.unread(path, &error),
        })
    }

    /// The words for a file that could not be read.
    pub(super) fn unread(&self, path: &PlacePath, error: &io::Error) -> BackupError {
        if let Some(error) = carried(error) {
            error.clone()
        } else if error.kind() == ErrorKind::Interrupted {
            // Only our own functions say so; they repeat calls that a signal interrupts.
            BackupError::Cancelled
        } else if seal::is_damage(error) {
            self.damaged(path, &error.to_string())
        } else {
            self.place.failed(path, error)
        }
    }

    pub(super) fn damaged(&self, path: &PlacePath, words: &str) -> BackupError {
        BackupError::Damaged(format!("{} is damaged: {}.", self.place.shown(path), words.trim_end_matches('.')))
    }
}

/// A file that is read to its end.
struct Whole {
    own: Files,
    path: PlacePath,
    piece: Piece,
    /// The beginning of a dump's last line; none: it is no dump.
    marker: Option<&'static str>,
    identities: Vec<Identity>,
    cancel: CancellationToken,
}

impl Whole {
    fn prove(&self, stored: Stored) -> Result<(), BackupError> {
        self.compare_size(stored.bytes)?;
        let mut summed = Summed::new(stored.content);
        let tail = self.tail(&mut summed);
        if let Err(error @ (BackupError::Transient(_) | BackupError::Cancelled)) = tail {
            return Err(error);
        }
        // What the file is instead says more than where it cannot be decrypted.
        let (bytes, sha256) = summed.finish(&self.cancel).map_err(|error| self.own.unread(&self.path, &error))?;
        self.compare_size(bytes)?;
        self.compare("SHA-256", &sha256, &self.piece.sha256)?;
        let tail = tail?;
        if self.marker.is_none_or(|marker| tail.has(marker)) {
            return Ok(());
        }
        Err(self.own.damaged(&self.path, "the dump in it has no last line"))
    }

    fn tail(&self, file: impl Read) -> Result<Tail, BackupError> {
        let opened = self.own.opened(&self.path, file, &self.identities)?;
        opened.prove(&self.cancel).map_err(|error| self.own.unread(&self.path, &error))
    }

    fn compare_size(&self, found: u64) -> Result<(), BackupError> {
        self.compare("size", &format!("{found} bytes"), &format!("{} bytes", self.piece.bytes))
    }

    fn compare(&self, what: &str, found: &str, expected: &str) -> Result<(), BackupError> {
        if found == expected {
            return Ok(());
        }
        Err(self.own.damaged(&self.path, &format!("its {what} is {found}, not {expected}")))
    }
}

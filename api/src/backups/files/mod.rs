//! Backups as files in a directory, encrypted by age for its public keys. The private ones are needed only to read them.

mod keys;
mod place;
#[cfg(test)]
mod place_tests;
mod seal;
#[cfg(test)]
mod seal_tests;

use std::fmt;
use std::fs::File;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use age::x25519::{Identity, Recipient};
use async_trait::async_trait;
use shared_types::ResourceKind;

use self::place::{Partial, Place};
use self::seal::{Failed, Locked, Opened, Sealed};
use super::port::{BackupError, Backups, Piece, Progress, Source};
use super::programs::{self, Running, Server, Task};

/// Backups in a directory.
pub struct Files {
    place: Place,
    recipients: Arc<[Recipient]>,
    identities: Option<PathBuf>,
}

impl fmt::Debug for Files {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Files")
            .field("place", &self.place)
            .field("recipients", &self.recipients)
            .finish_non_exhaustive()
    }
}

impl Files {
    /// Backups in this directory, encrypted for these public keys (`age1…`), at least one. The file of private keys
    /// (`AGE-SECRET-KEY-1…`) is read at each use; without one, nothing can be restored.
    ///
    /// # Errors
    /// A message that names the directory, the key or the file, and the remedy.
    pub fn new(directory: PathBuf, recipients: &[String], identities: Option<PathBuf>) -> Result<Self, String> {
        let place = Place::of(directory)?;
        let recipients: Arc<[_]> = recipients.iter().map(|one| keys::recipient(one)).collect::<Result<_, _>>()?;
        if recipients.is_empty() {
            return Err(
                "Backups have no recipient. Make a pair of keys with `age-keygen`, and give its public key.".into()
            );
        }
        if let Some(file) = &identities {
            keys::identities(file)?;
        }
        Ok(Self { place, recipients, identities })
    }

    /// The private keys.
    ///
    /// # Errors
    /// A message.
    fn identities(&self) -> Result<Vec<Identity>, String> {
        let file = self.identities.as_deref().ok_or_else(|| {
            "No file of private keys is set. Put the private key of a recipient into a file that only ocim can read, and \
             name the file in the settings."
                .to_owned()
        })?;
        keys::identities(file)
    }

    /// Opens the file of a piece, and the dump in it.
    fn open(&self, path: &Path, identities: &[Identity]) -> Result<Opened, BackupError> {
        let file = File::open(path).map_err(|error| self.unread(path, &error))?;
        Opened::of(file, identities).map_err(|locked| match locked {
            Locked::NoKey => BackupError::Permanent(format!(
                "No private key in {} opens {}: it was encrypted for other recipients. Add the private key of one of them to \
                 the file; without it, the backup cannot be read.",
                self.identities.as_deref().unwrap_or(Path::new("the settings")).display(),
                path.display()
            )),
            Locked::Broken(words) => damaged(path, &words),
            Locked::Io(error) => self.unread(path, &error),
        })
    }

    /// The words for a file that could not be read.
    fn unread(&self, path: &Path, error: &io::Error) -> BackupError {
        if error.kind() == ErrorKind::NotFound {
            BackupError::Damaged(format!("{} is missing.", path.display()))
        } else if error.kind() == ErrorKind::Interrupted {
            // Only our own functions say so; they repeat calls that a signal interrupts.
            BackupError::Cancelled
        } else if seal::is_damage(error) {
            damaged(path, &error.to_string())
        } else {
            self.place.failed(path, error)
        }
    }

    /// Compares the file with what was written.
    fn compare(&self, path: &Path, piece: &Piece, progress: &Progress) -> Result<(), BackupError> {
        let unread = |error: io::Error| self.unread(path, &error);
        let file = File::open(path).map_err(unread)?;
        let length = file.metadata().map_err(unread)?.len();
        let differs = |what: &str, found: &str, expected: &str| {
            BackupError::Damaged(format!("{} is damaged: its {what} is {found}, not {expected}.", path.display()))
        };
        let in_bytes = |bytes: u64| format!("{bytes} bytes");
        if length != piece.bytes {
            return Err(differs("size", &in_bytes(length), &in_bytes(piece.bytes)));
        }
        let (bytes, sha256) = seal::sum(&file, &progress.cancel).map_err(unread)?;
        if bytes != piece.bytes {
            return Err(differs("size", &in_bytes(bytes), &in_bytes(piece.bytes)));
        }
        if sha256 != piece.sha256 { Err(differs("SHA-256", &sha256, &piece.sha256)) } else { Ok(()) }
    }

    /// Decrypts the whole file, without a use of it: a file that cannot be loaded to its end is found before its first half is.
    fn prove(
        &self,
        path: &Path,
        kind: Server,
        identities: &[Identity],
        progress: &Progress,
    ) -> Result<(), BackupError> {
        let tail = self.open(path, identities)?.prove(&progress.cancel).map_err(|error| self.unread(path, &error))?;
        if tail.has(kind.marker()) { Ok(()) } else { Err(damaged(path, "the dump in it has no last line")) }
    }

    /// Runs a function that blocks.
    async fn blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Self) -> Result<T, BackupError> + Send + 'static,
    ) -> Result<T, BackupError> {
        let (place, recipients, identities) = (self.place.clone(), self.recipients.clone(), self.identities.clone());
        let own = Self { place, recipients, identities };
        tokio::task::spawn_blocking(move || work(&own)).await.map_err(lost)?
    }

    /// Writes what the program prints into an unfinished file.
    async fn write(
        &self,
        mut running: Running,
        partial: Partial,
        progress: &Progress,
    ) -> Result<(Partial, Sealed), BackupError> {
        let (from, kind) = (running.take_stdout()?, running.server());
        let (recipients, count) = (self.recipients.clone(), progress.bytes.clone());
        let mut sealing = tokio::task::spawn_blocking(move || {
            let sealed = seal::seal(from, partial.file(), &recipients, &count);
            (partial, sealed)
        });
        let (partial, sealed) = match programs::beside(&mut sealing, progress).await {
            Ok(sealed) => sealed.map_err(lost)?,
            Err(stopped) => {
                // The program's end is the end of what is read: only then is the unfinished file deleted.
                drop(running);
                drop(sealing.await);
                return Err(stopped);
            }
        };
        let sealed = match sealed {
            Ok(sealed) => sealed,
            Err(Failed::Writing(error)) => return Err(self.place.failed(partial.path(), &error)),
            Err(Failed::Reading(error)) => return Err(BackupError::Transient(format!("{}: {error}.", running.name()))),
        };
        let name = running.name().to_owned();
        programs::beside(running.end(), progress).await??;
        if !sealed.tail.has(kind.marker()) {
            return Err(BackupError::Transient(format!("{name} ended before it had written the dump's last line.")));
        }
        Ok((partial, sealed))
    }
}

#[async_trait]
impl Backups for Files {
    fn why_no_restore(&self) -> Option<String> {
        self.identities().err()
    }

    async fn dump(&self, at: &str, source: &Source, progress: &Progress) -> Result<Piece, BackupError> {
        let tables = programs::tables(source, progress).await?;
        let (owned, kind, name) = (at.to_owned(), source.kind, source.name.clone());
        let partial = self.blocking(move |own| own.place.begin(&owned, kind, &name)).await?;
        let running = Running::start(Task::Dump, source).await?;
        let (partial, Sealed { bytes, sha256, tail: _ }) = self.write(running, partial, progress).await?;
        let now = programs::tables(source, progress).await?;
        if now != tables {
            return Err(BackupError::Transient(format!(
                "The database {} had {tables} tables before its dump and {now} after it. A backup is made while the \
                 application does not change them.",
                source.database
            )));
        }
        self.blocking(move |own| {
            let path = partial.path().to_owned();
            partial.keep().map_err(|error| own.place.failed(&path, &error))
        })
        .await?;
        Ok(Piece { kind: source.kind, name: source.name.clone(), bytes, sha256, tables })
    }

    async fn check(&self, at: &str, piece: &Piece, progress: &Progress) -> Result<(), BackupError> {
        let path = self.place.file(at, piece.kind, &piece.name)?;
        let (piece, progress) = (piece.clone(), progress.clone());
        self.blocking(move |own| own.compare(&path, &piece, &progress)).await
    }

    async fn load(&self, at: &str, piece: &Piece, target: &Source, progress: &Progress) -> Result<(), BackupError> {
        fits(piece.kind, target)?;
        let kind = Server::of(piece.kind)?;
        let identities: Arc<[_]> = self.identities().map_err(BackupError::Permanent)?.into();
        self.check(at, piece, progress).await?;
        let path = self.place.file(at, piece.kind, &piece.name)?;
        let (proven, keys, stop) = (path.clone(), identities.clone(), progress.clone());
        self.blocking(move |own| own.prove(&proven, kind, &keys, &stop)).await?;
        let tables = programs::tables(target, progress).await?;
        if tables > 0 {
            return Err(BackupError::Permanent(format!(
                "The database {} has {tables} tables. A backup is loaded only into an empty one.",
                target.database
            )));
        }
        let opened = path.clone();
        let dump = self.blocking(move |own| own.open(&opened, &identities)).await?;
        let mut running = Running::start(Task::Load, target).await?;
        let (into, count) = (running.take_stdin()?, progress.bytes.clone());
        // The end of its input would be the end of the dump for the program: it comes only after the whole dump.
        let mut feeding = tokio::task::spawn_blocking(move || (dump.feed(&into, &count), into));
        let (fed, into) = programs::beside(&mut feeding, progress).await?.map_err(lost)?;
        if let Err(Failed::Reading(error)) = fed {
            drop(running);
            return Err(self.unread(&path, &error));
        }
        drop(into);
        let name = running.name().to_owned();
        programs::beside(running.end(), progress).await??;
        match fed {
            Ok(()) => Ok(()),
            Err(Failed::Reading(error) | Failed::Writing(error)) => Err(BackupError::Transient(format!(
                "{name} ended before it had read the whole dump: {error}. The database is incomplete."
            ))),
        }
    }

    async fn tables(&self, of: &Source) -> Result<u64, BackupError> {
        programs::tables(of, &Progress::default()).await
    }

    async fn delete(&self, at: &str) -> Result<(), BackupError> {
        let at = at.to_owned();
        self.blocking(move |own| own.place.delete(&at)).await
    }

    async fn list(&self) -> Result<Vec<String>, BackupError> {
        self.blocking(|own| own.place.list()).await
    }
}

/// Whether a dump of this kind fits the server of the target.
fn fits(kind: ResourceKind, target: &Source) -> Result<(), BackupError> {
    if kind == target.kind {
        return Ok(());
    }
    Err(BackupError::Permanent(format!("A dump of {} does not fit a server of {}.", kind.name(), target.kind.name())))
}

fn damaged(path: &Path, words: &str) -> BackupError {
    BackupError::Damaged(format!("{} is damaged: {}.", path.display(), words.trim_end_matches('.')))
}

/// A thread that panicked or was ended with the runtime.
fn lost(error: tokio::task::JoinError) -> BackupError {
    BackupError::Transient(format!("the work was lost: {error}"))
}

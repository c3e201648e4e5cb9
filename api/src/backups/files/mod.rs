//! Backups as files at a place, encrypted by age for its public keys. The private ones are needed only to read them.

mod keys;
mod paths;
pub mod place;
mod pool;
mod reading;
mod seal;
#[cfg(test)]
mod seal_tests;

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use age::x25519::{Identity, Recipient};
use async_trait::async_trait;
use shared_types::ResourceKind;

use self::place::{Directory, Place, PlacePath, Unfinished, blocking, lost};
use self::seal::{Failed, Sealed};
use super::port::{BackupError, Backups, Bucket, Piece, Progress, Source};
use super::programs::{self, Running, Task};

/// Backups as files.
#[derive(Clone)]
pub struct Files {
    place: Arc<dyn Place>,
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
    /// Backups in this directory; as [`Self::at`].
    ///
    /// # Errors
    /// A message that names the directory, the key or the file, and the remedy.
    pub fn new(directory: PathBuf, recipients: &[String], identities: Option<PathBuf>) -> Result<Self, String> {
        Self::at(Arc::new(Directory::of(directory)?), recipients, identities)
    }

    /// Backups at this place, encrypted for these public keys (`age1…`), at least one. The file of private keys
    /// (`AGE-SECRET-KEY-1…`) is read at each use; without one, nothing can be restored.
    ///
    /// # Errors
    /// A message that names the key or the file, and the remedy.
    pub fn at(place: Arc<dyn Place>, recipients: &[String], identities: Option<PathBuf>) -> Result<Self, String> {
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

    /// Writes what the program prints into an unfinished file.
    async fn write(
        &self,
        mut running: Running,
        (path, mut unfinished): (&PlacePath, Box<dyn Unfinished>),
        progress: &Progress,
    ) -> Result<(Box<dyn Unfinished>, Sealed), BackupError> {
        let (from, kind) = (running.take_stdout()?, running.server());
        let (recipients, count) = (self.recipients.clone(), progress.bytes.clone());
        let mut sealing = tokio::task::spawn_blocking(move || {
            let sealed = seal::seal(from, &mut *unfinished, &recipients, &count);
            (unfinished, sealed)
        });
        let (unfinished, sealed) = match programs::beside(&mut sealing, progress).await {
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
            Err(Failed::Writing(error)) => return Err(self.place.failed(path, &error)),
            Err(Failed::Reading(error)) => return Err(BackupError::Transient(format!("{}: {error}.", running.name()))),
        };
        let name = running.name().to_owned();
        programs::beside(running.end(), progress).await??;
        if !sealed.tail.has(kind.marker()) {
            return Err(BackupError::Transient(format!("{name} ended before it had written the dump's last line.")));
        }
        Ok((unfinished, sealed))
    }
}

#[async_trait]
impl Backups for Files {
    fn why_no_restore(&self) -> Option<String> {
        self.identities().err()
    }

    fn trouble(&self) -> Option<String> {
        self.place.trouble()
    }

    async fn dump(&self, at: &str, source: &Source, progress: &Progress) -> Result<Piece, BackupError> {
        let tables = programs::tables(source, progress).await?;
        let path = paths::file(at, source.kind, &source.name)?;
        let unfinished = self.place.begin(&path, &progress.cancel).await?;
        let running = Running::start(Task::Dump, source).await?;
        let (unfinished, sealed) = self.write(running, (&path, unfinished), progress).await?;
        let Sealed { bytes, sha256, tail: _ } = sealed;
        let now = programs::tables(source, progress).await?;
        if now != tables {
            return Err(BackupError::Transient(format!(
                "The database {} had {tables} tables before its dump and {now} after it. A backup is made while the \
                 application does not change them.",
                source.database
            )));
        }
        blocking(move || unfinished.keep()).await?;
        Ok(Piece { kind: source.kind, name: source.name.clone(), bytes, sha256, tables, objects: None })
    }

    async fn check(&self, at: &str, piece: &Piece, progress: &Progress) -> Result<(), BackupError> {
        if piece.objects.is_some() {
            return pool::check(self, at, piece, progress).await;
        }
        let path = paths::file(at, piece.kind, &piece.name)?;
        let identities = self.identities().map_err(BackupError::Permanent)?;
        self.prove(path, piece, identities, &progress.cancel).await
    }

    async fn load(&self, at: &str, piece: &Piece, target: &Source, progress: &Progress) -> Result<(), BackupError> {
        fits(piece.kind, target)?;
        self.check(at, piece, progress).await?;
        let path = paths::file(at, piece.kind, &piece.name)?;
        let identities = self.identities().map_err(BackupError::Permanent)?;
        let tables = programs::tables(target, progress).await?;
        if tables > 0 {
            return Err(BackupError::Permanent(format!(
                "The database {} has {tables} tables. A backup is loaded only into an empty one.",
                target.database
            )));
        }
        let dump = self.dump_in(&path, identities, &progress.cancel).await?;
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

    async fn copy(
        &self,
        at: &str,
        bucket: &Bucket,
        earlier: Option<(&str, &Piece)>,
        progress: &Progress,
    ) -> Result<Piece, BackupError> {
        pool::copy(self, at, bucket, earlier, progress).await
    }

    async fn put_back(&self, at: &str, piece: &Piece, into: &Bucket, progress: &Progress) -> Result<u64, BackupError> {
        pool::put_back(self, at, piece, into, progress).await
    }

    async fn sweep(&self, at: &str, progress: &Progress) -> Result<(), BackupError> {
        pool::sweep(self, at, &progress.cancel).await
    }

    async fn delete(&self, at: &str) -> Result<(), BackupError> {
        self.place.delete_folder(&paths::folder(at)?).await
    }

    async fn has(&self, at: &str) -> Result<bool, BackupError> {
        Ok(!self.place.entries(Some(&paths::folder(at)?)).await?.is_empty())
    }

    async fn list(&self) -> Result<Vec<String>, BackupError> {
        paths::list(&*self.place).await
    }
}

/// Whether a dump of this kind fits the server of the target.
fn fits(kind: ResourceKind, target: &Source) -> Result<(), BackupError> {
    if kind == target.kind {
        return Ok(());
    }
    Err(BackupError::Permanent(format!("A dump of {} does not fit a server of {}.", kind.name(), target.kind.name())))
}

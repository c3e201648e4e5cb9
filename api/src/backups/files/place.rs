//! The directory of backups: `INSTANCE/BACKUP/KIND-NAME.sql.zst.age`.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use shared_types::ResourceKind;

use crate::backups::port::BackupError;

/// What the name of a complete file ends with.
const ENDING: &str = ".sql.zst.age";
/// What is appended while it is being written.
const PARTIAL: &str = ".partial";
/// How often a file is opened again that another program deletes at the same moment.
const ATTEMPTS: u32 = 5;
/// The longest name of a database that names a file.
const NAME_MAX: usize = 64;

/// The directory that holds all backups.
#[derive(Debug, Clone)]
pub(super) struct Place {
    root: PathBuf,
}

impl Place {
    /// The directory, which must exist and be writable.
    ///
    /// # Errors
    /// A message with the path.
    pub(super) fn of(root: PathBuf) -> Result<Self, String> {
        let shown = root.display();
        let found = fs::metadata(&root).map_err(|error| {
            format!("The directory of backups {shown} cannot be used: {error}. Create it, or name another one.")
        })?;
        if !found.is_dir() {
            return Err(format!("The place of backups {shown} is no directory. Name a directory."));
        }
        // A file without a name, which leaves nothing behind: the mode alone does not tell of a file system that is read-only.
        tempfile::tempfile_in(&root)
            .map_err(|error| format!("The directory of backups {shown} is not writable: {error}."))?;
        Ok(Self { root })
    }

    /// The directory of a backup.
    ///
    /// # Errors
    /// [`BackupError::Permanent`] unless `at` is two numbers with a slash between them.
    fn directory(&self, at: &str) -> Result<PathBuf, BackupError> {
        match at.split_once('/') {
            Some((instance, backup)) if is_number(instance) && is_number(backup) => {
                Ok(self.root.join(instance).join(backup))
            }
            Some(_) | None => Err(BackupError::Permanent(format!("“{at}” names no backup: one is such as 17/42."))),
        }
    }

    /// The complete file of a database.
    ///
    /// # Errors
    /// [`BackupError::Permanent`] if `at` or the database's name cannot name a file.
    pub(super) fn file(&self, at: &str, kind: ResourceKind, name: &str) -> Result<PathBuf, BackupError> {
        let fits = |c: u8| c.is_ascii_alphanumeric() || matches!(c, b'-' | b'_');
        if name.is_empty() || name.len() > NAME_MAX || !name.bytes().all(fits) {
            return Err(BackupError::Permanent(format!(
                "The database's name “{name}” cannot name a file: at most {NAME_MAX} letters, digits, `-` and `_` can."
            )));
        }
        Ok(self.directory(at)?.join(format!("{}-{name}{ENDING}", kind.as_str())))
    }

    /// Opens the unfinished file that becomes this one.
    ///
    /// # Errors
    /// As [`Self::file`] and [`Self::failed`]; [`BackupError::Transient`] if another program is writing it.
    pub(super) fn begin(&self, at: &str, kind: ResourceKind, name: &str) -> Result<Partial, BackupError> {
        let complete = self.file(at, kind, name)?;
        let mut path = complete.clone().into_os_string();
        path.push(PARTIAL);
        let path = PathBuf::from(path);
        for _ in 0..ATTEMPTS {
            match open(&path) {
                Ok(Some(file)) => return Ok(Partial { file, path, complete, is_kept: false }),
                // Another program deleted a directory that was empty.
                Err(error) if error.kind() == ErrorKind::NotFound && self.root.is_dir() => {}
                Ok(None) => {}
                Err(error) => return Err(self.failed(&path, &error)),
            }
        }
        Err(BackupError::Transient(format!("{} is being written by another program.", path.display())))
    }

    /// The words for a file or directory that could not be written or read; with the free space if there is too little.
    pub(super) fn failed(&self, path: &Path, error: &io::Error) -> BackupError {
        let shown = path.display();
        if matches!(error.kind(), ErrorKind::StorageFull | ErrorKind::QuotaExceeded) {
            let free = self.free().map_or_else(|| "unknown".to_owned(), |bytes| format!("{} MB", bytes / 1_000_000));
            let place = self.root.display();
            return BackupError::Transient(format!(
                "The directory of backups {place} is full (free: {free}): {error}. Make room there, or keep fewer backups."
            ));
        }
        let words = format!("{shown}: {error}.");
        let stays = [ErrorKind::PermissionDenied, ErrorKind::ReadOnlyFilesystem, ErrorKind::NotADirectory];
        if stays.contains(&error.kind()) { BackupError::Permanent(words) } else { BackupError::Transient(words) }
    }

    /// The bytes that this program may still write.
    fn free(&self) -> Option<u64> {
        let found = rustix::fs::statvfs(&self.root).ok()?;
        Some(found.f_bavail.saturating_mul(found.f_frsize))
    }

    /// Deletes a backup with all its files.
    ///
    /// # Errors
    /// [`Self::failed`].
    pub(super) fn delete(&self, at: &str) -> Result<(), BackupError> {
        let directory = self.directory(at)?;
        match fs::remove_dir_all(&directory) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(self.failed(&directory, &error)),
            Ok(()) | Err(_) => {}
        }
        if let Some(instance) = directory.parent() {
            // It stays if it has other backups.
            let _ = fs::remove_dir(instance);
        }
        Ok(())
    }

    /// The backups that are there, in the order of their numbers.
    ///
    /// # Errors
    /// [`Self::failed`].
    pub(super) fn list(&self) -> Result<Vec<String>, BackupError> {
        let mut found = Vec::new();
        for instance in self.numbers(&self.root)? {
            for backup in self.numbers(&self.root.join(&instance))? {
                found.push((instance.clone(), backup));
            }
        }
        // Longer numbers without leading zeros are higher.
        found.sort_by_cached_key(|(instance, backup)| (instance.len(), instance.clone(), backup.len(), backup.clone()));
        Ok(found.into_iter().map(|(instance, backup)| format!("{instance}/{backup}")).collect())
    }

    /// The directories in this one that numbers name. None if it was deleted meanwhile.
    fn numbers(&self, directory: &Path) -> Result<Vec<String>, BackupError> {
        let failed = |error: io::Error| self.failed(directory, &error);
        let entries = match fs::read_dir(directory) {
            Err(error) if error.kind() == ErrorKind::NotFound && directory != self.root => return Ok(Vec::new()),
            entries => entries.map_err(failed)?,
        };
        let mut found = Vec::new();
        for entry in entries {
            let entry = entry.map_err(failed)?;
            let Ok(name) = entry.file_name().into_string() else { continue };
            if is_number(&name) && entry.file_type().map_err(failed)?.is_dir() {
                found.push(name);
            }
        }
        Ok(found)
    }
}

/// A file that is being written. It is deleted when this is dropped, together with directories that are empty then.
#[derive(Debug)]
pub(super) struct Partial {
    file: File,
    path: PathBuf,
    complete: PathBuf,
    is_kept: bool,
}

impl Partial {
    /// The file, to write to.
    pub(super) const fn file(&self) -> &File {
        &self.file
    }

    /// Its path while it is unfinished.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Gives the complete file its name, in place of one that is there. Returns after all of it is on the disk.
    ///
    /// # Errors
    /// [`io::Error`]; the file is deleted then.
    pub(super) fn keep(mut self) -> io::Result<()> {
        self.file.sync_all()?;
        fs::rename(&self.path, &self.complete)?;
        self.path.clone_from(&self.complete);
        // The entries of the backup's directory, of the instance's, and of the place.
        for directory in self.complete.ancestors().skip(1).take(3) {
            File::open(directory)?.sync_all()?;
        }
        self.is_kept = true;
        Ok(())
    }
}

impl Drop for Partial {
    fn drop(&mut self) {
        if self.is_kept {
            return;
        }
        let _ = fs::remove_file(&self.path);
        for directory in self.path.ancestors().skip(1).take(2) {
            // It stays if it has other files.
            let _ = fs::remove_dir(directory);
        }
    }
}

/// Opens and locks an unfinished file, empty. None: another program has it, or has deleted it meanwhile.
fn open(path: &Path) -> io::Result<Option<File>> {
    // The place itself is never made: what is missing may be a disk that is not mounted.
    for directory in path.ancestors().skip(1).take(2).collect::<Vec<_>>().into_iter().rev() {
        match DirBuilder::new().mode(0o700).create(directory) {
            Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(error),
            Ok(()) | Err(_) => {}
        }
    }
    let file = OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(path)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => return Ok(None),
        Err(TryLockError::Error(error)) => return Err(error),
    }
    let (own, named) = (file.metadata()?, fs::metadata(path)?);
    if (own.dev(), own.ino()) != (named.dev(), named.ino()) {
        return Ok(None);
    }
    file.set_len(0)?;
    Ok(Some(file))
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|c| c.is_ascii_digit())
}

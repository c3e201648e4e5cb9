//! A directory as the place: each file is one of its file system.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use tokio_util::sync::CancellationToken;

use super::path::{PARTIAL, PlacePath, is_name};
use super::{Entry, Place, Stored, Unfinished, blocking};
use crate::backups::port::BackupError;

/// How often a file is opened again that another program deletes at the same moment.
const ATTEMPTS: u32 = 5;

/// The directory that holds all files.
#[derive(Debug, Clone)]
pub struct Directory {
    root: PathBuf,
}

impl Directory {
    /// The directory, which must exist and be writable.
    ///
    /// # Errors
    /// A message with the path.
    pub fn of(root: PathBuf) -> Result<Self, String> {
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

    fn path(&self, path: &PlacePath) -> PathBuf {
        self.root.join(path.as_str())
    }

    /// The directories from that of this file or directory up to the place, without the place.
    fn folders<'p>(&self, path: &'p Path) -> impl Iterator<Item = &'p Path> {
        path.ancestors().skip(1).take_while(|folder| *folder != self.root)
    }

    /// Deletes the directories above this file or directory that are empty.
    fn tidy(&self, path: &Path) {
        for folder in self.folders(path) {
            // It stays if it has other files.
            let _ = fs::remove_dir(folder);
        }
    }

    /// Opens the unfinished file that becomes this one.
    fn unfinished(&self, complete: PathBuf) -> Result<Partial, BackupError> {
        let mut path = complete.clone().into_os_string();
        path.push(PARTIAL);
        let path = PathBuf::from(path);
        for _ in 0..ATTEMPTS {
            match self.try_open(&path) {
                Ok(Some(file)) => {
                    return Ok(Partial { place: self.clone(), file, path, complete, is_kept: false });
                }
                // Another program deleted a directory that was empty.
                Err(error) if error.kind() == ErrorKind::NotFound && self.root.is_dir() => {}
                Ok(None) => {}
                Err(error) => return Err(self.broken(&path, &error)),
            }
        }
        Err(BackupError::Transient(format!("{} is being written by another program.", path.display())))
    }

    /// Opens and locks an unfinished file, empty. None: another program has it, or has deleted it meanwhile.
    fn try_open(&self, path: &Path) -> io::Result<Option<File>> {
        // The place itself is never made: what is missing may be a disk that is not mounted.
        for folder in self.folders(path).collect::<Vec<_>>().into_iter().rev() {
            match DirBuilder::new().mode(0o700).create(folder) {
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

    /// The words for a file or directory that could not be written or read; with the free space if there is too little.
    fn broken(&self, path: &Path, error: &io::Error) -> BackupError {
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

    /// Nothing if it was gone already.
    fn gone(&self, path: &Path, removed: io::Result<()>) -> Result<(), BackupError> {
        match removed {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(self.broken(path, &error)),
            Ok(()) | Err(_) => {}
        }
        self.tidy(path);
        Ok(())
    }

    fn read(&self, folder: &Path) -> Result<Vec<Entry>, BackupError> {
        let broken = |error: io::Error| self.broken(folder, &error);
        let entries = match fs::read_dir(folder) {
            Err(error) if error.kind() == ErrorKind::NotFound && folder != self.root => return Ok(Vec::new()),
            entries => entries.map_err(broken)?,
        };
        let mut found = Vec::new();
        for entry in entries {
            let entry = entry.map_err(broken)?;
            let Ok(name) = entry.file_name().into_string() else { continue };
            if !is_name(&name) {
                continue;
            }
            let metadata = match entry.metadata() {
                // It was deleted meanwhile.
                Err(error) if error.kind() == ErrorKind::NotFound => continue,
                metadata => metadata.map_err(broken)?,
            };
            if metadata.is_dir() {
                found.push(Entry::Folder { name });
            } else if metadata.is_file() {
                found.push(Entry::File { name, bytes: metadata.len() });
            }
        }
        Ok(found)
    }
}

#[async_trait]
impl Place for Directory {
    fn shown(&self, path: &PlacePath) -> String {
        self.path(path).display().to_string()
    }

    fn failed(&self, path: &PlacePath, error: &io::Error) -> BackupError {
        self.broken(&self.path(path), error)
    }

    async fn begin(&self, path: &PlacePath, _cancel: &CancellationToken) -> Result<Box<dyn Unfinished>, BackupError> {
        let (own, path) = (self.clone(), self.path(path));
        blocking(move || Ok(Box::new(own.unfinished(path)?) as Box<dyn Unfinished>)).await
    }

    async fn open(&self, path: &PlacePath, _cancel: &CancellationToken) -> Result<Option<Stored>, BackupError> {
        let (own, path) = (self.clone(), self.path(path));
        blocking(move || {
            let opened = File::open(&path).and_then(|file| Ok((file.metadata()?.len(), file)));
            match opened {
                Ok((bytes, file)) => Ok(Some(Stored { bytes, content: Box::new(file) })),
                Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
                Err(error) => Err(own.broken(&path, &error)),
            }
        })
        .await
    }

    async fn size(&self, path: &PlacePath) -> Result<Option<u64>, BackupError> {
        let (own, path) = (self.clone(), self.path(path));
        blocking(move || match fs::metadata(&path) {
            Ok(found) => Ok(found.is_file().then_some(found.len())),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(own.broken(&path, &error)),
        })
        .await
    }

    async fn entries(&self, folder: Option<&PlacePath>) -> Result<Vec<Entry>, BackupError> {
        let (own, folder) = (self.clone(), folder.map_or_else(|| self.root.clone(), |folder| self.path(folder)));
        blocking(move || own.read(&folder)).await
    }

    async fn delete(&self, path: &PlacePath) -> Result<(), BackupError> {
        let (own, path) = (self.clone(), self.path(path));
        blocking(move || own.gone(&path, fs::remove_file(&path))).await
    }

    async fn delete_folder(&self, folder: &PlacePath) -> Result<(), BackupError> {
        let (own, folder) = (self.clone(), self.path(folder));
        blocking(move || own.gone(&folder, fs::remove_dir_all(&folder))).await
    }
}

/// A file that is being written. It is deleted when this is dropped, together with directories that are empty then.
#[derive(Debug)]
struct Partial {
    place: Directory,
    file: File,
    path: PathBuf,
    complete: PathBuf,
    is_kept: bool,
}

impl Partial {
    fn rename(&mut self) -> io::Result<()> {
        self.file.sync_all()?;
        fs::rename(&self.path, &self.complete)?;
        self.path.clone_from(&self.complete);
        // The entries of the file's directory, of those above it, and of the place.
        for folder in self.place.folders(&self.complete).chain([self.place.root.as_path()]) {
            File::open(folder)?.sync_all()?;
        }
        Ok(())
    }
}

impl Write for Partial {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Unfinished for Partial {
    fn keep(mut self: Box<Self>) -> Result<(), BackupError> {
        self.rename().map_err(|error| self.place.broken(&self.path, &error))?;
        self.is_kept = true;
        Ok(())
    }
}

impl Drop for Partial {
    fn drop(&mut self) {
        if !self.is_kept {
            let _ = fs::remove_file(&self.path);
            self.place.tidy(&self.path);
        }
    }
}

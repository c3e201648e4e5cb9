//! The files of the embedded Postgres, in `{data_dir}/postgres/`:
//!
//! | Name | What |
//! |---|---|
//! | `data/` | the cluster, owned by the user that runs the server |
//! | `password` | of the role `ocim`; readable only by the user that starts ocim (0600) |
//! | `superuser-password` | of the role `postgres`, which makes the role `ocim`; 0600. Clusters of earlier versions have none |
//! | `port` | the port of the last start, tried first at the next |
//! | `log`, `log.1` | what the server printed |
//! | `lock` | held while a process starts or stops the server |
//!
//! Process and port are read from the server's own `data/postmaster.pid`; there is no second record that could differ.

use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};

use super::error::EmbeddedError;
use crate::platform::children::{self, ProcessId};

/// The files below one data directory.
#[derive(Debug, Clone)]
pub(super) struct Files {
    pub(super) home: PathBuf,
}

/// A server that runs on these data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Running {
    pub(super) process: ProcessId,
    pub(super) port: u16,
    /// The server has written that it accepts connections.
    pub(super) is_ready: bool,
}

impl Files {
    /// Opens the files of a data directory; creates the directory if missing.
    pub(super) fn prepare(data_dir: &Path) -> Result<Self, EmbeddedError> {
        let home = data_dir.join("postgres");
        fs::create_dir_all(&home).map_err(EmbeddedError::directory("make the directory", &home))?;
        Self::at(&home)
    }

    /// Opens an existing `postgres/` directory.
    pub(super) fn at(home: &Path) -> Result<Self, EmbeddedError> {
        let home = home.canonicalize().map_err(EmbeddedError::directory("find the directory", home))?;
        Ok(Self { home })
    }

    /// The data directory that [`Files::prepare`] was given.
    pub(super) fn data_dir(&self) -> &Path {
        self.home.parent().unwrap_or(&self.home)
    }

    pub(super) fn data(&self) -> PathBuf {
        self.home.join("data")
    }

    pub(super) fn log(&self) -> PathBuf {
        self.home.join("log")
    }

    fn pid_file(&self) -> PathBuf {
        self.data().join("postmaster.pid")
    }

    pub(super) fn password_file(&self) -> PathBuf {
        self.home.join("password")
    }

    fn superuser_password_file(&self) -> PathBuf {
        self.home.join("superuser-password")
    }

    /// Lets other users pass through to the data (0711), or no other user (0700). They can never list the directory.
    pub(super) fn let_pass(&self, others: bool) -> Result<(), EmbeddedError> {
        let mode = if others { 0o711 } else { 0o700 };
        fs::set_permissions(&self.home, fs::Permissions::from_mode(mode))
            .map_err(EmbeddedError::directory("set the mode of", &self.home))
    }

    /// Waits for the lock that protects starting and stopping.
    pub(super) async fn lock(&self, at_most: Duration) -> Result<File, EmbeddedError> {
        let path = self.home.join("lock");
        let held = children::lock(&path, at_most).await.map_err(EmbeddedError::directory("lock", &path))?;
        held.ok_or_else(|| EmbeddedError::Busy { directory: self.home.clone(), waited: at_most })
    }

    /// The server that runs on these data, even if another process started it. The pid file may be stale and its pid
    /// reused; a postmaster is recognised by its working directory, which is its data directory.
    pub(super) fn running(&self) -> Option<Running> {
        let text = fs::read_to_string(self.pid_file()).ok()?;
        let lines: Vec<&str> = text.lines().map(str::trim).collect();
        let process = ProcessId::of(lines.first()?.parse().ok()?)?;
        let here = fs::metadata(self.data()).ok()?;
        let there = fs::metadata(format!("/proc/{}/cwd", process.pid)).ok()?;
        let is_ours = (here.dev(), here.ino()) == (there.dev(), there.ino()) && process.is_alive();
        let port = lines.get(3)?.parse().ok()?;
        is_ours.then(|| Running { process, port, is_ready: lines.get(7) == Some(&"ready") })
    }

    /// Removes the stale pid file of a dead server whose pid another process has now, since PostgreSQL would trust it.
    /// If the pid is free, PostgreSQL handles the file and also checks for processes that hold its shared memory.
    pub(super) fn disown_pid_file(&self) -> Result<(), EmbeddedError> {
        let path = self.pid_file();
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(EmbeddedError::directory("read", &path)(error)),
        };
        tracing::warn!(data = %self.data().display(), "the database was not stopped properly; it will recover");
        let pid: Option<u32> = text.lines().next().and_then(|line| line.trim().parse().ok());
        if pid.is_some_and(|pid| !Path::new("/proc").join(pid.to_string()).exists()) {
            return Ok(());
        }
        fs::remove_file(&path).map_err(EmbeddedError::directory("remove", &path))
    }

    /// The stored password; none if there is no file.
    pub(super) fn password(&self) -> Result<Option<SecretString>, EmbeddedError> {
        read_secret(&self.password_file())
    }

    /// The stored password of the superuser; none if there is no file.
    pub(super) fn superuser_password(&self) -> Result<Option<SecretString>, EmbeddedError> {
        read_secret(&self.superuser_password_file())
    }

    /// Creates and stores a password.
    pub(super) fn new_password(&self) -> Result<SecretString, EmbeddedError> {
        new_secret(&self.password_file())
    }

    /// Creates and stores a password of the superuser.
    pub(super) fn new_superuser_password(&self) -> Result<SecretString, EmbeddedError> {
        new_secret(&self.superuser_password_file())
    }

    pub(super) fn last_port(&self) -> Option<u16> {
        fs::read_to_string(self.home.join("port")).ok()?.trim().parse().ok()
    }

    pub(super) fn keep_port(&self, port: u16) -> Result<(), EmbeddedError> {
        let path = self.home.join("port");
        fs::write(&path, format!("{port}\n")).map_err(EmbeddedError::directory("write", &path))
    }
}

fn read_secret(path: &Path) -> Result<Option<SecretString>, EmbeddedError> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(SecretString::from(text.trim()))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(EmbeddedError::directory("read", path)(error)),
    }
}

/// Stores 256 random bits in hexadecimal.
fn new_secret(path: &Path) -> Result<SecretString, EmbeddedError> {
    let mut bytes = [0_u8; 32];
    getrandom::fill(&mut bytes)
        .map_err(|error| EmbeddedError::directory("make", path)(io::Error::other(error.to_string())))?;
    let secret = SecretString::from(hex::encode(bytes));
    write_secret(path, &secret)?;
    Ok(secret)
}

/// Writes a file that is readable only by its owner (0600) from its creation.
pub(super) fn write_secret(path: &Path, secret: &SecretString) -> Result<(), EmbeddedError> {
    let write = || {
        let mut file = fs::OpenOptions::new().create(true).truncate(true).write(true).mode(0o600).open(path)?;
        file.write_all(secret.expose_secret().as_bytes())?;
        file.sync_all()
    };
    write().map_err(EmbeddedError::directory("write", path))
}

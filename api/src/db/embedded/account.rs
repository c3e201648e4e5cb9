//! Whom PostgreSQL runs as. It refuses root, so root hands it to an unprivileged user.

use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::{MetadataExt, chown};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use super::error::EmbeddedError;
use crate::children::User;

/// Who runs the server and owns its files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Account {
    /// Whoever we are.
    Ours,
    /// Somebody else; we are root.
    Other(User),
}

impl Account {
    /// The owner of the data where there are data; else us, or for root `postgres` or `nobody`.
    pub(super) fn choose(data: &Path) -> Result<Self, EmbeddedError> {
        let ours = rustix::process::geteuid().as_raw();
        match (fs::metadata(data).ok(), ours) {
            (Some(found), 0) if found.uid() != 0 => {
                Ok(Self::Other(User { name: format!("with id {}", found.uid()), uid: found.uid(), gid: found.gid() }))
            }
            (Some(found), _) if found.uid() != ours => {
                Err(EmbeddedError::Owner { data: data.to_owned(), owner: found.uid(), ours })
            }
            (_, 0) => User::first_of(&["postgres", "nobody"]).map(Self::Other).ok_or(EmbeddedError::NoAccount),
            (_, _) => Ok(Self::Ours),
        }
    }

    /// The command line that runs this one as the account, in the same process.
    pub(super) fn command<I: IntoIterator<Item = OsString>>(&self, command: I) -> Vec<OsString> {
        let prefix = match self {
            Self::Ours => Vec::new(),
            Self::Other(User { uid, gid, .. }) => {
                let (uid, gid) = (uid.to_string(), gid.to_string());
                ["setpriv", "--reuid", &uid, "--regid", &gid, "--clear-groups", "--no-new-privs", "--"]
                    .into_iter()
                    .map(OsString::from)
                    .collect()
            }
        };
        prefix.into_iter().chain(command).collect()
    }

    /// Gives it a file or directory.
    pub(super) fn own(&self, path: &Path) -> Result<(), EmbeddedError> {
        match self {
            Self::Ours => Ok(()),
            Self::Other(User { uid, gid, .. }) => {
                chown(path, Some(*uid), Some(*gid)).map_err(EmbeddedError::directory("give away", path))
            }
        }
    }

    /// Proves that it can get to a directory of an absolute path, or names the one on the way that it cannot enter.
    pub(super) async fn can_enter(&self, directory: &Path) -> Result<(), EmbeddedError> {
        let Self::Other(User { name, .. }) = self else { return Ok(()) };
        if self.may_pass(directory).await? {
            return Ok(());
        }
        let mut way: Vec<PathBuf> = directory.ancestors().map(Path::to_owned).collect();
        way.reverse();
        for step in way {
            if !self.may_pass(&step).await? {
                return Err(EmbeddedError::NotTraversable { directory: step, user: name.clone() });
            }
        }
        Ok(())
    }

    /// Asks the kernel as that user, so that access lists and mounts count too.
    async fn may_pass(&self, directory: &Path) -> Result<bool, EmbeddedError> {
        let line = self.command(["test".into(), "-x".into(), directory.as_os_str().to_owned()]);
        let mut parts = line.into_iter();
        let program = parts.next().unwrap_or_default();
        let status =
            tokio::process::Command::new(&program).args(parts).stdin(Stdio::null()).stderr(Stdio::null()).status();
        let status = status.await.map_err(|error| EmbeddedError::Program {
            program: program.to_string_lossy().into_owned(),
            reason: error.to_string(),
            remedy: "Install it (Debian: apt-get install util-linux)",
        })?;
        Ok(status.success())
    }
}

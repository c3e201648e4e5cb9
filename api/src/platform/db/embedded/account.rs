//! The Unix user that runs PostgreSQL. PostgreSQL refuses to run as root, so root starts it as an unprivileged user.
//!
//! A closed directory on the path may keep that user out: root's home, or what `mktemp -d` makes. Then the server gets
//! its own mount namespace with the database at `/mnt`. Other processes do not see that mount, and no permissions of a
//! directory that is not ours are changed.

use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::{MetadataExt, chown};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use super::error::EmbeddedError;
use super::files::Files;
use crate::platform::children::User;

/// The mount point of the database in a server's own mount namespace.
const SHOWN_AT: &str = "/mnt";

/// The Unix user that runs the server and owns its files, and the path by which it reaches them.
#[derive(Debug, Clone)]
pub(super) struct Account {
    /// The unprivileged user if this program runs as root; none: the server runs as this program's user.
    other: Option<User>,
    home: PathBuf,
    is_shown: bool,
}

impl Account {
    /// Chooses the Unix user: the owner of existing data; else the user of this process, or for root the first of the
    /// users `postgres` and `nobody` that exists. Checks that it can reach the database's directory.
    pub(super) async fn choose(files: &Files) -> Result<Self, EmbeddedError> {
        let other = other(&files.data())?;
        files.let_pass(other.is_some())?;
        let mut account = Self { other, home: files.home.clone(), is_shown: false };
        let Some(User { name, .. }) = account.other.clone() else { return Ok(account) };
        let Some(closed) = account.first_closed().await? else { return Ok(account) };
        account.is_shown = true;
        if !account.may_pass(Path::new(SHOWN_AT)).await? {
            return Err(EmbeddedError::NotTraversable { directory: closed, user: name });
        }
        tracing::info!(closed = %closed.display(), user = name, "the database gets a mount namespace of its own");
        Ok(account)
    }

    /// The path by which the server finds a file of the database's directory.
    pub(super) fn path(&self, name: &str) -> PathBuf {
        if self.is_shown { Path::new(SHOWN_AT).join(name) } else { self.home.join(name) }
    }

    /// The command line that runs `command` as this account; every step execs the next, so the pid stays the same.
    pub(super) fn command<I: IntoIterator<Item = OsString>>(&self, command: I) -> Vec<OsString> {
        let mut line: Vec<OsString> = Vec::new();
        if self.is_shown {
            line.extend(["unshare", "--mount", "--propagation", "private", "--", "sh", "-c"].map(OsString::from));
            line.extend([format!("mount --bind -- \"$0\" {SHOWN_AT} && exec \"$@\"").into(), self.home.clone().into()]);
        }
        if let Some(User { uid, gid, .. }) = &self.other {
            let (uid, gid) = (uid.to_string(), gid.to_string());
            let drop = ["setpriv", "--reuid", &uid, "--regid", &gid, "--clear-groups", "--no-new-privs", "--"];
            line.extend(drop.map(OsString::from));
        }
        line.extend(command);
        line
    }

    /// Gives the account ownership of a file or directory.
    pub(super) fn own(&self, path: &Path) -> Result<(), EmbeddedError> {
        match &self.other {
            None => Ok(()),
            Some(User { uid, gid, .. }) => {
                chown(path, Some(*uid), Some(*gid)).map_err(EmbeddedError::directory("give away", path))
            }
        }
    }

    /// The first directory on the path that the account cannot enter.
    async fn first_closed(&self) -> Result<Option<PathBuf>, EmbeddedError> {
        if self.may_pass(&self.home).await? {
            return Ok(None);
        }
        let mut way: Vec<&Path> = self.home.ancestors().collect();
        way.reverse();
        for step in way {
            if !self.may_pass(step).await? {
                return Ok(Some(step.to_owned()));
            }
        }
        Ok(None)
    }

    /// Runs `test -x` as that user, so that access control lists and mounts count too.
    async fn may_pass(&self, directory: &Path) -> Result<bool, EmbeddedError> {
        let line = self.command(["test".into(), "-x".into(), directory.as_os_str().to_owned()]);
        let mut parts = line.into_iter();
        let program = parts.next().unwrap_or_default();
        let mut command = tokio::process::Command::new(&program);
        let status = command.args(parts).stdin(Stdio::null()).stderr(Stdio::null()).status().await;
        let status = status.map_err(|error| EmbeddedError::Program {
            program: program.to_string_lossy().into_owned(),
            reason: error.to_string(),
            remedy: "Install it (Debian: apt-get install util-linux)",
        })?;
        Ok(status.success())
    }
}

fn other(data: &Path) -> Result<Option<User>, EmbeddedError> {
    let ours = rustix::process::geteuid().as_raw();
    match (fs::metadata(data).ok(), ours) {
        (Some(found), 0) if found.uid() != 0 => {
            Ok(Some(User { name: format!("with id {}", found.uid()), uid: found.uid(), gid: found.gid() }))
        }
        (Some(found), _) if found.uid() != ours => {
            Err(EmbeddedError::Owner { data: data.to_owned(), owner: found.uid(), ours })
        }
        (_, 0) => User::first_of(&["postgres", "nobody"]).map(Some).ok_or(EmbeddedError::NoAccount),
        (_, _) => Ok(None),
    }
}

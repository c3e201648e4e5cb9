//! Credentials of private repositories: a deploy key of ssh, or a token of https, each for one source. Git gets nothing
//! of the user who runs this program: no agent, no keys, no configuration.

use std::fmt;
use std::fs::{DirBuilder, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use crate::platform::files::private_dir;
use crate::platform::removal::remove_tree;
use crate::platform::vault;

/// The directory of key files, below the mirrors'.
pub(super) const KEYS: &str = "keys";

/// What proves to a server that this program may read a repository.
#[derive(Clone, PartialEq, Eq)]
pub enum Credential {
    /// For ssh.
    DeployKey {
        /// The private key, without a passphrase.
        private_key: String,
        /// The server's keys, as in a `known_hosts` file.
        known_hosts: String,
    },
    /// For https.
    Token {
        /// The login name; servers that take tokens ignore it.
        username: String,
        /// Sent as the password.
        token: String,
    },
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::DeployKey { .. } => "DeployKey",
            Self::Token { .. } => "Token",
        })
    }
}

/// Finds credentials. An error is a temporary one: the database does not answer.
#[async_trait]
pub trait Credentials: fmt::Debug + Send + Sync {
    /// The credential of the longest source that the repository is of.
    async fn find(&self, repository: &str) -> Result<Option<Credential>, String>;
}

/// No credentials, for tests and for programs without private repositories.
#[derive(Debug, Clone, Copy)]
pub struct NoCredentials;

#[async_trait]
impl Credentials for NoCredentials {
    async fn find(&self, _repository: &str) -> Result<Option<Credential>, String> {
        Ok(None)
    }
}

/// The value of the header that carries a login name and a password.
pub(super) fn basic(user: &str, password: &str) -> String {
    format!("Authorization: Basic {}", BASE64_STANDARD.encode(format!("{user}:{password}")))
}

/// `ssh` for git without any key.
pub const NO_KEY_SSH: &str = "ssh -F /dev/null -o BatchMode=yes -o ConnectTimeout=20 -o IdentitiesOnly=yes \
    -o IdentityAgent=none -o IdentityFile=none -o PasswordAuthentication=no -o StrictHostKeyChecking=yes \
    -o GlobalKnownHostsFile=/dev/null -o UserKnownHostsFile=/dev/null";

/// A deploy key and its known hosts as files (0600) in a directory of their own (0700), which is removed with the
/// value.
#[derive(Debug)]
pub(super) struct KeyFiles {
    pub dir: PathBuf,
}

impl KeyFiles {
    /// Writes them below `parent`, which git and ssh must be able to read.
    pub fn write(parent: &Path, private_key: &str, known_hosts: &str) -> io::Result<Self> {
        let parent = parent.join(KEYS);
        private_dir(&parent)?;
        let name = vault::letters(24).map_err(io::Error::other)?;
        let files = Self { dir: parent.join(name) };
        DirBuilder::new().mode(0o700).create(&files.dir)?;
        // ssh refuses a key without a line end.
        for (name, text) in [("key", private_key), ("known_hosts", known_hosts)] {
            let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(files.dir.join(name))?;
            file.write_all(format!("{}\n", text.trim().replace("\r\n", "\n")).as_bytes())?;
        }
        Ok(files)
    }

    /// Their paths.
    pub fn files(&self) -> Vec<PathBuf> {
        ["key", "known_hosts"].map(|name| self.dir.join(name)).into()
    }

    /// The command for `GIT_SSH_COMMAND`, which a shell reads.
    pub fn ssh(&self) -> String {
        // ssh reads `%` and quotes in a path, and the shell reads the whole.
        let quoted = |name: &str| {
            let path = self.dir.join(name).display().to_string().replace('%', "%%");
            path.replace('\'', "'\\''")
        };
        format!(
            "ssh -F /dev/null -o BatchMode=yes -o ConnectTimeout=20 -o IdentitiesOnly=yes -o IdentityAgent=none \
             -o PasswordAuthentication=no -o StrictHostKeyChecking=yes -o GlobalKnownHostsFile=/dev/null \
             -o UpdateHostKeys=no -o 'UserKnownHostsFile=\"{}\"' -o 'IdentityFile=\"{}\"'",
            quoted("known_hosts"),
            quoted("key"),
        )
    }
}

impl Drop for KeyFiles {
    fn drop(&mut self) {
        if let Err(error) = remove_tree(&self.dir) {
            tracing::warn!(dir = %self.dir.display(), %error, "the files of a deploy key could not be removed");
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::fs;
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn key_files_are_for_this_user_and_end_with_their_use() {
        let parent = tempfile::tempdir().unwrap();
        let files = KeyFiles::write(parent.path(), "KEY\r\nX", "git.example ssh-ed25519 AAAA").unwrap();
        let (dir, key) = (files.dir.clone(), files.dir.join("key"));
        assert_eq!(fs::read_to_string(&key).unwrap(), "KEY\nX\n");
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&dir), mode(&key), mode(&dir.join("known_hosts"))), (0o700, 0o600, 0o600));
        assert!(files.ssh().contains(&format!("IdentityFile=\"{}\"", key.display())), "{}", files.ssh());
        drop(files);
        assert!(!dir.exists());
    }

    #[test]
    fn debug_output_shows_no_secret() {
        let token = Credential::Token { username: "bot".into(), token: "hunter2".into() };
        let key = Credential::DeployKey { private_key: "hunter2".into(), known_hosts: String::new() };
        assert_eq!(format!("{token:?} {key:?}"), "Token DeployKey");
    }
}

//! The walls of each git: what it sees, what it may write, and whether it has a network.

use std::path::PathBuf;

use sha2::{Digest as _, Sha256};

use super::{Mirrors, failed_at};
use crate::git::port::GitError;
use crate::git::remote::Remote;
use crate::platform::files::private_dir;
use crate::platform::sandbox::{self, Cell, Network, Wall};

/// The git configuration in addition to the host's. An empty credential helper resets the list of helpers.
const CONFIG: &str = "\
[credential]
\thelper =
[safe]
\tdirectory = *
[core]
\thooksPath = /dev/null
[submodule]
\trecurse = false
[gc]
\tauto = 0
[maintenance]
\tauto = false
";

/// What a git does with the mirror.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::git) enum Use {
    /// Only reads it.
    Read,
    /// Writes it, without asking the repository.
    Make,
    /// Asks the repository, and writes the mirror.
    Fetch,
}

/// Where a checkout is written.
#[derive(Debug, Clone)]
pub(in crate::git) struct WorkTree {
    /// The top of the whole checkout.
    pub top: PathBuf,
    /// The files of this repository, in it.
    pub dir: PathBuf,
    /// A directory for the index.
    pub index: PathBuf,
}

impl Mirrors<'_> {
    /// A `git` for a work tree that was written from the mirror.
    pub(in crate::git) async fn at_work(&self, remote: &Remote, work: &WorkTree) -> Result<Cell, GitError> {
        let wall = Wall::new(&work.dir).write(&work.top).write(&work.index);
        let mut cell = self.cell(remote, self.reading(remote, wall)?).await?;
        cell.command.env("GIT_DIR", self.mirror(remote)).env("GIT_WORK_TREE", &work.dir);
        cell.command.env("GIT_INDEX_FILE", work.index.join("index"));
        Ok(cell)
    }

    /// A `git` on the mirror.
    pub(in crate::git) async fn git(&self, remote: &Remote, kind: Use) -> Result<Cell, GitError> {
        let mirror = self.mirror(remote);
        let wall = Wall::new("/tmp");
        let wall = match kind {
            Use::Read => self.reading(remote, wall)?,
            Use::Make | Use::Fetch => {
                private_dir(&mirror).map_err(|error| failed_at(&mirror, &error))?;
                let wall = wall.write(&mirror);
                if kind == Use::Fetch { self.asking(remote, wall) } else { wall }
            }
        };
        let mut cell = self.cell(remote, wall).await?;
        cell.command.env("GIT_DIR", mirror);
        Ok(cell)
    }

    /// Shows the mirror.
    fn reading(&self, remote: &Remote, wall: Wall) -> Result<Wall, GitError> {
        let mirror = self.mirror(remote);
        sandbox::open_to_runs(&mirror).map_err(|error| failed_at(&mirror, &error))?;
        Ok(wall.show(mirror))
    }

    /// Lets the program ask the repository.
    pub(super) fn asking(&self, remote: &Remote, wall: Wall) -> Wall {
        match remote.local_path() {
            Some(path) if path.exists() => wall.show(path),
            Some(_) => wall,
            None => wall.reach(Network::Public),
        }
    }

    /// A `git` behind this wall. The URL is passed in the environment, which only its user can read.
    pub(super) async fn cell(&self, remote: &Remote, wall: Wall) -> Result<Cell, GitError> {
        let dir = self.dir();
        private_dir(&dir).map_err(|error| failed_at(&dir, &error))?;
        let config = dir.join("config");
        if std::fs::read(&config).ok().as_deref() != Some(CONFIG.as_bytes()) {
            // Another git may be copying the one of before.
            let fresh = config.with_extension(format!("{}.new", std::process::id()));
            let written = std::fs::write(&fresh, CONFIG).and_then(|()| std::fs::rename(&fresh, &config));
            written.map_err(|error| failed_at(&config, &error))?;
        }
        // Copies of the deploy key's files have the paths of the files themselves.
        let wall = remote.key_files().into_iter().fold(wall.copy(&config), |wall, file| wall.copy(file));
        let mut cell = self.sandbox.cell(&self.account, "git", &wall).await?;
        let command = &mut cell.command;
        command.env("GIT_CONFIG_GLOBAL", config);
        command.env("GIT_TERMINAL_PROMPT", "0").env("GIT_ALLOW_PROTOCOL", remote.protocols());
        command.env("GIT_SSH_COMMAND", remote.ssh());
        let settings = remote.settings();
        command.env("GIT_CONFIG_COUNT", settings.len().to_string());
        for (index, (key, value)) in settings.iter().enumerate() {
            command.env(format!("GIT_CONFIG_KEY_{index}"), key).env(format!("GIT_CONFIG_VALUE_{index}"), value);
        }
        Ok(cell)
    }

    /// Makes the mirror this program's own again, once a git has written it.
    pub(super) async fn take_back(&self, remote: &Remote) -> Result<(), GitError> {
        let mirror = self.mirror(remote);
        sandbox::take_back_all(&mirror).await.map_err(|error| failed_at(&mirror, &error))
    }

    pub(super) fn mirror(&self, remote: &Remote) -> PathBuf {
        let hash = hex::encode(Sha256::digest(remote.address()));
        self.dir().join(hash.get(..32).unwrap_or(&hash)).with_extension("git")
    }

    pub(super) fn dir(&self) -> PathBuf {
        self.cache_dir.join("git")
    }
}

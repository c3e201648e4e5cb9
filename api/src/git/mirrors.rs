//! Git repositories and mirrors: resolves names to commits, writes a commit's files. [`super::checkout`] combines them.
//!
//! Each repository has a bare mirror in the cache, which is fetched only if it lacks a commit. A name is always
//! resolved at the repository itself, because it may point elsewhere by now.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use sha2::{Digest as _, Sha256};
use tokio_util::sync::CancellationToken;

use super::entry::Entry;
use super::port::{GitError, Progress};
use super::remote::Remote;
use crate::platform::command::Output;
use crate::platform::files::{self, private_dir};
use crate::platform::sandbox::{self, Account, Cell, Network, Sandbox, Wall};

/// The time limit for a question to a repository.
const ASK_LIMIT: Duration = Duration::from_secs(60);

/// The time limit for a clone or fetch.
const FETCH_LIMIT: Duration = Duration::from_secs(15 * 60);

/// The refs that users name.
const BRANCHES_AND_TAGS: &[&str] = &["+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*"];

/// All refs, for a commit that is on no branch or tag: a pull request's head, for example.
const EVERYTHING: &[&str] = &["+refs/*:refs/*"];

/// The longest list of a commit's files, in bytes.
const LIST_LIMIT: u64 = 64 << 20;

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

/// The mirrors in a cache directory, and operations on them. Each git runs behind a wall, with a network only if it asks
/// a server.
#[derive(Debug)]
pub(super) struct Mirrors<'a> {
    cache_dir: &'a Path,
    sandbox: &'a Sandbox,
    account: Arc<Account>,
}

/// What a git does with the mirror.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Use {
    /// Only reads it.
    Read,
    /// Writes it, without asking the repository.
    Make,
    /// Asks the repository, and writes the mirror.
    Fetch,
}

/// Where a checkout is written.
#[derive(Debug, Clone)]
pub(super) struct WorkTree {
    /// The top of the whole checkout.
    pub top: PathBuf,
    /// The files of this repository, in it.
    pub dir: PathBuf,
    /// A directory for the index.
    pub index: PathBuf,
}

impl<'a> Mirrors<'a> {
    pub(super) async fn new(cache_dir: &'a Path, sandbox: &'a Sandbox) -> Result<Self, GitError> {
        Ok(Self { cache_dir, sandbox, account: sandbox.account().await? })
    }

    /// The commit that a branch, tag or commit is now. A full hash is returned without asking the repository.
    pub(super) async fn resolve(
        &self,
        repository: &str,
        version: &str,
        cancel: &CancellationToken,
    ) -> Result<String, GitError> {
        if is_hash(version, 40..=40) {
            return Ok(version.to_ascii_lowercase());
        }
        let remote = Remote::parse(repository)?;
        if !is_reference(version) {
            return Err(unknown(&remote, version));
        }
        let mut names = vec![format!("refs/heads/{version}"), format!("refs/tags/{version}")];
        if version == "HEAD" || version.starts_with("refs/") {
            names.push(version.to_owned());
        }
        let peeled = names.iter().map(|name| format!("{name}^{{}}"));
        // The command needs no mirror: none is shown to it.
        let mut cell = self.cell(&remote, self.asking(&remote, Wall::new("/tmp"))).await?;
        cell.command.args(["ls-remote", "--quiet", "--", "origin"]).args(&names).args(peeled);
        let output = sandbox::capture(cell, ASK_LIMIT, cancel).await?;
        if !output.success {
            return Err(remote.explain(&output.stderr));
        }
        if let Some(commit) = names.iter().find_map(|name| find(&output.stdout, name)) {
            return Ok(commit);
        }
        if is_hash(version, 4..=39) {
            return self.resolve_abbreviated(&remote, version, cancel).await;
        }
        Err(unknown(&remote, version))
    }

    /// Ensures that the mirror has a commit, given by its full hash. The mirror's lock must be held.
    pub(super) async fn obtain(
        &self,
        remote: &Remote,
        commit: &str,
        cancel: &CancellationToken,
        progress: &mut dyn Progress,
    ) -> Result<(), GitError> {
        if self.has(remote, commit, cancel).await? {
            return Ok(());
        }
        progress.say(format!("Fetching {}", remote.shown())).await.map_err(GitError::Refused)?;
        self.fetch(remote, BRANCHES_AND_TAGS, cancel).await?;
        if self.has(remote, commit, cancel).await? {
            return Ok(());
        }
        // On no branch or tag: a pull request's commit, for example.
        match self.fetch_commit(remote, commit, cancel).await {
            // Many servers refuse to serve a commit by its hash, although a ref of another kind contains it.
            Err(GitError::Permanent(_)) => {
                self.fetch(remote, EVERYTHING, cancel).await?;
                if self.has(remote, commit, cancel).await? { Ok(()) } else { Err(unknown(remote, commit)) }
            }
            done => done,
        }
    }

    /// Writes the files of a commit to a work tree, and their index.
    pub(super) async fn write_files(
        &self,
        remote: &Remote,
        commit: &str,
        work: &WorkTree,
        cancel: &CancellationToken,
    ) -> Result<(), GitError> {
        let index = &work.index;
        let made = remove_dir(index).and_then(|()| private_dir(index));
        made.map_err(|error| failed_at(index, &error))?;
        let mut cell = self.at_work(remote, work).await?;
        cell.command.args(["read-tree", "--reset", "-u", commit]);
        succeeded(sandbox::capture(cell, FETCH_LIMIT, cancel).await?, remote)
    }

    /// All files, symbolic links and submodules of a commit.
    pub(super) async fn entries(
        &self,
        remote: &Remote,
        commit: &str,
        cancel: &CancellationToken,
    ) -> Result<Vec<Entry>, GitError> {
        let mut cell = self.git(remote, Use::Read).await?;
        cell.command.args(["ls-tree", "-r", "-z", "-l", "--full-tree", commit]);
        let output = sandbox::capture_up_to(LIST_LIMIT, cell, FETCH_LIMIT, cancel).await?;
        if !output.success {
            return Err(remote.explain(&output.stderr));
        }
        if output.stdout.len() as u64 >= LIST_LIMIT {
            let message =
                format!("{}: the list of the repository's files is longer than {LIST_LIMIT} bytes", remote.name());
            return Err(GitError::Permanent(message));
        }
        Ok(output.stdout.split('\0').filter_map(Entry::parse).collect())
    }

    /// Runs git and returns its output, for questions about a commit of the mirror or about checked-out files.
    pub(super) async fn ask(
        &self,
        mut cell: Cell,
        arguments: &[&str],
        cancel: &CancellationToken,
    ) -> Result<Output, GitError> {
        cell.command.args(arguments);
        Ok(sandbox::capture(cell, ASK_LIMIT, cancel).await?)
    }

    /// A `git` for a work tree that was written from the mirror.
    pub(super) async fn at_work(&self, remote: &Remote, work: &WorkTree) -> Result<Cell, GitError> {
        let wall = Wall::new(&work.dir).write(&work.top).write(&work.index);
        let mut cell = self.cell(remote, self.reading(remote, wall)?).await?;
        cell.command.env("GIT_DIR", self.mirror(remote)).env("GIT_WORK_TREE", &work.dir);
        cell.command.env("GIT_INDEX_FILE", work.index.join("index"));
        Ok(cell)
    }

    /// Waits for the lock of a repository's mirror.
    pub(super) async fn lock(&self, remote: &Remote, cancel: &CancellationToken) -> Result<File, GitError> {
        let dir = self.dir();
        private_dir(&dir).map_err(|error| failed_at(&dir, &error))?;
        Ok(files::lock(&self.mirror(remote).with_extension("lock"), cancel).await?)
    }

    async fn resolve_abbreviated(
        &self,
        remote: &Remote,
        version: &str,
        cancel: &CancellationToken,
    ) -> Result<String, GitError> {
        let _lock = self.lock(remote, cancel).await?;
        self.make_mirror(remote, cancel).await?;
        // The abbreviated hash may match another commit too, so the mirror must be up to date.
        self.fetch(remote, BRANCHES_AND_TAGS, cancel).await?;
        let mut cell = self.git(remote, Use::Read).await?;
        cell.command.args(["rev-parse", "--verify", "--end-of-options", &format!("{version}^{{commit}}")]);
        let output = sandbox::capture(cell, ASK_LIMIT, cancel).await?;
        match output.stdout.trim() {
            commit if output.success && is_hash(commit, 40..=40) => Ok(commit.to_owned()),
            _ if output.stderr.contains("ambiguous") => Err(GitError::Permanent(format!(
                "{}: several commits of {} begin with «{version}»: write more of it",
                remote.name(),
                remote.shown()
            ))),
            _ => Err(unknown(remote, version)),
        }
    }

    async fn has(&self, remote: &Remote, commit: &str, cancel: &CancellationToken) -> Result<bool, GitError> {
        self.make_mirror(remote, cancel).await?;
        let mut cell = self.git(remote, Use::Read).await?;
        cell.command.args(["cat-file", "-e", &format!("{commit}^{{commit}}")]);
        Ok(sandbox::capture(cell, ASK_LIMIT, cancel).await?.success)
    }

    async fn make_mirror(&self, remote: &Remote, cancel: &CancellationToken) -> Result<(), GitError> {
        let mirror = self.mirror(remote);
        if mirror.join("HEAD").is_file() {
            return Ok(());
        }
        let mut cell = self.git(remote, Use::Make).await?;
        cell.command.args(["init", "--quiet", "--bare"]);
        let output = sandbox::capture(cell, ASK_LIMIT, cancel).await;
        self.take_back(remote)?;
        succeeded(output?, remote)
    }

    /// Fetches refs by these refspecs.
    async fn fetch(&self, remote: &Remote, kinds: &[&str], cancel: &CancellationToken) -> Result<(), GitError> {
        let mut output = self.fetch_once(remote, kinds, cancel).await?;
        if !output.success && is_damaged(&output.stderr) {
            // A killed git or a full disk damaged the mirror. Everything in it can be fetched again, so make a new one.
            let mirror = self.mirror(remote);
            tokio::fs::remove_dir_all(&mirror).await.map_err(|error| failed_at(&mirror, &error))?;
            self.make_mirror(remote, cancel).await?;
            output = self.fetch_once(remote, kinds, cancel).await?;
        }
        succeeded(output, remote)
    }

    async fn fetch_once(
        &self,
        remote: &Remote,
        kinds: &[&str],
        cancel: &CancellationToken,
    ) -> Result<Output, GitError> {
        let mut cell = self.git(remote, Use::Fetch).await?;
        cell.command.args(["fetch", "--quiet", "--prune", "--force", "--no-tags", "--", "origin"]).args(kinds);
        let output = sandbox::capture(cell, FETCH_LIMIT, cancel).await;
        self.take_back(remote)?;
        Ok(output?)
    }

    async fn fetch_commit(&self, remote: &Remote, commit: &str, cancel: &CancellationToken) -> Result<(), GitError> {
        let mut cell = self.git(remote, Use::Fetch).await?;
        cell.command.args(["fetch", "--quiet", "--no-tags", "--", "origin", commit]);
        let output = sandbox::capture(cell, FETCH_LIMIT, cancel).await;
        self.take_back(remote)?;
        let output = output?;
        if output.success {
            return Ok(());
        }
        // The repository has just answered, so this answer is about the commit.
        let is_missing = ["not our ref", "no such remote ref", "couldn't find remote ref", "unadvertised object"];
        match is_missing.iter().any(|words| output.stderr.contains(words)) {
            true => Err(unknown(remote, commit)),
            false => Err(remote.explain(&output.stderr)),
        }
    }

    /// A `git` on the mirror.
    pub(super) async fn git(&self, remote: &Remote, kind: Use) -> Result<Cell, GitError> {
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
    fn asking(&self, remote: &Remote, wall: Wall) -> Wall {
        match remote.local_path() {
            Some(path) if path.exists() => wall.show(path),
            Some(_) => wall,
            None => wall.reach(Network::Public),
        }
    }

    /// A `git` behind this wall. The URL is passed in the environment, which only its user can read.
    async fn cell(&self, remote: &Remote, wall: Wall) -> Result<Cell, GitError> {
        let dir = self.dir();
        private_dir(&dir).map_err(|error| failed_at(&dir, &error))?;
        let config = dir.join("config");
        if std::fs::read(&config).ok().as_deref() != Some(CONFIG.as_bytes()) {
            std::fs::write(&config, CONFIG).map_err(|error| failed_at(&config, &error))?;
        }
        let mut cell = self.sandbox.cell(&self.account, "git", &wall.copy(&config)).await?;
        let command = &mut cell.command;
        command.env("GIT_CONFIG_GLOBAL", config);
        command.env("GIT_TERMINAL_PROMPT", "0").env("GIT_ALLOW_PROTOCOL", "https:http:ssh:git:file");
        command.env("GIT_SSH_COMMAND", "ssh -o BatchMode=yes -o ConnectTimeout=20");
        let settings = remote.settings();
        command.env("GIT_CONFIG_COUNT", settings.len().to_string());
        for (index, (key, value)) in settings.iter().enumerate() {
            command.env(format!("GIT_CONFIG_KEY_{index}"), key).env(format!("GIT_CONFIG_VALUE_{index}"), value);
        }
        Ok(cell)
    }

    /// Makes the mirror this program's own again, once a git has written it.
    fn take_back(&self, remote: &Remote) -> Result<(), GitError> {
        let mirror = self.mirror(remote);
        sandbox::take_back(&mirror).map_err(|error| failed_at(&mirror, &error))
    }

    fn mirror(&self, remote: &Remote) -> PathBuf {
        let hash = hex::encode(Sha256::digest(remote.address()));
        self.dir().join(hash.get(..32).unwrap_or(&hash)).with_extension("git")
    }

    fn dir(&self) -> PathBuf {
        self.cache_dir.join("git")
    }
}

/// An error of the operating system as a transient error, with the path it is about.
pub(super) fn failed_at(path: &Path, error: &io::Error) -> GitError {
    GitError::Transient(format!("{}: {error}", path.display()))
}

fn remove_dir(dir: &Path) -> io::Result<()> {
    match std::fs::remove_dir_all(dir) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        Ok(()) | Err(_) => Ok(()),
    }
}

fn succeeded(output: Output, remote: &Remote) -> Result<(), GitError> {
    if output.success { Ok(()) } else { Err(remote.explain(&output.stderr)) }
}

fn unknown(remote: &Remote, version: &str) -> GitError {
    let (name, shown) = (remote.name(), remote.shown());
    GitError::Permanent(format!("{name}: {shown} has no branch, tag or commit «{version}»"))
}

/// The commit that `ls-remote` lists for a name; for an annotated tag, the commit under `^{}`.
fn find(listed: &str, name: &str) -> Option<String> {
    let get = |wanted: &str| {
        let rows = listed.lines().filter_map(|line| line.split_once('\t'));
        rows.filter(|(hash, found)| *found == wanted && is_hash(hash, 40..=40)).map(|(hash, _)| hash.to_owned()).next()
    };
    get(&format!("{name}^{{}}")).or_else(|| get(name))
}

fn is_hash(text: &str, lengths: std::ops::RangeInclusive<usize>) -> bool {
    lengths.contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Whether git accepts the text as a name of a ref: no patterns, no revision expressions.
fn is_reference(version: &str) -> bool {
    let is_bad = |character: char| character.is_control() || " ~^:?*[\\".contains(character);
    (1..=255).contains(&version.len())
        && !version.starts_with('-')
        && !version.contains("..")
        && !version.contains(is_bad)
}

fn is_damaged(stderr: &str) -> bool {
    [".lock': File exists", "bad object", "object file", "corrupt", "not a git repository: "]
        .iter()
        .any(|w| stderr.contains(w))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_the_commit_behind_an_annotated_tag() {
        let (tag, commit) = ("a".repeat(40), "b".repeat(40));
        let listed = format!("{tag}\trefs/tags/v1\n{commit}\trefs/tags/v1^{{}}\n{tag}\trefs/tags/other/v1\n");
        assert_eq!(find(&listed, "refs/tags/v1"), Some(commit));
        assert_eq!(find(&listed, "refs/tags/other/v1"), Some(tag));
        assert_eq!(find(&listed, "refs/heads/v1"), None);
    }

    #[test]
    fn a_pattern_or_an_option_is_no_reference() {
        for good in ["master", "open-release/ginkgo.1", "refs/pull/7/head", "ünïcode", "HEAD"] {
            assert!(is_reference(good), "{good}");
        }
        for bad in ["", "-x", "a b", "a..b", "*", "a^", "a:b", "a[b]", "line\nend"] {
            assert!(!is_reference(bad), "{bad}");
        }
    }
}

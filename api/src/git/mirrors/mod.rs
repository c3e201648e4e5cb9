//! Git repositories and mirrors: resolves names to commits, writes a commit's files. [`super::checkout`] combines them.
//!
//! Each repository has a bare mirror in the cache, which is fetched only if it lacks a commit. A name is always
//! resolved at the repository itself, because it may point elsewhere by now.

mod cells;
mod names;

use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

pub(super) use cells::{Use, WorkTree};

use super::credentials::Credentials;
use super::entry::Entry;
use super::port::{GitError, Progress};
use super::remote::Remote;
use super::sources::{NotAllowed, Sources};
use crate::platform::command::Output;
use crate::platform::files::{self, private_dir};
use crate::platform::removal::{self, remove_tree};
use crate::platform::sandbox::{self, Account, Cell, Sandbox, Wall};
use names::{find, is_hash, is_reference};

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

/// The mirrors in a cache directory, and operations on them. Each git runs behind a wall, with a network only if it asks
/// a server.
#[derive(Debug)]
pub(super) struct Mirrors<'a> {
    cache_dir: &'a Path,
    sources: &'a Sources,
    credentials: &'a dyn Credentials,
    sandbox: &'a Sandbox,
    account: Arc<Account>,
}

impl<'a> Mirrors<'a> {
    pub(super) async fn new(
        cache_dir: &'a Path,
        sources: &'a Sources,
        credentials: &'a dyn Credentials,
        sandbox: &'a Sandbox,
    ) -> Result<Self, GitError> {
        Ok(Self { cache_dir, sources, credentials, sandbox, account: sandbox.account().await? })
    }

    /// The repository, with its credentials, if configuration may come from it.
    pub(super) async fn admit(&self, remote: Remote) -> Result<Remote, GitError> {
        self.sources.allows(remote.address()).map_err(|NotAllowed(words)| GitError::Permanent(words))?;
        let credential = self.credentials.find(remote.address()).await.map_err(GitError::Transient)?;
        remote.authorize(credential, &self.dir())
    }

    /// The commit that a branch, tag or commit is now. A full hash is returned without asking the repository.
    pub(super) async fn resolve(
        &self,
        repository: &str,
        version: &str,
        cancel: &CancellationToken,
    ) -> Result<String, GitError> {
        let remote = Remote::parse(repository)?;
        if is_hash(version, 40..=40) {
            self.sources.allows(remote.address()).map_err(|NotAllowed(words)| GitError::Permanent(words))?;
            return Ok(version.to_ascii_lowercase());
        }
        let remote = self.admit(remote).await?;
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
        let made = remove_tree(index).and_then(|()| private_dir(index));
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
            commit if output.success && is_hash(commit, 40..=40) => {
                self.on_branch_or_tag(remote, commit, version, cancel).await
            }
            _ if output.stderr.contains("ambiguous") => Err(GitError::Permanent(format!(
                "{}: several commits of {} begin with «{version}»: write more of it",
                remote.name(),
                remote.shown()
            ))),
            _ => Err(unknown(remote, version)),
        }
    }

    /// The commit, if a branch or tag has it: the mirror also holds commits of forks and pull requests, which were
    /// fetched by their whole hash, and anybody may have made those.
    async fn on_branch_or_tag(
        &self,
        remote: &Remote,
        commit: &str,
        version: &str,
        cancel: &CancellationToken,
    ) -> Result<String, GitError> {
        let list = ["for-each-ref", "--count=1", "--contains", commit, "refs/heads/", "refs/tags/"];
        let refs = self.ask(self.git(remote, Use::Read).await?, &list, cancel).await?;
        let is_there = refs.success && !refs.stdout.trim().is_empty();
        if is_there { Ok(commit.to_owned()) } else { Err(unknown(remote, version)) }
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
        self.take_back(remote).await?;
        succeeded(output?, remote)
    }

    /// Fetches refs by these refspecs.
    async fn fetch(&self, remote: &Remote, kinds: &[&str], cancel: &CancellationToken) -> Result<(), GitError> {
        let mut output = self.fetch_once(remote, kinds, cancel).await?;
        if !output.success && is_damaged(&output.stderr) {
            // A killed git or a full disk damaged the mirror. Everything in it can be fetched again, so make a new one.
            let mirror = self.mirror(remote);
            removal::remove(mirror.clone()).await.map_err(|error| failed_at(&mirror, &error))?;
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
        self.take_back(remote).await?;
        Ok(output?)
    }

    async fn fetch_commit(&self, remote: &Remote, commit: &str, cancel: &CancellationToken) -> Result<(), GitError> {
        let mut cell = self.git(remote, Use::Fetch).await?;
        cell.command.args(["fetch", "--quiet", "--no-tags", "--", "origin", commit]);
        let output = sandbox::capture(cell, FETCH_LIMIT, cancel).await;
        self.take_back(remote).await?;
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
}

/// An error of the operating system as a transient error, with the path it is about.
pub(super) fn failed_at(path: &Path, error: &io::Error) -> GitError {
    GitError::Transient(format!("{}: {error}", path.display()))
}

fn succeeded(output: Output, remote: &Remote) -> Result<(), GitError> {
    if output.success { Ok(()) } else { Err(remote.explain(&output.stderr)) }
}

fn unknown(remote: &Remote, version: &str) -> GitError {
    let (name, shown) = (remote.name(), remote.shown());
    GitError::Permanent(format!("{name}: {shown} has no branch, tag or commit «{version}»"))
}

fn is_damaged(stderr: &str) -> bool {
    [".lock': File exists", "bad object", "object file", "corrupt", "not a git repository: "]
        .iter()
        .any(|w| stderr.contains(w))
}

//! Repositories: what a branch or tag is now, and the files of a commit. [`super::checkout`] puts them together.
//!
//! Each repository has a bare mirror in the cache, which is fetched only when it lacks a commit. A name is always asked of the
//! repository itself, because it moves.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use sha2::{Digest as _, Sha256};
use tokio::process::Command;
use tokio_util::sync::CancellationToken;

use super::entry::Entry;
use super::port::{GitError, Progress};
use super::remote::Remote;
use crate::platform::command::{self, Output};
use crate::platform::files::{self, private_dir};

/// So long a question to a repository may take.
const ASK_LIMIT: Duration = Duration::from_secs(60);

/// So long a clone or fetch may take.
const FETCH_LIMIT: Duration = Duration::from_secs(15 * 60);

/// The references that people name.
const BRANCHES_AND_TAGS: &[&str] = &["+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*"];

/// Every reference, for a commit that no branch or tag holds: a pull request's head, for example.
const EVERYTHING: &[&str] = &["+refs/*:refs/*"];

/// So long, in bytes, the list of a commit's files may be.
const LIST_LIMIT: u64 = 64 << 20;

/// What `git` is told besides a person's own settings. An empty helper forgets the helpers before it.
const CONFIG: &str = "\
[include]
\tpath = ~/.gitconfig
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

/// The mirrors in a cache, and the `git` that works on them.
#[derive(Debug)]
pub(super) struct Mirrors<'a> {
    cache_dir: &'a Path,
}

impl<'a> Mirrors<'a> {
    pub(super) fn new(cache_dir: &'a Path) -> Self {
        Self { cache_dir }
    }

    /// The commit a branch, tag or commit is now. A full hash is itself, and not asked for.
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
        let mut command = self.git(&remote)?;
        // It needs no mirror, and must find no other repository around it.
        command.env_remove("GIT_DIR").env("GIT_CEILING_DIRECTORIES", self.cache_dir).current_dir(self.dir());
        command.args(["ls-remote", "--quiet", "--", "origin"]).args(&names).args(peeled);
        let output = command::capture(command, ASK_LIMIT, cancel).await?;
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

    /// Sees to it that the mirror has a commit, given by its full hash. The mirror's lock must be held.
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
        // Not on a branch or under a tag: a pull request's, for example.
        match self.fetch_commit(remote, commit, cancel).await {
            // Many servers give no commit by its hash, though a reference of another kind holds it.
            Err(GitError::Permanent(_)) => {
                self.fetch(remote, EVERYTHING, cancel).await?;
                if self.has(remote, commit, cancel).await? { Ok(()) } else { Err(unknown(remote, commit)) }
            }
            done => done,
        }
    }

    /// Writes the files of a commit to `work_tree`, and their index to a file of its own.
    pub(super) async fn write_files(
        &self,
        remote: &Remote,
        commit: &str,
        (work_tree, index): (&Path, &Path),
        cancel: &CancellationToken,
    ) -> Result<(), GitError> {
        drop(std::fs::remove_file(index));
        let mut command = self.at_work(remote, work_tree, index)?;
        command.args(["read-tree", "--reset", "-u", commit]);
        succeeded(command::capture(command, FETCH_LIMIT, cancel).await?, remote)
    }

    /// Every file, link and submodule of a commit.
    pub(super) async fn entries(
        &self,
        remote: &Remote,
        commit: &str,
        cancel: &CancellationToken,
    ) -> Result<Vec<Entry>, GitError> {
        let mut command = self.git(remote)?;
        command.args(["ls-tree", "-r", "-z", "-l", "--full-tree", commit]);
        let output = command::capture_up_to(LIST_LIMIT, command, FETCH_LIMIT, cancel).await?;
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

    /// What git says to a question about a commit of the mirror, or about files that were written.
    pub(super) async fn ask(
        &self,
        mut command: Command,
        arguments: &[&str],
        cancel: &CancellationToken,
    ) -> Result<Output, GitError> {
        command.args(arguments);
        Ok(command::capture(command, ASK_LIMIT, cancel).await?)
    }

    /// A `git` that works on files that were written from the mirror.
    pub(super) fn at_work(&self, remote: &Remote, work_tree: &Path, index: &Path) -> Result<Command, GitError> {
        let mut command = self.git(remote)?;
        command.env("GIT_WORK_TREE", work_tree).env("GIT_INDEX_FILE", index).current_dir(work_tree);
        Ok(command)
    }

    /// The lock of a repository's mirror.
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
        // The same beginning may have come to stand for another commit too, so the mirror must be up to date.
        self.fetch(remote, BRANCHES_AND_TAGS, cancel).await?;
        let mut command = self.git(remote)?;
        command.args(["rev-parse", "--verify", "--end-of-options", &format!("{version}^{{commit}}")]);
        let output = command::capture(command, ASK_LIMIT, cancel).await?;
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
        let mut command = self.git(remote)?;
        command.args(["cat-file", "-e", &format!("{commit}^{{commit}}")]);
        Ok(command::capture(command, ASK_LIMIT, cancel).await?.success)
    }

    async fn make_mirror(&self, remote: &Remote, cancel: &CancellationToken) -> Result<(), GitError> {
        let mirror = self.mirror(remote);
        if mirror.join("HEAD").is_file() {
            return Ok(());
        }
        let mut command = self.git(remote)?;
        command.args(["init", "--quiet", "--bare"]);
        succeeded(command::capture(command, ASK_LIMIT, cancel).await?, remote)
    }

    /// Fetches references of these kinds.
    async fn fetch(&self, remote: &Remote, kinds: &[&str], cancel: &CancellationToken) -> Result<(), GitError> {
        let mut output = self.fetch_once(remote, kinds, cancel).await?;
        if !output.success && is_damaged(&output.stderr) {
            // What a killed git left, or a full disk: nothing is in a mirror that cannot be fetched again.
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
        let mut command = self.git(remote)?;
        command.args(["fetch", "--quiet", "--prune", "--force", "--no-tags", "--", "origin"]).args(kinds);
        Ok(command::capture(command, FETCH_LIMIT, cancel).await?)
    }

    async fn fetch_commit(&self, remote: &Remote, commit: &str, cancel: &CancellationToken) -> Result<(), GitError> {
        let mut command = self.git(remote)?;
        command.args(["fetch", "--quiet", "--no-tags", "--", "origin", commit]);
        let output = command::capture(command, FETCH_LIMIT, cancel).await?;
        if output.success {
            return Ok(());
        }
        // The repository just answered, so what it says now is about the commit.
        let is_missing = ["not our ref", "no such remote ref", "couldn't find remote ref", "unadvertised object"];
        match is_missing.iter().any(|words| output.stderr.contains(words)) {
            true => Err(unknown(remote, commit)),
            false => Err(remote.explain(&output.stderr)),
        }
    }

    /// A `git` that works on the mirror and asks no server. The address is told by the environment, where only this user
    /// sees it.
    pub(super) fn git(&self, remote: &Remote) -> Result<Command, GitError> {
        let dir = self.dir();
        private_dir(&dir).map_err(|error| failed_at(&dir, &error))?;
        let config = dir.join("config");
        if std::fs::read(&config).ok().as_deref() != Some(CONFIG.as_bytes()) {
            std::fs::write(&config, CONFIG).map_err(|error| failed_at(&config, &error))?;
        }
        let mut command = command::command("git");
        if std::env::var_os("HOME").is_none() {
            // A service may have none, and `~` in the configuration must lead somewhere.
            command.env("HOME", &dir);
        }
        command.env("GIT_DIR", self.mirror(remote)).env("GIT_CONFIG_GLOBAL", config);
        command.env("GIT_TERMINAL_PROMPT", "0").env("GIT_ALLOW_PROTOCOL", "https:http:ssh:git:file");
        command.env("GIT_SSH_COMMAND", "ssh -o BatchMode=yes -o ConnectTimeout=20");
        let settings = remote.settings();
        command.env("GIT_CONFIG_COUNT", settings.len().to_string());
        for (index, (key, value)) in settings.iter().enumerate() {
            command.env(format!("GIT_CONFIG_KEY_{index}"), key).env(format!("GIT_CONFIG_VALUE_{index}"), value);
        }
        Ok(command)
    }

    fn mirror(&self, remote: &Remote) -> PathBuf {
        let hash = hex::encode(Sha256::digest(remote.address()));
        self.dir().join(hash.get(..32).unwrap_or(&hash)).with_extension("git")
    }

    fn dir(&self) -> PathBuf {
        self.cache_dir.join("git")
    }
}

/// An error of the system, which may go away, with the path it is about.
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

/// The commit `ls-remote` gives for a name; that of an annotated tag is behind `^{}`.
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

/// What git can take as a name: nothing that is a pattern or an expression.
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

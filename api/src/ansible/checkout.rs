//! Repositories: what a branch or tag is now, and the files of a commit.
//!
//! Each repository has a bare mirror in the cache, which is fetched only when it lacks a commit. A name is always asked of the
//! repository itself, because it moves.

use std::path::{Path, PathBuf};
use std::time::Duration;

use sha2::{Digest as _, Sha256};
use tokio::process::Command;
use tokio_util::sync::CancellationToken;

use super::command::{self, Output, Printer, failed_at};
use super::lock::lock;
use super::port::AnsibleError;
use super::remote::Remote;
use super::run_dir::{RunDir, private_dir};

/// So long a question to a repository may take.
const ASK_LIMIT: Duration = Duration::from_secs(60);

/// So long a clone or fetch may take.
const FETCH_LIMIT: Duration = Duration::from_secs(15 * 60);

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
[gc]
\tauto = 0
[maintenance]
\tauto = false
";

/// Runs `git` with a cache.
#[derive(Debug)]
pub(super) struct Git<'a> {
    cache_dir: &'a Path,
}

impl<'a> Git<'a> {
    pub(super) fn new(cache_dir: &'a Path) -> Self {
        Self { cache_dir }
    }

    /// The commit a branch, tag or commit is now. A full hash is itself, and not asked for.
    pub(super) async fn resolve(
        &self,
        repository: &str,
        version: &str,
        cancel: &CancellationToken,
    ) -> Result<String, AnsibleError> {
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

    /// Writes the files of a commit, given by its full hash, to the run's checkout.
    pub(super) async fn check_out(
        &self,
        repository: &str,
        commit: &str,
        dir: &RunDir,
        cancel: &CancellationToken,
        printer: &mut Printer<'_>,
    ) -> Result<(), AnsibleError> {
        let remote = Remote::parse(repository)?;
        let mirror = self.mirror(&remote);
        let _lock = lock(&mirror.with_extension("lock"), cancel).await?;
        if !self.has(&remote, commit, cancel).await? {
            printer.say(format!("Fetching {}", remote.shown())).await?;
            self.fetch(&remote, cancel).await?;
            if !self.has(&remote, commit, cancel).await? {
                // Not on a branch or under a tag: a pull request's, for example.
                self.fetch_commit(&remote, commit, cancel).await?;
            }
        }
        printer.say(format!("Checking out {} at {commit}", remote.shown())).await?;
        self.write_files(&remote, commit, dir, cancel).await
    }

    async fn write_files(
        &self,
        remote: &Remote,
        commit: &str,
        dir: &RunDir,
        cancel: &CancellationToken,
    ) -> Result<(), AnsibleError> {
        let (checkout, index) = (dir.checkout(), dir.join("index"));
        if checkout.exists() {
            tokio::fs::remove_dir_all(&checkout).await.map_err(|error| failed_at(&checkout, &error))?;
        }
        private_dir(&checkout).map_err(|error| failed_at(&checkout, &error))?;
        drop(std::fs::remove_file(&index));
        let mut command = self.git(remote)?;
        command.arg("--work-tree").arg(&checkout).args(["read-tree", "--reset", "-u", commit]);
        command.env("GIT_INDEX_FILE", &index).current_dir(&checkout);
        let output = command::capture(command, FETCH_LIMIT, cancel).await?;
        drop(std::fs::remove_file(&index));
        succeeded(output, remote)
    }

    async fn resolve_abbreviated(
        &self,
        remote: &Remote,
        version: &str,
        cancel: &CancellationToken,
    ) -> Result<String, AnsibleError> {
        let _lock = lock(&self.mirror(remote).with_extension("lock"), cancel).await?;
        self.make_mirror(remote, cancel).await?;
        // The same beginning may have come to stand for another commit too, so the mirror must be up to date.
        self.fetch(remote, cancel).await?;
        let mut command = self.git(remote)?;
        command.args(["rev-parse", "--verify", "--end-of-options", &format!("{version}^{{commit}}")]);
        let output = command::capture(command, ASK_LIMIT, cancel).await?;
        match output.stdout.trim() {
            commit if output.success && is_hash(commit, 40..=40) => Ok(commit.to_owned()),
            _ if output.stderr.contains("ambiguous") => Err(AnsibleError::Permanent(format!(
                "{}: several commits of {} begin with «{version}»: write more of it",
                remote.name(),
                remote.shown()
            ))),
            _ => Err(unknown(remote, version)),
        }
    }

    async fn has(&self, remote: &Remote, commit: &str, cancel: &CancellationToken) -> Result<bool, AnsibleError> {
        self.make_mirror(remote, cancel).await?;
        let mut command = self.git(remote)?;
        command.args(["cat-file", "-e", &format!("{commit}^{{commit}}")]);
        Ok(command::capture(command, ASK_LIMIT, cancel).await?.success)
    }

    async fn make_mirror(&self, remote: &Remote, cancel: &CancellationToken) -> Result<(), AnsibleError> {
        let mirror = self.mirror(remote);
        if mirror.join("HEAD").is_file() {
            return Ok(());
        }
        let mut command = self.git(remote)?;
        command.args(["init", "--quiet", "--bare"]);
        succeeded(command::capture(command, ASK_LIMIT, cancel).await?, remote)
    }

    /// Fetches branches and tags.
    async fn fetch(&self, remote: &Remote, cancel: &CancellationToken) -> Result<(), AnsibleError> {
        let mut output = self.fetch_once(remote, cancel).await?;
        if !output.success && is_damaged(&output.stderr) {
            // What a killed git left, or a full disk: nothing is in a mirror that cannot be fetched again.
            let mirror = self.mirror(remote);
            tokio::fs::remove_dir_all(&mirror).await.map_err(|error| failed_at(&mirror, &error))?;
            self.make_mirror(remote, cancel).await?;
            output = self.fetch_once(remote, cancel).await?;
        }
        succeeded(output, remote)
    }

    async fn fetch_once(&self, remote: &Remote, cancel: &CancellationToken) -> Result<Output, AnsibleError> {
        let mut command = self.git(remote)?;
        command.args(["fetch", "--quiet", "--prune", "--force", "--no-tags", "--", "origin"]);
        command.args(["+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*"]);
        command::capture(command, FETCH_LIMIT, cancel).await
    }

    async fn fetch_commit(
        &self,
        remote: &Remote,
        commit: &str,
        cancel: &CancellationToken,
    ) -> Result<(), AnsibleError> {
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

    /// A `git` that works on the mirror and asks nobody. The address is told by the environment, where only this user
    /// sees it.
    fn git(&self, remote: &Remote) -> Result<Command, AnsibleError> {
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

fn succeeded(output: Output, remote: &Remote) -> Result<(), AnsibleError> {
    if output.success { Ok(()) } else { Err(remote.explain(&output.stderr)) }
}

fn unknown(remote: &Remote, version: &str) -> AnsibleError {
    let (name, shown) = (remote.name(), remote.shown());
    AnsibleError::Permanent(format!("{name}: {shown} has no branch, tag or commit «{version}»"))
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

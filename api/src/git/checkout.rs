//! Checks out a commit with its submodules, recursively, each at the commit that its parent records.
//!
//! Contents that git alone cannot provide (Git LFS, git-annex, filters) are refused: [`super::unfollowed`].

use std::path::{Path, PathBuf};

use tokio_util::sync::CancellationToken;

use super::entry::{Entry, EntryKind};
use super::mirrors::{Mirrors, WorkTree, failed_at};
use super::port::{GitError, Progress};
use super::remote::Remote;
use super::submodules::{self, Module};
use super::unfollowed;
use crate::platform::files::private_dir;
use crate::platform::removal;

/// The maximum number of submodules of a checkout, including nested ones.
const MOST_SUBMODULES: usize = 100;

/// The maximum nesting depth of submodules.
const DEEPEST: usize = 10;

/// A repository to check out at a commit.
struct Part {
    remote: Remote,
    commit: String,
    /// The path from the top of the checkout; empty for the repository itself.
    path: String,
    depth: usize,
}

/// Writes the files of a commit, given by its full hash, to `checkout`, replacing its contents.
pub(super) async fn check_out(
    git: &Mirrors<'_>,
    (repository, commit): (&str, &str),
    checkout: &Path,
    cancel: &CancellationToken,
    progress: &mut dyn Progress,
) -> Result<(), GitError> {
    removal::remove(checkout.to_owned()).await.map_err(|error| failed_at(checkout, &error))?;
    private_dir(checkout).map_err(|error| failed_at(checkout, &error))?;
    let remote = git.admit(Remote::parse(repository)?).await?;
    let top = Part { remote, commit: commit.to_owned(), path: String::new(), depth: 0 };
    let (name, mut count) = (top.remote.name().to_owned(), 0);
    let mut parts = vec![top];
    while let Some(part) = parts.pop() {
        let within = write(git, &part, checkout, cancel, progress).await.map_err(|error| part.explain(&name, error))?;
        count += within.len();
        if count > MOST_SUBMODULES {
            let message = format!("{name}: the repository has more than {MOST_SUBMODULES} submodules");
            return Err(GitError::Permanent(message));
        }
        parts.extend(within);
    }
    Ok(())
}

/// Writes the files of one repository, and returns its submodules.
async fn write(
    git: &Mirrors<'_>,
    part: &Part,
    checkout: &Path,
    cancel: &CancellationToken,
    progress: &mut dyn Progress,
) -> Result<Vec<Part>, GitError> {
    let dir = place(checkout, &part.path)?;
    let work = WorkTree { top: checkout.to_owned(), dir, index: checkout.with_file_name("index") };
    // Released before the submodules are checked out: one of them may be of the same repository.
    let _lock = git.lock(&part.remote, cancel).await?;
    git.obtain(&part.remote, &part.commit, cancel, progress).await?;
    let what = if part.path.is_empty() { String::new() } else { format!("the submodule {} from ", part.path) };
    progress
        .say(format!("Checking out {what}{} at {}", part.remote.shown(), part.commit))
        .await
        .map_err(GitError::Refused)?;
    git.write_files(&part.remote, &part.commit, &work, cancel).await?;
    let entries = git.entries(&part.remote, &part.commit, cancel).await?;
    let followed = unfollowed::check(git, &part.remote, &entries, &work, cancel).await;
    drop(removal::remove(work.index.clone()).await);
    followed?;
    submodules_of(git, part, &entries, cancel, progress).await
}

async fn submodules_of(
    git: &Mirrors<'_>,
    part: &Part,
    entries: &[Entry],
    cancel: &CancellationToken,
    progress: &mut dyn Progress,
) -> Result<Vec<Part>, GitError> {
    let links: Vec<&Entry> = entries.iter().filter(|entry| entry.kind == EntryKind::Submodule).collect();
    if links.is_empty() {
        return Ok(Vec::new());
    }
    let modules = submodules::read(git, &part.remote, &part.commit, entries, cancel).await?;
    let mut parts = Vec::new();
    for link in links {
        let path = if part.path.is_empty() { link.path.clone() } else { format!("{}/{}", part.path, link.path) };
        let permanent = |why: &str| Err(GitError::Permanent(format!("the submodule {path} {why}")));
        let Some(Module { url, is_skipped, .. }) = modules.iter().find(|module| module.path == link.path) else {
            return permanent(
                "has no entry in .gitmodules, so its repository is not known: add it there, or remove it",
            );
        };
        if *is_skipped {
            progress
                .say(format!("Leaving out the submodule {path}: .gitmodules says “update = none”"))
                .await
                .map_err(GitError::Refused)?;
            continue;
        }
        if part.depth == DEEPEST {
            return permanent(&format!("is nested deeper than {DEEPEST} submodules"));
        }
        let Some(url) = url else { return permanent("has no url in .gitmodules") };
        let remote = match part.remote.submodule(url) {
            Ok(remote) => match git.admit(remote).await {
                Ok(remote) => remote,
                Err(GitError::Permanent(words)) => return permanent(&format!("cannot be checked out: {words}")),
                Err(error) => return Err(error),
            },
            Err(error) => return permanent(&format!("cannot be checked out: {error}")),
        };
        parts.push(Part { remote, commit: link.hash.clone(), path, depth: part.depth + 1 });
    }
    Ok(parts)
}

impl Part {
    /// Adds the name of the requested repository and this part's path to an error.
    fn explain(&self, name: &str, error: GitError) -> GitError {
        let (path, commit) = (&self.path, &self.commit);
        let tell = |words: String| match path.as_str() {
            // The error is already about a nested submodule.
            _ if words.starts_with("the submodule ") => format!("{name}: {words}"),
            "" => words,
            _ => format!("{name}: the submodule {path} (commit {commit}) cannot be checked out: {words}"),
        };
        match error {
            GitError::Permanent(words) => GitError::Permanent(tell(words)),
            GitError::Transient(words) => GitError::Transient(tell(words)),
            other @ (GitError::Refused(_) | GitError::Cancelled) => other,
        }
    }
}

/// The directory for a submodule's files: a real directory of the checkout, reached through no symbolic link.
fn place(checkout: &Path, path: &str) -> Result<PathBuf, GitError> {
    let mut place = checkout.to_owned();
    for name in path.split('/').filter(|_| !path.is_empty()) {
        let is_plain = !matches!(name, "" | "." | "..") && !name.eq_ignore_ascii_case(".git");
        place.push(name);
        let is_dir = std::fs::symlink_metadata(&place).is_ok_and(|data| data.is_dir());
        if !is_plain || !is_dir {
            return Err(GitError::Permanent("its path is no directory of the repository".to_owned()));
        }
    }
    Ok(place)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_submodule_is_written_into_a_real_directory_only() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(dir.path().join("roles/shared/.git")).unwrap();
        std::os::unix::fs::symlink("/tmp", dir.path().join("link")).unwrap();
        let place = |path: &str| place(dir.path(), path);
        assert_eq!(place("").unwrap(), dir.path());
        assert_eq!(place("roles/shared").unwrap(), dir.path().join("roles/shared"));
        for bad in ["link", "link/x", "../x", "roles/../..", "/etc", "roles//shared", "roles/shared/.GIT", "none"] {
            assert!(matches!(place(bad), Err(GitError::Permanent(_))), "{bad}");
        }
    }
}

//! Writes embedded files as git repositories in the data directory.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::Path;

use rust_embed::RustEmbed;
use tokio::process::Command;

use super::StartError;
use crate::platform::sandbox;

/// The date of all commits.
const DATE: &str = "2026-01-01T00:00:00Z";

/// The files of a repository: path and content.
pub(super) type Files = BTreeMap<String, Cow<'static, [u8]>>;

/// All embedded files of `E`.
pub(super) fn files<E: RustEmbed>() -> Files {
    E::iter().filter_map(|name| Some((name.to_string(), E::get(&name)?.data))).collect()
}

/// Writes a repository with these files; if it differs from them, it gets a new commit on `master`.
///
/// # Errors
/// An error if a file cannot be written, or git fails.
pub(super) async fn write(dir: &Path, files: Files) -> Result<(), StartError> {
    std::fs::create_dir_all(dir)?;
    for (name, data) in files {
        let path = dir.join(name);
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent)?;
            std::fs::write(&path, &data)?;
        }
    }
    if !dir.join(".git").exists() {
        git(dir, &["init", "--quiet", "--initial-branch=master"]).await?;
    }
    git(dir, &["add", "--all"]).await?;
    commit(dir).await?;
    // Independent of this program's umask: runs read it as another user.
    Ok(sandbox::take_back(dir)?)
}

/// Points `master` at a commit of the index. The same files make the same commit on every host and in every year, so that a
/// commit that one host has pinned is found on all others. Earlier commits are kept.
async fn commit(dir: &Path) -> Result<(), StartError> {
    let tree = git(dir, &["write-tree"]).await?;
    let commit = git(dir, &["commit-tree", "-m", "The files of this version", tree.trim()]).await?;
    let before = git(dir, &["for-each-ref", "--format=%(objectname)", "refs/heads/master"]).await?;
    let (commit, before) = (commit.trim(), before.trim());
    if commit != before {
        if !before.is_empty() {
            git(dir, &["update-ref", &format!("refs/earlier/{before}"), before]).await?;
        }
        git(dir, &["update-ref", "refs/heads/master", commit]).await?;
    }
    Ok(())
}

async fn git(dir: &Path, arguments: &[&str]) -> Result<String, StartError> {
    let output = Command::new("git")
        .arg("-C")
        .arg(dir)
        .args([
            "-c",
            "user.name=ocim",
            "-c",
            "user.email=ocim@localhost",
            "-c",
            "commit.gpgsign=false",
            "-c",
            "core.hooksPath=/dev/null",
        ])
        .arg("-c")
        .arg(format!("safe.directory={}", dir.display()))
        .args(arguments)
        .env("GIT_AUTHOR_DATE", DATE)
        .env("GIT_COMMITTER_DATE", DATE)
        .output()
        .await
        .map_err(|error| format!("git could not be started ({error}); install the package git"))?;
    if output.status.success() {
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    } else {
        let words = String::from_utf8_lossy(&output.stderr);
        Err(format!("the repository {} could not be written: {}", dir.display(), words.trim()).into())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    async fn head(dir: &Path) -> String {
        git(dir, &["rev-parse", "master"]).await.unwrap().trim().to_owned()
    }

    #[tokio::test]
    async fn the_same_files_are_the_same_commit_on_every_host() {
        let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let files = |text: &'static str| Files::from([("a/b.yml".to_owned(), Cow::from(text.as_bytes()))]);
        write(one.path(), files("first")).await.unwrap();
        let first = head(one.path()).await;
        write(one.path(), files("second")).await.unwrap();
        let second = head(one.path()).await;
        write(other.path(), files("second")).await.unwrap();
        assert_eq!(head(other.path()).await, second, "also where there was an earlier version");
        assert_ne!(first, second);
        write(one.path(), files("second")).await.unwrap();
        assert_eq!(head(one.path()).await, second, "nothing has changed");
        let kept = git(one.path(), &["for-each-ref", "--format=%(objectname)", "refs/earlier"]).await.unwrap();
        assert_eq!(kept.trim(), first);
        assert_eq!(git(one.path(), &["status", "--porcelain"]).await.unwrap(), "");
    }
}

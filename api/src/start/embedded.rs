//! Writes embedded files as git repositories in the data directory.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::Path;

use rust_embed::RustEmbed;
use tokio::process::Command;

use super::StartError;
use crate::platform::sandbox;

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
    if !git(dir, &["status", "--porcelain"]).await?.is_empty() {
        git(dir, &["commit", "--quiet", "--message", "The files of this version"]).await?;
    }
    // Independent of this program's umask: runs read it as another user.
    Ok(sandbox::take_back(dir)?)
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

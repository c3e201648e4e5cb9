//! Git repositories in the data directory, written from what the program embeds.

use std::path::Path;

use rust_embed::RustEmbed;
use tokio::process::Command;

use super::StartError;

/// Writes a repository with the embedded files; one that differs from them gets a new commit on `master`.
///
/// # Errors
/// When a file cannot be written, or what git says.
pub(super) async fn write<E: RustEmbed>(dir: &Path) -> Result<(), StartError> {
    std::fs::create_dir_all(dir)?;
    for name in E::iter() {
        let path = dir.join(name.as_ref());
        if let (Some(parent), Some(file)) = (path.parent(), E::get(&name)) {
            std::fs::create_dir_all(parent)?;
            std::fs::write(&path, &file.data)?;
        }
    }
    if !dir.join(".git").exists() {
        git(dir, &["init", "--quiet", "--initial-branch=master"]).await?;
    }
    git(dir, &["add", "--all"]).await?;
    if !git(dir, &["status", "--porcelain"]).await?.is_empty() {
        git(dir, &["commit", "--quiet", "--message", "The files of this version"]).await?;
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

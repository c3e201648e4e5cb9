//! The demo's git repositories, written from what the program embeds: a configuration repository in small, with the same
//! entry points as edx/configuration, and an `edx-platform` to point at.

use std::path::{Path, PathBuf};

use rust_embed::RustEmbed;
use tokio::process::Command;

use super::StartError;

#[derive(RustEmbed)]
#[folder = "../ansible/demo"]
struct Configuration;

#[derive(RustEmbed)]
#[folder = "../ansible/demo-edx-platform"]
struct EdxPlatform;

/// Where the repositories are.
#[derive(Debug, Clone)]
pub(super) struct Demo {
    /// With the playbooks.
    pub configuration: PathBuf,
    /// With nothing but a commit to deploy.
    pub edx_platform: PathBuf,
}

impl Demo {
    /// In this data directory, whether or not they are written.
    pub(super) fn at(data_dir: &Path) -> Self {
        let dir = data_dir.join("demo");
        Self { configuration: dir.join("configuration"), edx_platform: dir.join("edx-platform") }
    }
}

/// The Python requirements of the demo's playbooks.
pub(super) fn requirements() -> String {
    Configuration::get("requirements.txt")
        .map(|file| String::from_utf8_lossy(&file.data).into_owned())
        .unwrap_or_default()
}

/// Writes both repositories; one that differs from what is embedded gets a new commit.
pub(super) async fn ensure(data_dir: &Path) -> Result<Demo, StartError> {
    let demo = Demo::at(data_dir);
    write::<Configuration>(&demo.configuration).await?;
    write::<EdxPlatform>(&demo.edx_platform).await?;
    Ok(demo)
}

async fn write<E: RustEmbed>(dir: &Path) -> Result<(), StartError> {
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
        git(dir, &["commit", "--quiet", "--message", "The demo of this version"]).await?;
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
        Err(format!("the demo repository {} could not be written: {}", dir.display(), words.trim()).into())
    }
}

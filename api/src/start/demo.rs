//! The demo's git repositories, written from what the program embeds: a configuration repository in small, with the same
//! entry points as edx/configuration, and an `edx-platform` to point at.

use std::path::{Path, PathBuf};

use rust_embed::RustEmbed;

use super::{StartError, embedded};

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
    embedded::write::<Configuration>(&demo.configuration).await?;
    embedded::write::<EdxPlatform>(&demo.edx_platform).await?;
    Ok(demo)
}

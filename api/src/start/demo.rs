//! The git repositories that the program brings along, written from what it embeds: a configuration repository in small, with the
//! same entry points as edx/configuration, an `edx-platform` to point at, and one for each folder of `ansible/examples`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use rust_embed::RustEmbed;

use super::StartError;
use super::embedded::{self, Files};

#[derive(RustEmbed)]
#[folder = "../ansible/demo"]
struct Configuration;

#[derive(RustEmbed)]
#[folder = "../ansible/demo-edx-platform"]
struct EdxPlatform;

#[derive(RustEmbed)]
#[folder = "../ansible/examples"]
struct Examples;

/// Where the repositories are.
#[derive(Debug, Clone)]
pub(super) struct Demo {
    /// With the playbooks.
    pub configuration: PathBuf,
    /// With nothing but a commit to deploy.
    pub edx_platform: PathBuf,
    /// With a repository for each example, under its name.
    pub examples: PathBuf,
}

impl Demo {
    /// In this data directory, whether or not they are written.
    pub(super) fn at(data_dir: &Path) -> Self {
        let dir = data_dir.join("demo");
        Self {
            configuration: dir.join("configuration"),
            edx_platform: dir.join("edx-platform"),
            examples: data_dir.join("examples"),
        }
    }
}

/// The Python requirements of the demo's playbooks.
pub(super) fn requirements() -> String {
    Configuration::get("requirements.txt")
        .map(|file| String::from_utf8_lossy(&file.data).into_owned())
        .unwrap_or_default()
}

/// Writes the repositories; one that differs from what is embedded gets a new commit.
pub(super) async fn ensure(data_dir: &Path) -> Result<Demo, StartError> {
    let demo = Demo::at(data_dir);
    embedded::write(&demo.configuration, embedded::files::<Configuration>()).await?;
    embedded::write(&demo.edx_platform, embedded::files::<EdxPlatform>()).await?;
    for (name, files) in examples() {
        embedded::write(&demo.examples.join(name), files).await?;
    }
    Ok(demo)
}

/// The files of each example, by the name of its folder.
fn examples() -> BTreeMap<String, Files> {
    let mut found: BTreeMap<String, Files> = BTreeMap::new();
    for (path, data) in embedded::files::<Examples>() {
        if let Some((name, path)) = path.split_once('/').filter(|_| !path.contains("__pycache__")) {
            found.entry(name.to_owned()).or_default().insert(path.to_owned(), data);
        }
    }
    found
}

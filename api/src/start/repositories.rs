//! The git repositories embedded in the program: a small configuration repository with the entry points of
//! edx/configuration, an `edx-platform` to point at, the playbooks for Tutor, and one repository for each folder of
//! `ansible/examples`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use rust_embed::RustEmbed;

use super::StartError;
use super::embedded::{self, Files};
use crate::applications::Repositories;

#[derive(RustEmbed)]
#[folder = "../ansible/demo"]
struct Configuration;

#[derive(RustEmbed)]
#[folder = "../ansible/demo-edx-platform"]
struct EdxPlatform;

#[derive(RustEmbed)]
#[folder = "../ansible/tutor"]
struct Tutor;

#[derive(RustEmbed)]
#[folder = "../ansible/examples"]
struct Examples;

/// The locations of the repositories in this data directory, whether they are written yet or not.
pub(super) fn at(data_dir: &Path) -> Repositories {
    let demo = data_dir.join("demo");
    Repositories {
        configuration: demo.join("configuration"),
        edx_platform: demo.join("edx-platform"),
        tutor: data_dir.join("tutor"),
        examples: data_dir.join("examples"),
    }
}

/// The directories of these repositories, from which configuration may always come.
pub(super) fn own(data_dir: &Path) -> Vec<PathBuf> {
    let Repositories { configuration, edx_platform, tutor, examples } = at(data_dir);
    vec![configuration, edx_platform, tutor, examples]
}

/// The Python requirements of the demo's playbooks.
pub(super) fn requirements() -> String {
    Configuration::get("requirements.txt")
        .map(|file| String::from_utf8_lossy(&file.data).into_owned())
        .unwrap_or_default()
}

/// Writes the repositories; one that differs from the embedded files gets a new commit.
pub(super) async fn ensure(data_dir: &Path) -> Result<Repositories, StartError> {
    let repositories = at(data_dir);
    embedded::write(&repositories.configuration, embedded::files::<Configuration>()).await?;
    embedded::write(&repositories.edx_platform, embedded::files::<EdxPlatform>()).await?;
    embedded::write(&repositories.tutor, embedded::files::<Tutor>()).await?;
    for (name, files) in examples() {
        embedded::write(&repositories.examples.join(name), files).await?;
    }
    Ok(repositories)
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

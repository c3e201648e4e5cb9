//! The backup archive: a tar file whose first member describes the others.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::super::StartError;

/// The version of the archive's format; increases with every change.
pub(super) const FORMAT: u32 = 1;
/// The name of the first member.
const MANIFEST: &str = "manifest.json";
/// The output of `pg_dump --format=custom`.
pub(super) const DUMP: &str = "database.dump";
/// The keys that encrypt secrets, one per line.
pub(super) const KEYS: &str = "keys";
/// The private SSH key that machines of earlier versions share; only while there is one.
pub(super) const PRIVATE_KEY: &str = "id_ed25519";
/// The public SSH key that belongs to [`PRIVATE_KEY`].
pub(super) const PUBLIC_KEY: &str = "id_ed25519.pub";
/// The maximum length of a manifest, in bytes.
const MANIFEST_MAX: u64 = 1_000_000;

/// The description of an archive and its members.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Manifest {
    /// The value of [`FORMAT`] when the archive was made.
    pub format: u32,
    /// The version of the program that made the archive.
    pub version: String,
    /// When the archive was made.
    pub made: DateTime<Utc>,
    /// The migrations applied to the database, oldest first.
    pub migrations: Vec<String>,
    /// The ids of the keys that encrypt secrets.
    pub keys: Vec<String>,
    /// The SHA-256 of each member, by name.
    pub sha256: BTreeMap<String, String>,
}

/// The content of a member.
pub(super) enum Content {
    File(PathBuf),
    Bytes(Vec<u8>),
}

/// Creates a file that only its owner may read (0600); fails if it exists.
pub(super) fn create(path: &Path) -> Result<File, StartError> {
    let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    made.map_err(|error| format!("{} cannot be made: {error}", path.display()).into())
}

/// Writes the members into the archive's file, which must exist.
pub(super) fn write(path: &Path, mut manifest: Manifest, members: &[(&str, Content)]) -> Result<Manifest, StartError> {
    for (name, content) in members {
        let sum = match content {
            Content::File(path) => sum(&mut File::open(path)?)?,
            Content::Bytes(bytes) => sum(&mut bytes.as_slice())?,
        };
        manifest.sha256.insert((*name).to_owned(), sum);
    }
    let mut archive = tar::Builder::new(OpenOptions::new().write(true).open(path)?);
    add(&mut archive, MANIFEST, &mut serde_json::to_vec_pretty(&manifest)?.as_slice(), None)?;
    for (name, content) in members {
        match content {
            Content::File(path) => {
                let mut file = File::open(path)?;
                let length = file.metadata()?.len();
                add(&mut archive, name, &mut file, Some(length))?;
            }
            Content::Bytes(bytes) => add(&mut archive, name, &mut bytes.as_slice(), None)?,
        }
    }
    archive.into_inner()?.sync_all()?;
    Ok(manifest)
}

/// `length` is the content's length; none: read it into memory to find out.
fn add(
    archive: &mut tar::Builder<File>,
    name: &str,
    content: &mut dyn Read,
    length: Option<u64>,
) -> Result<(), StartError> {
    let mut bytes = Vec::new();
    let mut header = tar::Header::new_gnu();
    header.set_mode(0o600);
    let length = match length {
        Some(length) => length,
        None => u64::try_from(content.read_to_end(&mut bytes)?)?,
    };
    header.set_size(length);
    archive.append_data(&mut header, name, bytes.as_slice().chain(content))?;
    Ok(())
}

/// Extracts an archive into a directory. Fails on any member whose name or SHA-256 is not in the manifest.
pub(super) fn read(path: &Path, into: &Path) -> Result<Manifest, StartError> {
    let broken = |what: String| StartError::from(format!("{} is no whole backup: {what}", path.display()));
    let file = File::open(path).map_err(|error| format!("{} cannot be read: {error}", path.display()))?;
    let mut archive = tar::Archive::new(file);
    let mut members = archive.entries().map_err(|error| broken(error.to_string()))?;
    let first = members.next().ok_or_else(|| broken("it is empty".into()))?;
    let first = first.map_err(|error| broken(error.to_string()))?;
    if first.path()?.as_ref() != Path::new(MANIFEST) {
        return Err(broken(format!("it does not begin with {MANIFEST}")));
    }
    let manifest: Manifest =
        serde_json::from_reader(first.take(MANIFEST_MAX)).map_err(|error| broken(format!("{MANIFEST}: {error}")))?;
    if manifest.format > FORMAT {
        return Err(format!("{} was made by a newer ocim ({})", path.display(), manifest.version).into());
    }
    let mut missing = manifest.sha256.clone();
    for member in members {
        let mut member = member.map_err(|error| broken(error.to_string()))?;
        let name = member.path()?.to_string_lossy().into_owned();
        // Only the known names are extracted, so no path can leave the directory.
        let known = [DUMP, KEYS, PRIVATE_KEY, PUBLIC_KEY].into_iter().find(|known| *known == name);
        let (Some(known), Some(expected)) = (known, missing.remove(&name)) else {
            return Err(broken(format!("{name} is not in its manifest")));
        };
        let path = into.join(known);
        std::io::copy(&mut member, &mut create(&path)?).map_err(|error| broken(format!("{name}: {error}")))?;
        if sum(&mut File::open(&path)?)? != expected {
            return Err(broken(format!("{name} is not what was backed up")));
        }
    }
    let needed = missing.into_keys().chain([DUMP, KEYS].into_iter().map(str::to_owned));
    if let Some(name) = needed.into_iter().find(|name| !into.join(name).exists()) {
        return Err(broken(format!("{name} is missing")));
    }
    Ok(manifest)
}

fn sum(content: &mut dyn Read) -> Result<String, StartError> {
    struct Sum(Sha256);
    impl Write for Sum {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.update(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let mut sum = Sum(Sha256::new());
    std::io::copy(content, &mut sum)?;
    Ok(hex::encode(sum.0.finalize()))
}

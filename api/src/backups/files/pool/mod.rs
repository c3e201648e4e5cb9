//! The objects of buckets: each is copied once, into a pool that all backups of an instance share, and each backup lists those that it
//! uses.
//!
//! ```text
//! 17/objects/s3-files/0a/0af1….zst.age   an object: a line about it, and its bytes
//! 17/42/s3-files.objects.zst.age         the manifest of a backup: a line for each object
//! 17/42/s3-files.used                    which files of the pool the manifest names; readable without a key
//! ```
//!
//! The name of an object's file is made from what the store lists of it. Where there is such a file already, the object is not read again.
//! The manifest has the SHA-256 of each file, and the backup's row that of the manifest: altered files are noticed.
//!
//! Only a backup that is being written adds files, and only [`sweep`] deletes some. The caller never lets both happen at once for an
//! instance, so none is deleted between the moment when a backup counts on it and the moment when its list of used files says so.

mod copies;
mod copy;
mod known;
mod manifest;
mod passing;
mod put_back;
mod sweep;
#[cfg(test)]
mod tests;
mod used;

use sha2::{Digest as _, Sha256};
use shared_types::ResourceKind;

use super::paths;
use super::place::PlacePath;
use crate::backups::port::BackupError;
use crate::resources::objects::Listed;
use crate::resources::server::ServerError;

pub(super) use copies::check;
pub(super) use copy::copy;
pub(super) use put_back::put_back;
pub(super) use sweep::sweep;

/// The folder of an instance's pools.
const POOLS: &str = "objects";
/// What the names of files end with: an object, a manifest, a list of used files.
const OBJECT: &str = ".zst.age";
const MANIFEST: &str = ".objects.zst.age";
const USED: &str = ".used";

/// What names a file of the pool.
type Id = [u8; 32];
/// The SHA-256 of a file.
type Sum = [u8; 32];

/// Where a bucket's files are.
#[derive(Debug, Clone)]
struct Paths {
    /// The folder of the bucket's pool.
    pool: PlacePath,
    manifest: PlacePath,
    used: PlacePath,
}

impl Paths {
    /// Of a bucket in the backup `at`.
    fn of(at: &str, kind: ResourceKind, name: &str) -> Result<Self, BackupError> {
        let (folder, stem) = (paths::folder(at)?, paths::stem(kind, name)?);
        let (manifest, used) = (folder.join(&format!("{stem}{MANIFEST}"))?, folder.join(&format!("{stem}{USED}"))?);
        Ok(Self { pool: pools(at)?.join(&stem)?, manifest, used })
    }

    /// The file of an object.
    fn object(&self, id: &Id) -> Result<PlacePath, BackupError> {
        let id = hex::encode(id);
        self.pool.join(&format!("{}/{id}{OBJECT}", id.get(..2).unwrap_or_default()))
    }
}

/// The folder of the pools of a backup's instance.
fn pools(at: &str) -> Result<PlacePath, BackupError> {
    instance(at)?.join(POOLS)
}

/// The folder of a backup's instance.
fn instance(at: &str) -> Result<PlacePath, BackupError> {
    let folder = paths::folder(at)?;
    PlacePath::parse(folder.as_str().split_once('/').map_or("", |(instance, _)| instance))
}

/// The object that a file of the pool has; none: it is no such file.
fn id_of(file: &str) -> Option<Id> {
    hex::decode(file.strip_suffix(OBJECT)?).ok()?.try_into().ok()
}

/// The name of the file for what a list says of an object. It differs once any of that differs.
fn id(kind: ResourceKind, bucket: &str, object: &Listed) -> Id {
    let Listed { name, bytes, etag, modified } = object;
    let mut sha = Sha256::new();
    for part in [kind.as_str(), bucket, name, etag, modified, &bytes.to_string()] {
        sha.update(u64::try_from(part.len()).unwrap_or_default().to_be_bytes());
        sha.update(part.as_bytes());
    }
    sha.finalize().into()
}

/// The error of a store as one of backups.
fn of_store(error: ServerError) -> BackupError {
    match error {
        ServerError::Away(words) | ServerError::Unfinished(words) => BackupError::Transient(words),
        ServerError::Refused(words) => BackupError::Permanent(words),
        ServerError::Taken => BackupError::Permanent(error.to_string()),
    }
}

/// The error of a store about an object.
fn about(name: &str, error: ServerError) -> BackupError {
    match of_store(error) {
        BackupError::Transient(words) => BackupError::Transient(format!("the object `{name}`: {words}")),
        BackupError::Permanent(words) => BackupError::Permanent(format!("the object `{name}`: {words}")),
        other @ (BackupError::Damaged(_) | BackupError::Cancelled) => other,
    }
}

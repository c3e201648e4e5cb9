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
//! Only a backup that is being written adds files, and only [`sweep()`] deletes some. The caller never lets both happen at once for an
//! instance, so none is deleted between the moment when a backup counts on it and the moment when its list of used files says so.

mod copies;
mod copy;
mod known;
mod manifest;
mod passing;
mod put_back;
mod sweep;
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn object(name: &str, bytes: u64, etag: &str, modified: &str) -> Listed {
        Listed { name: name.to_owned(), bytes, etag: etag.to_owned(), modified: modified.to_owned() }
    }

    #[test]
    fn whatever_a_store_says_anew_of_an_object_gives_it_another_file() {
        let of = |one: Listed| id(ResourceKind::S3, "b", &one);
        let first = of(object("a", 1, "x", "t"));
        assert_eq!(first, of(object("a", 1, "x", "t")));
        for other in
            [object("b", 1, "x", "t"), object("a", 2, "x", "t"), object("a", 1, "y", "t"), object("a", 1, "x", "u")]
        {
            assert_ne!(first, of(other.clone()), "{other:?}");
        }
        assert_ne!(of(object("ab", 1, "c", "t")), of(object("a", 1, "bc", "t")), "no two parts run together");
        assert_ne!(first, id(ResourceKind::Swift, "b", &object("a", 1, "x", "t")));
        assert_ne!(first, id(ResourceKind::S3, "c", &object("a", 1, "x", "t")));
    }

    #[test]
    fn a_bucket_has_a_pool_of_the_instance_and_two_files_in_each_backup() {
        let paths = Paths::of("17/42", ResourceKind::S3, "files").unwrap();
        assert_eq!(paths.manifest.as_str(), "17/42/s3-files.objects.zst.age");
        assert_eq!(paths.used.as_str(), "17/42/s3-files.used");
        let file = paths.object(&[10; 32]).unwrap();
        assert_eq!(file.as_str(), format!("17/objects/s3-files/0a/{}.zst.age", "0a".repeat(32)));
        assert_eq!(id_of(&format!("{}.zst.age", "0a".repeat(32))), Some([10; 32]));
        assert_eq!([id_of("0a.zst.age"), id_of("x"), id_of(&"0a".repeat(32))], [None; 3]);
        assert!(
            Paths::of("17", ResourceKind::S3, "files").is_err() && Paths::of("17/42", ResourceKind::S3, "a/b").is_err()
        );
    }
}

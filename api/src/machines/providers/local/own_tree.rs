//! A base tree that the operator made (`OCIM_LOCAL_BASE`), in place of ours: a directory or an archive, copied into the
//! cache.
//!
//! The copy's directory, `own-` and a hash, is named after what the original looks like: a change of the original makes
//! another copy for later machines, and machines keep the one they were made on. Age makes none. The copy is checked
//! ([`super::own_tree_check`]) before it gets its name, and goes an hour or more after its last use, when no machine is on it.

use std::fs::{self, File, Metadata, Permissions};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Component, Path, PathBuf};
use std::time::SystemTime;

use sha2::{Digest, Sha256};
use tokio::process::Command;

use super::base_tree::watch;
use super::error::LocalError;
use super::files::remove_tree;
use super::lock::Lock;
use super::own_tree_check;
use super::preflight;
use super::trees::{GRACE, is_older, made_at};

const PREFIX: &str = "own-";
/// The end of the name of a copy that is being made.
const PARTIAL: &str = ".partial";
/// The tree within its directory, whose own time says when it was last used.
const TREE: &str = "tree";
/// Held while a copy is made or removed.
const LOCK: &str = "own-base.lock";

/// A program, and the Debian package that has it.
type Packaged = (&'static str, &'static str);

/// Ends of the names of archives, with the option of tar, and what it needs.
const ARCHIVES: &[(&str, &str, Option<Packaged>)] = &[
    (".tar", "--no-auto-compress", None),
    (".tar.gz", "--gzip", Some(("gzip", "gzip"))),
    (".tgz", "--gzip", Some(("gzip", "gzip"))),
    (".tar.xz", "--xz", Some(("xz", "xz-utils"))),
    (".tar.zst", "--zstd", Some(("zstd", "zstd"))),
];

/// What the operator made.
#[derive(Debug)]
struct Original {
    path: PathBuf,
    kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Directory,
    /// With tar's option for its compression.
    Archive(&'static str),
}

/// Gives the copy of the operator's tree in the cache directory, and makes it first where it is missing. Of several processes
/// one makes it and the others wait.
///
/// # Errors
/// [`LocalError::Invalid`] if the tree cannot be used, with the reason; [`LocalError::BaseTree`] if it cannot be copied.
pub(super) async fn ensure(
    cache_dir: &Path,
    base: &Path,
    progress: &(dyn Fn(&str) + Sync),
) -> Result<PathBuf, LocalError> {
    preflight::check_root()?;
    let original = Original::find(base)?;
    let print = original.print().await?;
    let dir = cache_dir.join(format!("{PREFIX}{print}"));
    fs::create_dir_all(cache_dir).map_err(LocalError::io(cache_dir))?;
    let _lock = Lock::take(cache_dir.join(LOCK)).await?;
    if !dir.join(TREE).is_dir() {
        progress(&format!("copying the base tree {}", base.display()));
        let workshop = cache_dir.join(format!("{PREFIX}{print}{PARTIAL}"));
        remove_tree(&workshop)?;
        let made = original.copy(&workshop, &print, progress).await;
        let moved = made.and_then(|()| fs::rename(&workshop, &dir).map_err(LocalError::io(&dir)));
        remove_tree(&workshop)?;
        moved?;
    }
    // From now on, it is kept for an hour: the machine's record is not written yet.
    let touched = File::open(&dir).and_then(|dir| dir.set_modified(SystemTime::now()));
    touched.map_err(LocalError::io(&dir))?;
    let tree = dir.join(TREE);
    tree.canonicalize().map_err(LocalError::io(tree))
}

/// Removes copies that were last used an hour ago or earlier and that are not among the `used` trees of this host's machines;
/// and what was left of a copy when a program was killed. One that cannot be removed stays.
pub(super) fn remove_unused(cache_dir: &Path, used: &[PathBuf]) {
    if unused(cache_dir, used).is_empty() {
        return;
    }
    let Ok(lock) = File::options().create(true).truncate(false).write(true).open(cache_dir.join(LOCK)) else { return };
    if lock.try_lock().is_err() {
        return;
    }
    // Again: one may have been taken into use before the lock was held.
    for dir in unused(cache_dir, used) {
        match remove_tree(&dir) {
            Ok(()) => tracing::info!(tree = %dir.display(), "a copy of the operator's base tree is removed"),
            Err(error) => tracing::warn!(%error, "a copy of the operator's base tree could not be removed"),
        }
    }
}

fn unused(cache_dir: &Path, used: &[PathBuf]) -> Vec<PathBuf> {
    // By its name: the cache may be mounted elsewhere.
    let is_used = |dir: &Path| {
        used.iter().any(|tree| tree.ends_with(TREE) && tree.parent().and_then(Path::file_name) == dir.file_name())
    };
    let entries = fs::read_dir(cache_dir).into_iter().flatten().flatten().map(|entry| entry.path());
    entries
        .filter(|path| path.is_dir())
        .filter(|path| path.file_name().and_then(|name| name.to_str()).is_some_and(|name| name.starts_with(PREFIX)))
        .filter(|dir| !is_used(dir) && made_at(dir).is_some_and(|last| is_older(last, GRACE)))
        .collect()
}

impl Original {
    fn find(base: &Path) -> Result<Self, LocalError> {
        if !base.is_absolute() || base.components().any(|part| part == Component::ParentDir) {
            return Err(refused(base, "is no absolute path without `..`"));
        }
        let path = base.canonicalize().map_err(|error| refused(base, &format!("cannot be read: {error}")))?;
        if path != base {
            return Err(refused(
                base,
                &format!("is reached by a link, which could be moved: set it to {}", path.display()),
            ));
        }
        for place in path.ancestors() {
            check_owner(base, place, &fs::symlink_metadata(place).map_err(LocalError::io(place))?)?;
        }
        let found = fs::metadata(&path).map_err(LocalError::io(&path))?;
        if found.is_dir() {
            return Ok(Self { path, kind: Kind::Directory });
        }
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let kind = ARCHIVES.iter().rev().find(|(end, ..)| name.ends_with(end)).filter(|_| found.is_file());
        let Some((_, option, needs)) = kind else {
            return Err(refused(
                base,
                "is no directory, and no file whose name ends with .tar, .tar.gz, .tar.xz or .tar.zst",
            ));
        };
        preflight::check_program("tar", "tar")?;
        needs.map_or(Ok(()), |(program, package)| preflight::check_program(program, package))?;
        Ok(Self { path, kind: Kind::Archive(option) })
    }

    /// A hash of what it looks like: of an archive its path, size and time; of a directory also those of all that is in it,
    /// with owners, modes and links.
    async fn print(&self) -> Result<String, LocalError> {
        let top = self.path.clone();
        let hashed = tokio::task::spawn_blocking(move || print_of(&top)).await;
        hashed.map_err(io::Error::other).and_then(|hashed| hashed).map_err(LocalError::io(&self.path))
    }

    async fn copy(&self, workshop: &Path, print: &str, progress: &(dyn Fn(&str) + Sync)) -> Result<(), LocalError> {
        let tree = workshop.join(TREE);
        fs::create_dir_all(&tree).map_err(LocalError::io(&tree))?;
        fs::set_permissions(&tree, Permissions::from_mode(0o755)).map_err(LocalError::io(&tree))?;
        let (name, command) = match self.kind {
            Kind::Directory => ("cp", copying(&self.path, &tree)),
            Kind::Archive(option) => ("tar", unpacking(&self.path, &tree, option)),
        };
        watch(name, command, progress).await.map_err(|error| {
            let LocalError::BaseTree(words) = error else { return error };
            refused(&self.path, &format!("could not be copied whole: {words}"))
        })?;
        own_tree_check::check(&self.path, &tree)?;
        if self.print().await? == print {
            Ok(())
        } else {
            Err(LocalError::BaseTree(format!("{} was changed while it was copied", self.path.display())))
        }
    }
}

/// An error that says what is wrong with the tree.
pub(super) fn refused(base: &Path, what: &str) -> LocalError {
    LocalError::Invalid(format!("the base tree {} (OCIM_LOCAL_BASE) {what}", base.display()))
}

/// Refuses a file or directory that others than root could change. In a directory such as /tmp, others cannot replace
/// what is root's.
fn check_owner(base: &Path, place: &Path, found: &Metadata) -> Result<(), LocalError> {
    const STICKY: u32 = 0o1000;
    let (mode, place) = (found.mode(), place.display());
    let is_shared = mode & 0o002 != 0 || (mode & 0o020 != 0 && found.gid() != 0);
    if found.uid() != 0 {
        Err(refused(base, &format!("could be changed by uid {}, who owns {place}: give it to root", found.uid())))
    } else if is_shared && !(found.is_dir() && mode & STICKY != 0) {
        Err(refused(base, &format!("could be changed by others than root: `chmod go-w {place}`")))
    } else {
        Ok(())
    }
}

fn print_of(top: &Path) -> io::Result<String> {
    let mut hash = Sha256::new();
    hash.update(top.as_os_str().as_bytes());
    let device = fs::symlink_metadata(top)?.dev();
    let mut waiting = vec![top.to_owned()];
    while let Some(path) = waiting.pop() {
        let found = fs::symlink_metadata(&path)?;
        let numbers = [found.mode().into(), found.uid().into(), found.gid().into(), found.rdev()];
        for number in
            numbers.into_iter().chain([found.size(), found.mtime().cast_unsigned(), found.mtime_nsec().cast_unsigned()])
        {
            hash.update(number.to_le_bytes());
        }
        if found.is_symlink() {
            hash.update(fs::read_link(&path)?.as_os_str().as_bytes());
        }
        if !found.is_dir() || found.dev() != device {
            continue;
        }
        let mut inside =
            fs::read_dir(&path)?.map(|entry| entry.map(|entry| entry.path())).collect::<io::Result<Vec<_>>>()?;
        inside.sort();
        for entry in &inside {
            hash.update(entry.as_os_str().as_bytes());
            hash.update([0]);
        }
        waiting.extend(inside);
    }
    Ok(hex::encode(hash.finalize()).chars().take(16).collect())
}

/// With owners, modes, times, links and capabilities of files. Not beyond its file system: what is mounted there, such as
/// /proc, is not the tree's.
fn copying(from: &Path, to: &Path) -> Command {
    let mut command = Command::new("cp");
    command.args(["--archive", "--one-file-system", "--reflink=auto", "--no-target-directory", "--"]).args([from, to]);
    command.env("LC_ALL", "C");
    command
}

/// tar removes `/` and refuses `..` at the beginning of names, and makes links that could lead out of the tree after all
/// files, so that no file is written through one. Of the extended attributes, only those are taken that mean something
/// inside a machine: none of overlayfs.
fn unpacking(archive: &Path, to: &Path, option: &str) -> Command {
    let mut command = Command::new("tar");
    command.args(["--extract", "--numeric-owner", "--same-owner", "--same-permissions", "--delay-directory-restore"]);
    command.args(["--xattrs", "--xattrs-include=security.capability", "--xattrs-include=user.*"]);
    command.arg(option).arg("--directory").arg(to).arg("--file").arg(archive).arg("--force-local");
    // Options of the environment are not for this.
    command.env_remove("TAR_OPTIONS").env("LC_ALL", "C");
    command
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

    use super::*;

    #[test]
    fn a_print_changes_with_any_file_and_stays_otherwise() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("etc/file");
        fs::create_dir(dir.path().join("etc")).unwrap();
        fs::write(&file, "one").unwrap();
        let print = || print_of(dir.path()).unwrap();
        let mut seen = vec![print()];
        assert_eq!(print(), seen[0]);
        let changes: [&dyn Fn() -> io::Result<()>; 4] = [
            &|| fs::write(&file, "other"),
            &|| fs::set_permissions(&file, Permissions::from_mode(0o4755)),
            &|| std::os::unix::fs::symlink("file", dir.path().join("etc/link")),
            &|| {
                fs::remove_file(dir.path().join("etc/link"))
                    .and_then(|()| std::os::unix::fs::symlink("fill", dir.path().join("etc/link")))
            },
        ];
        for change in changes {
            change().unwrap();
            assert!(!seen.contains(&print()));
            seen.push(print());
        }
    }

    #[test]
    fn a_copy_goes_an_hour_after_its_last_use_unless_a_machine_is_on_it() {
        let dir = tempfile::tempdir().unwrap();
        let copies = ["own-a", "own-b", "own-c.partial", "own-d"].map(|name| dir.path().join(name));
        for copy in &copies {
            fs::create_dir_all(copy.join(TREE)).unwrap();
        }
        fs::create_dir(dir.path().join("base-a")).unwrap();
        assert!(unused(dir.path(), &[]).is_empty(), "all were used just now");
        for copy in copies.iter().take(3) {
            File::open(copy).unwrap().set_modified(SystemTime::now() - 2 * GRACE).unwrap();
        }
        let mut found = unused(dir.path(), &[PathBuf::from("/elsewhere/own-b/tree")]);
        found.sort();
        assert_eq!(found, [copies[0].clone(), copies[2].clone()]);
    }

    #[test]
    fn a_place_that_is_no_tree_is_refused_with_words() {
        let refusal = |path: &Path| Original::find(path).unwrap_err().to_string();
        assert!(refusal(Path::new("srv/base")).contains("is no absolute path"));
        assert!(refusal(Path::new("/srv/../base")).contains("is no absolute path"));
        assert!(refusal(Path::new("/no/such/base")).contains("cannot be read"));
    }
}

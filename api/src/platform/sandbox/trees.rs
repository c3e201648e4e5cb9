//! Directory trees that foreign code has written: given to a user, taken back, measured. No symbolic link is followed,
//! and no file is opened.

use std::ffi::CStr;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, CWD, Dir, FileType, Gid, Mode, OFlags, Stat, Uid, chmodat, chownat, openat, statat};
use rustix::io::Errno;

/// The deepest tree that is accepted: each level takes a descriptor.
const DEEPEST: usize = 150;

/// Bytes in a block of `stat`.
pub(super) const BLOCK: u64 = 512;

/// What an entry takes at least, in bytes: its name and its inode are on the disk, too.
const ENTRY: u64 = 4096;

type Visit<'a> = &'a mut dyn FnMut(BorrowedFd<'_>, &CStr, &Stat) -> io::Result<()>;

/// Makes a user the owner of a directory or file and everything below it. Does nothing if it is already.
///
/// # Errors
/// [`io::Error`] if this program may not, or the tree is nested too deeply.
pub fn give(path: &Path, uid: u32) -> io::Result<()> {
    let (uid, gid) = (Uid::from_raw(uid), Gid::from_raw(uid));
    if statat(CWD, path, AtFlags::SYMLINK_NOFOLLOW)?.st_uid == uid.as_raw() {
        return Ok(());
    }
    // The top comes last: its owner says that all below it has been given.
    each(path, &mut |dir, name, _| own(dir, name, uid, gid))?;
    Ok(chownat(CWD, path, Some(uid), Some(gid), AtFlags::SYMLINK_NOFOLLOW)?)
}

/// Gives several trees, in a thread of its own.
///
/// # Errors
/// As [`give`], with the path.
pub(super) async fn give_all(paths: Vec<PathBuf>, uid: u32) -> io::Result<()> {
    let give_one = move |path: &PathBuf| {
        give(path, uid).map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", path.display())))
    };
    tokio::task::spawn_blocking(move || paths.iter().try_for_each(give_one)).await.map_err(io::Error::other)?
}

/// Makes this program's user the owner again; every user may then read it, if a wall shows it.
///
/// # Errors
/// As [`give`].
pub fn take_back(path: &Path) -> io::Result<()> {
    let (uid, gid) = (rustix::process::geteuid(), rustix::process::getegid());
    let stat = statat(CWD, path, AtFlags::SYMLINK_NOFOLLOW)?;
    let (top, is_dir) = (mode(&stat), FileType::from_raw_mode(stat.st_mode) == FileType::Directory);
    // The top comes first: the run can then not exchange an entry for a link while it is visited.
    chownat(CWD, path, Some(uid), Some(gid), AtFlags::SYMLINK_NOFOLLOW)?;
    if is_dir {
        chmodat(CWD, path, Mode::RWXU, AtFlags::empty())?;
    }
    let mut settle = |dir: BorrowedFd<'_>, name: &CStr, stat: &Stat| {
        own(dir, name, uid, gid)?;
        readable(dir, name, stat)
    };
    each(path, &mut settle)?;
    // Its mode comes last: it says that all below it can be read.
    match top {
        Some(mode) => Ok(chmodat(CWD, path, mode, AtFlags::empty())?),
        None => Ok(()),
    }
}

/// [`take_back`], in a thread of its own: a tree may have many files.
///
/// # Errors
/// As [`give`].
pub async fn take_back_all(path: &Path) -> io::Result<()> {
    let path = path.to_owned();
    tokio::task::spawn_blocking(move || take_back(&path)).await.map_err(io::Error::other)?
}

/// [`take_back`], unless every user may enter the directory already. An earlier version made it for one user.
///
/// # Errors
/// As [`give`].
pub fn open_to_runs(path: &Path) -> io::Result<()> {
    let stat = statat(CWD, path, AtFlags::SYMLINK_NOFOLLOW)?;
    if stat.st_mode & 0o005 == 0o005 { Ok(()) } else { take_back(path) }
}

/// The bytes that a tree takes on its disk; 0 if it does not exist.
///
/// # Errors
/// [`io::Error`] if it cannot be read or is nested too deeply.
pub fn size(path: &Path) -> io::Result<u64> {
    let own = match statat(CWD, path, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(stat) => blocks(&stat).max(ENTRY),
        Err(Errno::NOENT) => return Ok(0),
        Err(error) => return Err(error.into()),
    };
    let mut total = own;
    each(path, &mut |_, _, stat| {
        total = total.saturating_add(blocks(stat).max(ENTRY));
        Ok(())
    })?;
    Ok(total)
}

fn blocks(stat: &Stat) -> u64 {
    u64::try_from(stat.st_blocks).unwrap_or_default().saturating_mul(BLOCK)
}

/// Visits everything below a directory, parents first; nothing if it is none.
fn each(path: &Path, visit: Visit<'_>) -> io::Result<()> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    match openat(CWD, path, flags, Mode::empty()) {
        Ok(dir) => walk(&dir, DEEPEST, visit),
        Err(Errno::NOTDIR | Errno::LOOP) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

fn walk(dir: &OwnedFd, depth: usize, visit: Visit<'_>) -> io::Result<()> {
    for entry in Dir::read_from(dir)? {
        let entry = entry?;
        let name = entry.file_name();
        if matches!(name.to_bytes(), b"." | b"..") {
            continue;
        }
        let stat = match statat(dir, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => stat,
            Err(Errno::NOENT) => continue,
            Err(error) => return Err(error.into()),
        };
        visit(dir.as_fd(), name, &stat)?;
        if FileType::from_raw_mode(stat.st_mode) == FileType::Directory {
            if depth == 0 {
                return Err(io::Error::other(format!("directories are nested deeper than {DEEPEST}")));
            }
            let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            match openat(dir, name, flags, Mode::empty()) {
                Ok(below) => walk(&below, depth - 1, visit)?,
                // It has gone meanwhile, or is something else now.
                Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
    Ok(())
}

fn own(dir: BorrowedFd<'_>, name: &CStr, uid: Uid, gid: Gid) -> io::Result<()> {
    match chownat(dir, name, Some(uid), Some(gid), AtFlags::SYMLINK_NOFOLLOW) {
        Ok(()) | Err(Errno::NOENT) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

fn readable(dir: BorrowedFd<'_>, name: &CStr, stat: &Stat) -> io::Result<()> {
    let Some(mode) = mode(stat) else { return Ok(()) };
    match chmodat(dir, name, mode, AtFlags::empty()) {
        Ok(()) | Err(Errno::NOENT) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// The mode with which every user may read, and only the owner write. None for what has no content.
fn mode(stat: &Stat) -> Option<Mode> {
    let is_executable = stat.st_mode & 0o100 != 0;
    match FileType::from_raw_mode(stat.st_mode) {
        FileType::Directory => Some(Mode::from_raw_mode(0o755)),
        FileType::RegularFile if is_executable => Some(Mode::from_raw_mode(0o755)),
        FileType::RegularFile => Some(Mode::from_raw_mode(0o644)),
        FileType::Symlink
        | FileType::Fifo
        | FileType::Socket
        | FileType::CharacterDevice
        | FileType::BlockDevice
        | FileType::Unknown => None,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::fs;
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};

    use super::*;

    #[test]
    fn what_is_taken_back_can_be_read_and_a_link_leads_nowhere() {
        let (dir, outside) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let (tree, other) = (dir.path().join("tree"), outside.path().join("other"));
        fs::create_dir_all(tree.join("below")).unwrap();
        for file in [&tree.join("below/file"), &other] {
            fs::write(file, "x").unwrap();
            fs::set_permissions(file, fs::Permissions::from_mode(0o600)).unwrap();
        }
        symlink(&other, tree.join("link")).unwrap();
        take_back(&tree).unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&tree.join("below/file")), mode(&tree)), (0o644, 0o755));
        assert_eq!(mode(&other), 0o600, "outside of the tree");
        if rustix::process::geteuid().is_root() {
            give(&tree, 4321).unwrap();
            assert_eq!(fs::metadata(tree.join("below/file")).unwrap().uid(), 4321);
            assert_eq!(fs::symlink_metadata(tree.join("link")).unwrap().uid(), 4321);
            assert_eq!(fs::metadata(&other).unwrap().uid(), 0, "outside of the tree");
        }
    }

    #[test]
    fn a_tree_without_end_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let deep = (0..=DEEPEST + 1).fold(dir.path().to_owned(), |path, _| path.join("d"));
        fs::create_dir_all(&deep).unwrap();
        assert!(size(dir.path()).unwrap_err().to_string().contains("nested deeper"));
        assert_eq!(size(&dir.path().join("none")).unwrap(), 0);
    }
}

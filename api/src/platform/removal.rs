//! Removes a tree that another program made, of any depth and with any content.
//!
//! At most four descriptors are open at a time, and nothing recurses: a directory in a directory is first moved to the top
//! of the tree. All is done relative to descriptors, and no link is followed, so nothing outside of the tree is touched.
//! Flags that forbid a change (`chattr +i`, `+a`) are taken off. What is interrupted goes on with the next call.

use std::ffi::{CStr, CString};
use std::fs;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::fs::{
    AtFlags, CWD, Dir, FileType, IFlags, Mode, OFlags, RenameFlags, fchmod, ioctl_getflags, ioctl_setflags, openat,
    renameat_with, statat, unlinkat,
};
use rustix::io::{Errno, Result};

/// Removes a file or a directory with all that is in it. A missing one is no error. Blocks for as long as it takes.
///
/// # Errors
/// [`io::Error`] of the first entry that cannot be removed, such as a mount point.
pub fn remove_tree(path: &Path) -> io::Result<()> {
    let top = match openat(CWD, path, DIRECTORY, Mode::empty()) {
        Ok(top) => top,
        Err(Errno::NOENT) => return Ok(()),
        Err(Errno::NOTDIR | Errno::LOOP) => return fs::remove_file(path),
        Err(error) => return Err(error.into()),
    };
    empty_tree(&top)?;
    drop(top);
    fs::remove_dir(path)
}

/// Like [`remove_tree`], in a thread of its own.
///
/// # Errors
/// As [`remove_tree`].
pub async fn remove(path: PathBuf) -> io::Result<()> {
    tokio::task::spawn_blocking(move || remove_tree(&path)).await.map_err(io::Error::other)?
}

/// Of a link, opening fails.
const DIRECTORY: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

fn empty_tree(top: &OwnedFd) -> Result<()> {
    let mut moved = 0;
    // A pass may miss entries that appear while it reads; the next one finds them.
    while for_each_entry(top, &mut |name| remove_entry(top, name, top, &mut moved))? > 0 {}
    Ok(())
}

/// Removes an entry of `parent`. Directories in a directory are moved to `top`.
fn remove_entry(parent: &OwnedFd, name: &CStr, top: &OwnedFd, moved: &mut u64) -> Result<()> {
    if !is_directory(parent, name)? {
        return unlink(parent, name, AtFlags::empty());
    }
    let dir = open_to_change(parent, name)?;
    let mut empty_one = |child: &CStr| {
        if is_directory(&dir, child)? {
            move_up(&dir, child, top, moved)
        } else {
            unlink(&dir, child, AtFlags::empty())
        }
    };
    while for_each_entry(&dir, &mut empty_one)? > 0 {}
    unlink(parent, name, AtFlags::REMOVEDIR)
}

/// Calls `act` with the name of each entry. Gives their number.
fn for_each_entry(dir: &OwnedFd, act: &mut dyn FnMut(&CStr) -> Result<()>) -> Result<usize> {
    let mut count = 0;
    // A descriptor of its own, which begins at the first entry.
    for entry in Dir::read_from(dir)? {
        let entry = entry?;
        let name = entry.file_name();
        if name != c"." && name != c".." {
            act(name)?;
            count += 1;
        }
    }
    Ok(count)
}

fn is_directory(parent: &OwnedFd, name: &CStr) -> Result<bool> {
    match statat(parent, name, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(stat) => Ok(FileType::from_raw_mode(stat.st_mode).is_dir()),
        // Read from a directory that has changed since.
        Err(Errno::NOENT) => Ok(false),
        Err(error) => Err(error),
    }
}

/// Opens a directory, and makes it one that its owner may change: root needs no mode, others do.
fn open_to_change(parent: &OwnedFd, name: &CStr) -> Result<OwnedFd> {
    let open = || openat(parent, name, DIRECTORY, Mode::empty());
    let dir = match open() {
        Err(Errno::ACCESS) => {
            rustix::fs::chmodat(parent, name, Mode::RWXU, AtFlags::empty())?;
            open()?
        }
        other => other?,
    };
    if !rustix::process::geteuid().is_root() {
        fchmod(&dir, Mode::RWXU)?;
    }
    Ok(dir)
}

/// Moves a directory to the top of the tree, under a name that nothing there has.
fn move_up(parent: &OwnedFd, name: &CStr, top: &OwnedFd, moved: &mut u64) -> Result<()> {
    let mut is_unlocked = false;
    loop {
        *moved += 1;
        let new_name = CString::new(format!("{moved}.moved")).map_err(|_nul| Errno::INVAL)?;
        match renameat_with(parent, name, top, &new_name, RenameFlags::NOREPLACE) {
            Err(Errno::EXIST) => {}
            Err(Errno::PERM | Errno::ACCESS) if !is_unlocked => {
                unlock(parent, name)?;
                is_unlocked = true;
            }
            result => return result,
        }
    }
}

/// Removes a name; that it is gone already is no error.
fn unlink(parent: &OwnedFd, name: &CStr, flags: AtFlags) -> Result<()> {
    let mut result = unlinkat(parent, name, flags);
    if matches!(result, Err(Errno::PERM)) {
        unlock(parent, name)?;
        result = unlinkat(parent, name, flags);
    }
    if matches!(result, Err(Errno::NOENT)) { Ok(()) } else { result }
}

/// Takes off the flags that forbid the removal of an entry, of it and of its directory.
fn unlock(parent: &OwnedFd, name: &CStr) -> Result<()> {
    clear_flags(parent.as_fd());
    let kind = FileType::from_raw_mode(statat(parent, name, AtFlags::SYMLINK_NOFOLLOW)?.st_mode);
    // Opening a device may have an effect, and other kinds have no flags.
    if kind.is_file() || kind.is_dir() {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = openat(parent, name, flags, Mode::empty())?;
        clear_flags(file.as_fd());
        if kind.is_dir() && !rustix::process::geteuid().is_root() {
            fchmod(&file, Mode::RWXU)?;
        }
    }
    Ok(())
}

/// Where that fails, so does the removal, with the better error.
fn clear_flags(file: BorrowedFd<'_>) {
    if let Ok(flags) = ioctl_getflags(file) {
        let _ = ioctl_setflags(file, flags.difference(IFlags::IMMUTABLE | IFlags::APPEND));
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use std::os::unix::fs::{PermissionsExt, symlink};
    use std::os::unix::net::UnixListener;
    use std::process::Command;

    use super::*;

    /// Runs a Python script in a directory.
    fn python(dir: &Path, script: &str) {
        assert!(Command::new("python3").args(["-c", script]).current_dir(dir).status().unwrap().success());
    }

    #[test]
    fn directories_nested_deeper_than_there_are_descriptors_go() {
        let dir = tempfile::tempdir().unwrap();
        let tree = dir.path().join("tree");
        fs::create_dir(&tree).unwrap();
        python(&tree, "import os\nfor _ in range(5000): os.mkdir('d'); open('f', 'w').close(); os.chdir('d')");
        // As the name that the removal would use first.
        fs::create_dir_all(tree.join("1.moved/2.moved")).unwrap();
        remove_tree(&tree).unwrap();
        assert!(!tree.exists());
        remove_tree(&tree).unwrap();
    }

    #[test]
    fn all_kinds_of_files_go_and_nothing_outside_does() {
        let dir = tempfile::tempdir().unwrap();
        let (tree, outside) = (dir.path().join("tree"), dir.path().join("outside"));
        fs::create_dir_all(tree.join("a/closed")).unwrap();
        fs::create_dir(&outside).unwrap();
        fs::write(outside.join("kept"), "").unwrap();
        symlink(&outside, tree.join("link")).unwrap();
        symlink(&outside, tree.join("a/link")).unwrap();
        symlink("nowhere", tree.join("a/broken")).unwrap();
        let _listener = UnixListener::bind(tree.join("a/socket")).unwrap();
        python(&tree, "import os; os.mkfifo('a/pipe'); open(b'\\xff\\n', 'w').close()");
        fs::create_dir(tree.join("a/closed/inner")).unwrap();
        fs::set_permissions(tree.join("a/closed"), fs::Permissions::from_mode(0o0)).unwrap();
        remove_tree(&tree).unwrap();
        assert!(!tree.exists());
        assert!(outside.join("kept").exists());
        symlink(&outside, &tree).unwrap();
        remove_tree(&tree).unwrap();
        assert!(outside.join("kept").exists() && fs::symlink_metadata(&tree).is_err(), "a link is removed itself");
    }

    #[test]
    fn files_that_may_not_be_changed_go() {
        let dir = tempfile::tempdir().unwrap();
        let tree = dir.path().join("tree");
        fs::create_dir_all(tree.join("a/b")).unwrap();
        fs::write(tree.join("a/b/file"), "").unwrap();
        let chattr = |flag: &str, name: &str| Command::new("chattr").arg(flag).arg(tree.join(name)).status();
        if !chattr("+i", "a/b/file").is_ok_and(|status| status.success()) {
            eprintln!("skipped: this user or file system knows no immutable files");
            return;
        }
        chattr("+a", "a/b").unwrap();
        chattr("+i", "a").unwrap();
        assert!(fs::remove_dir_all(&tree).is_err(), "the control");
        remove_tree(&tree).unwrap();
        assert!(!tree.exists());
    }
}

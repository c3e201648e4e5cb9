//! What a base tree must have, so that machines on it start and can be set up. Links of the tree are followed within it,
//! never out of it.

use std::fs::{self, File};
use std::io::Read;
use std::os::fd::OwnedFd;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use rustix::fs::{Mode, OFlags, ResolveFlags, openat2};

use super::error::LocalError;
use super::identity::{SSH_USER, SSH_USER_ID};
use super::own_tree::refused;

/// Programs that a machine needs, with what to do where they are missing.
const PROGRAMS: &[(&str, &str)] = &[
    ("sbin/runit", "install Debian's package runit in it"),
    ("usr/bin/runsvdir", "install Debian's package runit in it"),
    ("etc/runit/1", HOOK),
    ("etc/runit/2", HOOK),
    ("etc/runit/3", HOOK),
    ("bin/sh", "install Debian's package dash in it"),
    ("usr/sbin/sshd", "install Debian's package openssh-server in it"),
    ("usr/bin/python3", "install Debian's package python3 in it"),
    ("usr/bin/sudo", "install Debian's package sudo in it"),
];
/// The script that makes the stages of the init, and the user.
const HOOK: &str = "run base_tree.sh on it (docs/local-machines.md)";
/// The largest list of users that is read.
const MAX_PASSWD: u64 = 1 << 20;

/// Checks a copy of the operator's tree.
///
/// # Errors
/// [`LocalError::Invalid`] with the first thing that is missing, and what to do.
pub(super) fn check(base: &Path, tree: &Path) -> Result<(), LocalError> {
    let root = fs::symlink_metadata(tree).map_err(LocalError::io(tree))?;
    if root.uid() != 0 || root.mode() & 0o022 != 0 || root.mode() & 0o055 != 0o055 {
        let words = format!("has a top directory of uid {} and mode {:o}: ", root.uid(), root.mode() & 0o7777);
        return Err(refused(base, &(words + "it must be root's, with mode 755")));
    }
    let top = File::open(tree).map_err(LocalError::io(tree))?;
    for (program, remedy) in PROGRAMS {
        if !is_program(&top, program) {
            return Err(refused(base, &format!("has no program /{program}: {remedy}")));
        }
    }
    let users = open(&top, "etc/passwd", OFlags::RDONLY | OFlags::NONBLOCK).map(File::from);
    let mut text = String::new();
    if let Some(users) = users {
        users.take(MAX_PASSWD).read_to_string(&mut text).map_err(LocalError::io("etc/passwd"))?;
    }
    let shell = shell_of_login(&text);
    match shell {
        Some(shell) if is_program(&top, shell.trim_start_matches('/')) => Ok(()),
        Some(shell) => Err(refused(base, &format!("has no program {shell}, the shell of its user {SSH_USER}"))),
        None => Err(refused(
            base,
            &format!("has no user {SSH_USER} with uid and gid {SSH_USER_ID} and the home /home/{SSH_USER}: {HOOK}"),
        )),
    }
}

/// The shell of the user that Ansible logs in as; none if there is no such user with the numbers that its files will have.
fn shell_of_login(passwd: &str) -> Option<String> {
    let id = SSH_USER_ID.to_string();
    let home = format!("/home/{SSH_USER}");
    passwd.lines().find_map(|line| match line.split(':').collect::<Vec<_>>().as_slice() {
        [name, _, uid, gid, _, at, shell] if *name == SSH_USER && *uid == id && *gid == id && *at == home => {
            Some((*shell).to_owned())
        }
        _ => None,
    })
}

fn is_program(top: &File, path: &str) -> bool {
    let found = open(top, path, OFlags::PATH).and_then(|file| File::from(file).metadata().ok());
    found.is_some_and(|found| found.is_file() && found.mode() & 0o111 != 0)
}

/// Opens a file of the tree as a process whose root directory it is.
fn open(top: &File, path: &str, how: OFlags) -> Option<OwnedFd> {
    openat2(top, path, how | OFlags::CLOEXEC, Mode::empty(), ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS).ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn links_are_followed_within_the_tree_and_not_out_of_it() {
        let dir = tempfile::tempdir().unwrap();
        let outside = tempfile::tempdir().unwrap();
        let program = |path: &Path| {
            fs::write(path, "").unwrap();
            fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        };
        fs::create_dir_all(dir.path().join("usr/bin")).unwrap();
        program(&dir.path().join("usr/bin/python3.11"));
        program(&outside.path().join("evil"));
        symlink("/usr/bin/python3.11", dir.path().join("usr/bin/python3")).unwrap();
        symlink("usr/bin", dir.path().join("bin")).unwrap();
        symlink(outside.path().join("evil"), dir.path().join("usr/bin/sudo")).unwrap();
        symlink("../../../../../../../../bin/sh", dir.path().join("usr/bin/sh")).unwrap();
        let top = File::open(dir.path()).unwrap();
        assert!(is_program(&top, "bin/python3"), "by a link within the tree");
        assert!(!is_program(&top, "usr/bin/sudo"), "the link leads out");
        assert!(!is_program(&top, "usr/bin/sh"), "the host has one there");
        fs::write(dir.path().join("usr/bin/python3.11"), "").unwrap();
        fs::set_permissions(dir.path().join("usr/bin/python3.11"), std::os::unix::fs::PermissionsExt::from_mode(0o644))
            .unwrap();
        assert!(!is_program(&top, "bin/python3"), "it cannot be run");
    }

    #[test]
    fn the_login_user_must_have_the_numbers_of_its_files() {
        let line = "ubuntu:x:1000:1000:,,,:/home/ubuntu:/bin/bash";
        assert_eq!(shell_of_login(&format!("root:x:0:0:root:/root:/bin/sh\n{line}\n")), Some("/bin/bash".to_owned()));
        for wrong in [
            "ubuntu:x:1001:1000:,,,:/home/ubuntu:/bin/bash",
            "ubuntu:x:1000:1000:,,,:/srv:/bin/bash",
            "debian:x:1000:1000:,,,:/home/debian:/bin/bash",
            "",
        ] {
            assert_eq!(shell_of_login(wrong), None, "{wrong}");
        }
    }
}

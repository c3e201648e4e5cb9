//! The arguments of bubblewrap: what a program sees.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use super::etc;

/// Directories of programs and libraries: on some hosts links into `/usr`.
const SYSTEM: &[&str] = &["/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32"];

/// A directory or file that is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mount {
    /// Where it is found, as the user of bubblewrap reaches it.
    pub(super) from: PathBuf,
    /// Where the program sees it.
    pub(super) at: PathBuf,
    pub(super) is_written: bool,
}

/// What a program sees, apart from the system.
#[derive(Debug, Clone)]
pub(super) struct View {
    pub(super) mounts: Vec<Mount>,
    /// Generated files of `/etc`: found in this directory.
    pub(super) etc: PathBuf,
    /// `/tmp` is this directory; none: in memory.
    pub(super) scratch: Option<PathBuf>,
    /// The most bytes in memory that `/tmp` takes, and the home too.
    pub(super) tmp_bytes: u64,
    /// An empty private directory in `/tmp`.
    pub(super) tmp_dir: Option<PathBuf>,
    pub(super) work_dir: PathBuf,
    /// The network is that of the caller, which has been walled.
    pub(super) has_network: bool,
    /// The filter of system calls is on descriptor 9.
    pub(super) has_seccomp: bool,
}

impl View {
    /// `bwrap` and its arguments, up to the program.
    pub(super) fn arguments(&self) -> Vec<OsString> {
        let mut words = Words::default();
        words.all(&["bwrap", "--unshare-user", "--uid", etc::UID, "--gid", etc::UID]);
        words.all(&["--unshare-pid", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try", "--disable-userns"]);
        words.all(&["--die-with-parent", "--new-session", "--cap-drop", "ALL", "--hostname", "run"]);
        if !self.has_network {
            words.all(&["--unshare-net"]);
        }
        words.all(&["--ro-bind", "/usr", "/usr"]);
        SYSTEM.iter().for_each(|path| words.system(Path::new(path)));
        words.all(&["--proc", "/proc", "--dev", "/dev"]);
        for path in etc::SHOWN {
            let path = Path::new("/etc").join(path);
            words.bind("--ro-bind-try", &path, &path);
        }
        for name in ["passwd", "group", "gitconfig", "resolv.conf"] {
            words.bind("--ro-bind", &self.etc.join(name), &Path::new("/etc").join(name));
        }
        words.bind("--ro-bind-try", Path::new("/etc/gitconfig"), Path::new("/etc/gitconfig.host"));
        match &self.scratch {
            Some(scratch) => words.bind("--bind", scratch, Path::new("/tmp")),
            None => words.memory("1777", self.tmp_bytes, "/tmp"),
        }
        if let Some(dir) = &self.tmp_dir {
            words.all(&["--perms", "0700", "--dir"]);
            words.0.push(dir.into());
        }
        words.all(&["--symlink", "../tmp", "/var/tmp"]);
        words.memory("0700", self.tmp_bytes, etc::HOME);
        let tops = self.tops();
        for top in &tops {
            words.all(&["--perms", "0755", "--size", "1048576", "--tmpfs"]);
            words.0.push(top.into());
        }
        // What lies within another comes after it.
        let mut mounts: Vec<_> = self.mounts.iter().collect();
        mounts.sort_by_key(|mount| mount.at.components().count());
        for mount in mounts {
            words.bind(if mount.is_written { "--bind" } else { "--ro-bind" }, &mount.from, &mount.at);
        }
        for top in tops.iter().map(PathBuf::as_path).chain([Path::new("/")]) {
            words.0.extend(["--remount-ro".into(), top.into()]);
        }
        if self.has_seccomp {
            words.all(&["--seccomp", "9"]);
        }
        words.all(&["--chdir"]);
        words.0.push(self.work_dir.as_os_str().to_owned());
        words.all(&["--"]);
        words.0
    }

    /// Directories of `/tmp` in which something is shown, but which are not shown themselves. The program could write
    /// to their parts otherwise, as to all of `/tmp`.
    fn tops(&self) -> BTreeSet<PathBuf> {
        let top = |mount: &Mount| {
            let below = mount.at.strip_prefix("/tmp").ok()?;
            let first = below.components().next()?;
            Some(Path::new("/tmp").join(first)).filter(|top| *top != mount.at)
        };
        let is_shown = |top: &PathBuf| self.mounts.iter().any(|mount| mount.at == *top);
        self.mounts.iter().filter_map(top).filter(|top| !is_shown(top)).collect()
    }
}

#[derive(Default)]
struct Words(Vec<OsString>);

impl Words {
    fn all(&mut self, words: &[&str]) {
        self.0.extend(words.iter().map(OsString::from));
    }

    fn bind(&mut self, how: &str, from: &Path, at: &Path) {
        self.0.extend([how.into(), from.into(), at.into()]);
    }

    fn memory(&mut self, mode: &str, bytes: u64, at: &str) {
        self.all(&["--perms", mode, "--size", &bytes.to_string(), "--tmpfs", at]);
    }

    fn system(&mut self, path: &Path) {
        let Ok(found) = fs::symlink_metadata(path) else { return };
        match fs::read_link(path) {
            Ok(target) if found.is_symlink() => self.0.extend(["--symlink".into(), target.into(), path.into()]),
            _ => self.bind("--ro-bind", path, path),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn view() -> View {
        let mount = |at: &str, is_written| Mount {
            from: Path::new("/stage").join(at.trim_start_matches('/')),
            at: at.into(),
            is_written,
        };
        View {
            mounts: vec![mount("/data/run/checkout", true), mount("/data/run", false)],
            etc: "/stage/etc".into(),
            scratch: None,
            tmp_bytes: 1024,
            tmp_dir: Some("/tmp/x".into()),
            work_dir: "/data/run/checkout".into(),
            has_network: false,
            has_seccomp: true,
        }
    }

    fn text(view: &View) -> String {
        view.arguments().join(" ".as_ref()).to_string_lossy().into_owned()
    }

    #[test]
    fn what_lies_within_another_directory_is_mounted_after_it() {
        let text = text(&view());
        let at = |words: &str| text.find(words).ok_or((words, &text)).unwrap();
        let outer = at("--ro-bind /stage/data/run /data/run ");
        assert!(outer < at("--bind /stage/data/run/checkout /data/run/checkout "));
        assert!(at("--bind /stage/data/run/checkout") < at("--remount-ro / "));
        assert!(text.ends_with("--chdir /data/run/checkout --"), "{text}");
    }

    #[test]
    fn only_what_is_shown_of_a_directory_in_tmp_can_be_written() {
        let mount = |at: &str| Mount { from: "/stage/0".into(), at: at.into(), is_written: true };
        let text = text(&View { mounts: vec![mount("/tmp/a/b/c"), mount("/tmp/d"), mount("/tmp/d/e")], ..view() });
        assert!(text.contains("--tmpfs /tmp/a ") && text.contains("--remount-ro /tmp/a "), "{text}");
        assert!(!text.contains("--tmpfs /tmp/d"), "{text}");
    }

    #[test]
    fn every_wall_is_asked_for() {
        let closed = text(&view());
        for wall in [
            "--unshare-user",
            "--unshare-pid",
            "--unshare-ipc",
            "--unshare-net",
            "--cap-drop ALL",
            "--die-with-parent",
            "--disable-userns",
            "--seccomp 9",
            "--new-session",
        ] {
            assert!(closed.contains(wall), "{wall}: {closed}");
        }
        assert!(
            !closed.contains("--ro-bind / ") && !closed.contains(" /etc /etc") && !closed.contains(" /root"),
            "{closed}"
        );
        let open = text(&View { has_network: true, ..view() });
        assert!(!open.contains("--unshare-net"), "{open}");
    }
}

//! Where groups can be made: the hierarchies that are mounted, and the group that this process is in.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use super::{Controller, make_dir};

/// The group that this process moves itself into, if its own has to pass controllers on.
const MANAGER: &str = "manager";
/// Controllers of v2 that are passed on as far as they exist.
const WANTED: &[&str] = &["memory", "pids", "cpu", "io"];

/// The hierarchy that is used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    /// The directory of the group that was delegated to this process, and the controllers it passes on.
    Unified { root: PathBuf, controllers: Vec<String> },
    /// The roots of controllers that are mounted one by one.
    Separate(Vec<(Controller, PathBuf)>),
    /// Why there is none.
    Nowhere(String),
}

impl Place {
    pub(super) fn find() -> Self {
        let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
        let own = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
        let separate = separate(&mounts);
        match unified(&mounts, &own) {
            Some(root) => match delegate(&root) {
                Ok(controllers) => Self::Unified { root, controllers },
                Err(reason) if separate.is_empty() => Self::Nowhere(reason),
                Err(_mixed) => Self::Separate(separate),
            },
            None if separate.is_empty() => {
                Self::Nowhere("no control groups are mounted: mount cgroup2 at /sys/fs/cgroup".to_owned())
            }
            None => Self::Separate(separate),
        }
    }

    pub(super) fn describe(&self) -> String {
        match self {
            Self::Unified { root, .. } => format!("control groups below {}", root.display()),
            Self::Separate(_) => "control groups, version 1".to_owned(),
            Self::Nowhere(reason) => reason.clone(),
        }
    }

    pub(super) fn roots(&self) -> Vec<(Controller, PathBuf)> {
        match self {
            Self::Unified { root, .. } => vec![(Controller::Unified, root.clone())],
            Self::Separate(roots) => roots.clone(),
            Self::Nowhere(_) => Vec::new(),
        }
    }

    /// Makes the owner's directory, in which the groups are.
    pub(super) fn prepare(&self, owner: &str) -> io::Result<()> {
        for (controller, root) in self.roots() {
            let dir = root.join(owner);
            make_dir(&dir)?;
            if let (Controller::Unified, Self::Unified { controllers, .. }) = (controller, self) {
                pass_on(&dir, controllers)?;
            }
        }
        Ok(())
    }
}

/// The v1 controllers of interest, each with its mount point.
fn separate(mountinfo: &str) -> Vec<(Controller, PathBuf)> {
    let mounts: Vec<(PathBuf, Vec<&str>)> = mountinfo
        .lines()
        .filter_map(Mount::parse)
        .filter(|mount| mount.kind == "cgroup")
        .map(|mount| (mount.point, mount.options.split(',').collect()))
        .collect();
    let find = |name: &str| mounts.iter().find(|(_, options)| options.contains(&name)).map(|(point, _)| point.clone());
    let named = [
        (Controller::Memory, "memory"),
        (Controller::Processes, "pids"),
        (Controller::Cpu, "cpu"),
        (Controller::Io, "blkio"),
    ];
    named.into_iter().filter_map(|(controller, name)| Some((controller, find(name)?))).collect()
}

/// The directory of our own group in v2, if that has any controller. Our `manager` group counts as its parent.
fn unified(mountinfo: &str, own: &str) -> Option<PathBuf> {
    let mount = mountinfo.lines().filter_map(Mount::parse).find(|mount| mount.kind == "cgroup2")?;
    let own = own.lines().find_map(|line| line.strip_prefix("0::"))?;
    // A bind mount shows a part of the hierarchy; the group must be in it.
    let below = Path::new(own).strip_prefix(mount.root).ok()?;
    let below = if below.file_name().is_some_and(|name| name == MANAGER) { below.parent()? } else { below };
    Some(if below.as_os_str().is_empty() { mount.point } else { mount.point.join(below) })
}

/// Makes the group pass its controllers on. Gives those that it does.
fn delegate(root: &Path) -> Result<Vec<String>, String> {
    let list = |file: &str| -> Vec<String> {
        let text = fs::read_to_string(root.join(file)).unwrap_or_default();
        text.split_whitespace().filter(|name| WANTED.contains(name)).map(str::to_owned).collect()
    };
    let available = list("cgroup.controllers");
    if available.is_empty() {
        return Err("the group of this process has no controllers: start ocim by systemd with Delegate=yes".to_owned());
    }
    if list("cgroup.subtree_control").len() < available.len() {
        if !is_ours(root) {
            return Err(format!(
                "the group {} is not delegated to this process: start ocim by systemd with Delegate=yes (or `systemd-run \
                 --scope -p Delegate=yes`)",
                root.display()
            ));
        }
        pass_on(root, &available).or_else(|_busy| move_aside(root).and_then(|()| pass_on(root, &available))).map_err(
            |error| {
                format!("the group {} passes no controllers on ({error}): start ocim with Delegate=yes", root.display())
            },
        )?;
    }
    Ok(available)
}

/// Whether systemd has marked the group as delegated, or it is the root of all that we see (in a container).
fn is_ours(root: &Path) -> bool {
    let is_marked = ["trusted.delegate", "user.delegate"].iter().any(|name| {
        let mut value = [0_u8; 8];
        rustix::fs::getxattr(root, *name, &mut value[..]).is_ok_and(|length| length > 0 && value[0] == b'1')
    });
    is_marked || !root.parent().is_some_and(|parent| parent.join("cgroup.procs").exists())
}

fn pass_on(dir: &Path, controllers: &[String]) -> io::Result<()> {
    controllers.iter().try_for_each(|name| fs::write(dir.join("cgroup.subtree_control"), format!("+{name}")))
}

/// Moves all processes of the group into a group below it: a group that passes controllers on has none itself.
fn move_aside(root: &Path) -> io::Result<()> {
    /// Processes that are born meanwhile need another round.
    const ROUNDS: usize = 20;
    let aside = root.join(MANAGER);
    make_dir(&aside)?;
    for _ in 0..ROUNDS {
        let pids = fs::read_to_string(root.join("cgroup.procs"))?;
        if pids.trim().is_empty() {
            return Ok(());
        }
        for pid in pids.lines() {
            // A process that has ended meanwhile.
            let _ = fs::write(aside.join("cgroup.procs"), pid);
        }
    }
    Err(io::Error::new(ErrorKind::ResourceBusy, "its processes could not be moved"))
}

/// A line of proc_pid_mountinfo(5).
#[derive(Debug)]
struct Mount<'a> {
    root: &'a str,
    point: PathBuf,
    kind: &'a str,
    options: &'a str,
}

impl<'a> Mount<'a> {
    fn parse(line: &'a str) -> Option<Self> {
        let (head, tail) = line.split_once(" - ")?;
        let mut head = head.split(' ').skip(3);
        let (root, point) = (head.next()?, head.next()?);
        let mut tail = tail.split(' ');
        let (kind, _source, options) = (tail.next()?, tail.next()?, tail.next()?);
        Some(Self { root, point: PathBuf::from(point), kind, options })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    const BOTH: &str = "35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory\n\
        32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,relatime shared:5 - cgroup cgroup rw,cpu,cpuacct\n\
        40 31 0:37 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,name=systemd\n\
        41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw\n\
        22 1 8:1 / / rw - ext4 /dev/sda1 rw\n";

    #[test]
    fn controllers_that_are_mounted_one_by_one_are_found() {
        let found = separate(BOTH);
        let expected = [
            (Controller::Memory, PathBuf::from("/sys/fs/cgroup/memory")),
            (Controller::Cpu, PathBuf::from("/sys/fs/cgroup/cpu,cpuacct")),
        ];
        assert_eq!(found, expected);
        assert!(separate("22 1 8:1 / / rw - ext4 /dev/sda1 rw\n").is_empty());
    }

    #[test]
    fn our_own_group_is_found_also_after_we_have_moved_aside() {
        let mounts = "30 20 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw,nsdelegate\n";
        let expected = Some(PathBuf::from("/sys/fs/cgroup/system.slice/ocim.service"));
        assert_eq!(unified(mounts, "0::/system.slice/ocim.service\n"), expected);
        assert_eq!(unified(mounts, "1:name=x:/\n0::/system.slice/ocim.service/manager\n"), expected);
        assert_eq!(unified(mounts, "0::/\n"), Some(PathBuf::from("/sys/fs/cgroup")));
        assert_eq!(unified(mounts, "8:pids:/\n"), None);
        let part = "30 20 0:26 /docker/1 /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n";
        assert_eq!(unified(part, "0::/docker/1/app\n"), Some(PathBuf::from("/sys/fs/cgroup/app")));
        assert_eq!(unified(part, "0::/elsewhere\n"), None);
    }
}

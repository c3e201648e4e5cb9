//! The chain of commands that leads to bubblewrap, each of which replaces the one before:
//!
//! 1. `setpriv` dies with this program. As root: a mount namespace of its own, in which what is to be shown is mounted
//!    where the run's user can reach it (the program's own directories are private); the control group; then the run's
//!    user. A change of the user takes the death signal away, so it is set again, and the parent is compared.
//! 2. With a network: `pasta` makes a user and a network namespace as that user, and a shell in it loads the rules.
//! 3. `bwrap`, in whose own user namespace the program has no right to change that network.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::bubblewrap::View;
use super::settings::RunLimits;

/// The exit status if the wall could not be built; its reason is on stderr, after [`REASON_PREFIX`].
pub(super) const FAILED: i32 = 125;
/// Begins the reason.
pub(super) const REASON_PREFIX: &str = "ocim-wall: ";

/// Where root mounts what is shown, in a mount namespace of the run: exists on every host, and holds nothing that a run
/// is shown.
pub(super) const STAGE: &str = "/dev/shm";

/// $1: files of control groups to join. $2: directories and $3: files to make. $4: what to mount. $5: whether to make a
/// device for the network.
const AS_ROOT: &str = r#"
fail() { echo "ocim-wall: $1" >&2; exit 125; }
umask 022
for file in $1; do echo 0 >"$file" || fail "the control group $file cannot be joined"; done
mount -t tmpfs -o mode=755,size=8m tmpfs /dev/shm && cd /dev/shm || fail 'no file system can be mounted'
mkdir $2 || fail 'no directory can be made'
for file in $3; do : >"$file"; done
mount -a -T "$4" || fail 'what the run needs cannot be mounted'
if [ "$5" = tun ]; then
    mount -t tmpfs -o mode=755 tmpfs /dev/net && mknod -m 666 /dev/net/tun c 10 200 || fail '/dev/net/tun cannot be made'
fi
cd /
shift 5
exec "$@"
"#;

/// $1: the pid of this program. If it ended before the death signal was set, the run would go on without it.
const STILL_THERE: &str = r#"[ "$PPID" = "$1" ] || exit 125; shift; umask 022; exec "$@""#;

/// $1: the rules of the network; empty: none. $2: the filter of system calls; empty: none.
const ENTER: &str = r#"
fail() { echo "ocim-wall: $1" >&2; exit 125; }
[ -z "$1" ] || nft -f "$1" || fail 'the rules of the network cannot be loaded'
[ -z "$2" ] || exec 9<"$2"
shift 2
exec "$@"
"#;

/// What only root can do for a run.
#[derive(Debug, Clone)]
pub(super) struct Root {
    pub(super) uid: u32,
    /// Files of control groups.
    pub(super) groups: Vec<PathBuf>,
    /// What is mounted in [`STAGE`]: directories and files, by their number.
    pub(super) staged: Staged,
    /// The table of these mounts.
    pub(super) table: PathBuf,
    /// `/dev/net/tun` is not open to users, so the run gets one of its own.
    pub(super) makes_tun: bool,
}

/// Paths that are mounted in [`STAGE`], so that the run's user reaches them even below directories that it may not enter.
#[derive(Debug, Clone, Default)]
pub(super) struct Staged(Vec<(PathBuf, bool)>);

impl Staged {
    /// Adds a path; gives where it will be.
    pub(super) fn add(&mut self, path: &Path) -> PathBuf {
        let number = self.0.len();
        self.0.push((path.to_owned(), path.is_dir()));
        Path::new(STAGE).join(number.to_string())
    }

    fn numbers(&self, is_dir: bool) -> String {
        let numbers = self.0.iter().enumerate().filter(|(_, (_, kind))| *kind == is_dir).map(|(number, _)| number);
        numbers.map(|number| number.to_string()).collect::<Vec<_>>().join(" ")
    }

    /// In the form of fstab(5).
    pub(super) fn table(&self) -> Vec<u8> {
        let mut table = Vec::new();
        for (number, (path, _)) in self.0.iter().enumerate() {
            for byte in path.as_os_str().as_encoded_bytes() {
                match byte {
                    b' ' | b'\t' | b'\n' | b'\\' | b'#' => table.extend(format!("\\{byte:03o}").bytes()),
                    other => table.push(*other),
                }
            }
            table.extend(format!(" {STAGE}/{number} none rbind 0 0\n").bytes());
        }
        table
    }
}

/// What the chain needs.
#[derive(Debug)]
pub(super) struct Launch<'a> {
    /// None: this program is not root.
    pub(super) root: Option<Root>,
    pub(super) limits: RunLimits,
    /// Options of pasta and the file of rules; none: no network.
    pub(super) network: Option<(Vec<String>, PathBuf)>,
    /// The file of the filter.
    pub(super) seccomp: Option<PathBuf>,
    pub(super) view: &'a View,
}

impl Launch<'_> {
    /// The whole command up to the program.
    pub(super) fn words(&self) -> Vec<OsString> {
        let mut words = of(&["setpriv", "--pdeathsig", "KILL", "--"]);
        if let Some(root) = &self.root {
            words.extend(of(&["unshare", "--mount", "--propagation", "slave", "--", "sh", "-c", AS_ROOT, "ocim-wall"]));
            let groups: Vec<_> = root.groups.iter().map(|file| file.display().to_string()).collect();
            words.extend(of(&[&groups.join(" "), &root.staged.numbers(true), &root.staged.numbers(false)]));
            words.push(root.table.clone().into());
            words.extend(of(&[if root.makes_tun { "tun" } else { "" }]));
        }
        words.extend(self.limits());
        if let Some(root) = &self.root {
            let (uid, gid) = (format!("--reuid={}", root.uid), format!("--regid={}", root.uid));
            words.extend(of(&["setpriv", &uid, &gid, "--clear-groups", "--inh-caps=-all", "--"]));
            words.extend(of(&["setpriv", "--pdeathsig", "KILL", "--"]));
        }
        let parent = std::process::id().to_string();
        words.extend(of(&["sh", "-c", STILL_THERE, "ocim-wall", &parent]));
        if let Some((options, _)) = &self.network {
            words.push("pasta".into());
            words.extend(options.iter().map(OsString::from));
            words.extend(of(&["--", "setpriv", "--pdeathsig", "KILL", "--"]));
        }
        words.extend(of(&["sh", "-c", ENTER, "ocim-wall"]));
        words.push(self.network.as_ref().map(|(_, rules)| rules.clone().into()).unwrap_or_default());
        words.push(self.seccomp.clone().map(Into::into).unwrap_or_default());
        words.extend(self.view.arguments());
        words
    }

    fn limits(&self) -> Vec<OsString> {
        let RunLimits { processes, file_mb, open_files, .. } = self.limits;
        let (files, bytes) = (format!("--nofile={open_files}"), format!("--fsize={}", file_mb << 20));
        let mut words = of(&["prlimit", "--core=0", &files, &bytes]);
        // Counted per user: without a user of its own, the run would be refused for what others have started.
        if self.root.is_some() {
            words.extend(of(&[&format!("--nproc={}", processes.saturating_add(PROCESSES_OF_WALL))]));
        }
        words.extend(of(&["--"]));
        words
    }
}

/// Processes and threads of the wall itself.
const PROCESSES_OF_WALL: u32 = 16;

fn of(words: &[&str]) -> Vec<OsString> {
    words.iter().map(OsString::from).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_with_spaces_is_one_field_of_the_table() {
        let mut staged = Staged::default();
        assert_eq!(staged.add(Path::new("/")), Path::new("/dev/shm/0"));
        assert_eq!(staged.add(Path::new("/a b/#c\\d")), Path::new("/dev/shm/1"));
        let table = String::from_utf8_lossy(&staged.table()).into_owned();
        assert_eq!(table, "/ /dev/shm/0 none rbind 0 0\n/a\\040b/\\043c\\134d /dev/shm/1 none rbind 0 0\n");
        assert_eq!((staged.numbers(true), staged.numbers(false)), ("0".to_owned(), "1".to_owned()));
    }
}

//! The read-only file system shared by all local machines: a minimal Debian with sshd, Python, nginx and runit, and a
//! user for Ansible. Made once per host by `mmdebstrap`, about 260 MB in half a minute to two minutes. Containers get the
//! same; an ordinary user, who cannot own its files, makes it as an archive.
//!
//! Its directory is named after a hash of its inputs and the day: a change makes a new tree, as does age
//! ([`super::trees`]), and machines keep the tree they were made on. The directory is renamed into place when it is
//! complete.

use std::fs::{self, OpenOptions, Permissions};
use std::io::Write;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use chrono::Utc;
use sha2::{Digest, Sha256};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;
use tokio::time::timeout;

use super::apt;
use super::command::tail;
use super::error::LocalError;
use super::files::remove_tree;
use super::lock::Lock;
use super::preflight;
use super::trees::is_older;

/// The beginning of every tree's name.
const PREFIX: &str = "base-";
/// The end of the name of a tree that is being made.
const PARTIAL: &str = ".partial";
/// Held while a tree is made.
const LOCK: &str = "base.lock";
const CUSTOMIZE: &str = include_str!("base_tree.sh");
const PACKAGES: &str = "openssh-server,python3,python3-venv,iproute2,ca-certificates,procps,sudo,nginx-light,runit";
/// Timeout of mmdebstrap, long enough for a slow mirror, and of copying a tree.
const LIMIT: Duration = Duration::from_secs(1800);
const MAX_KEPT_LINES: usize = 20;

/// In which form the base tree is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// A directory, whose files have their owners. Only root can make it.
    Directory,
    /// A tar archive, which an ordinary user makes in a namespace of subordinate ids.
    Archive,
}

/// A directory with the modes of the script and of apt's options in it.
struct Bench {
    dir: TempDir,
    script: u32,
    options: u32,
}

impl Form {
    /// The one that this process can make.
    #[must_use]
    pub fn here() -> Self {
        if rustix::process::geteuid().is_root() { Self::Directory } else { Self::Archive }
    }

    /// The end of the names.
    const fn suffix(self) -> &'static str {
        match self {
            Self::Directory => "",
            Self::Archive => ".tar",
        }
    }

    /// What mmdebstrap is told.
    const fn options(self) -> [&'static str; 2] {
        match self {
            Self::Directory => ["--mode=root", "--format=directory"],
            Self::Archive => ["--mode=unshare", "--format=tar"],
        }
    }

    /// A new directory for what mmdebstrap reads and unpacks. As an ordinary user, it works in a namespace that does not map
    /// this user: there it may enter only directories that all users may, which a home often is not.
    fn bench(self, workshop: &Path) -> Result<Bench, LocalError> {
        let (parent, dir, script, options) = match self {
            // The options may hold the password of a proxy.
            Self::Directory => (workshop, 0o700, 0o700, 0o600),
            // /tmp may be small.
            Self::Archive => (Path::new("/var/tmp"), 0o755, 0o755, 0o644),
        };
        let made = tempfile::Builder::new().prefix("ocim-base-").tempdir_in(parent).map_err(LocalError::io(parent))?;
        set_mode(made.path(), dir)?;
        Ok(Bench { dir: made, script, options })
    }

    fn preflight(self) -> Result<(), LocalError> {
        match self {
            Self::Directory => preflight::check_root(),
            Self::Archive => preflight::check_program("newuidmap", "uidmap"),
        }
    }
}

/// Gives the directory of the base tree in the cache directory, and makes it first where it is missing. Of several
/// processes one makes it and the others wait. `progress` gets a line for each step, for the operator.
///
/// # Errors
/// [`LocalError::NotRoot`], [`LocalError::MissingProgram`], or [`LocalError::BaseTree`] with the last lines of output.
pub async fn ensure(cache_dir: &Path, progress: &(dyn Fn(&str) + Sync)) -> Result<PathBuf, LocalError> {
    ensure_in(cache_dir, Form::Directory, progress).await
}

/// As [`ensure`], in this form.
///
/// # Errors
/// As [`ensure`]; [`LocalError::MissingProgram`] also for `newuidmap`.
pub async fn ensure_in(cache_dir: &Path, form: Form, progress: &(dyn Fn(&str) + Sync)) -> Result<PathBuf, LocalError> {
    match newest(cache_dir, form) {
        Some(tree) => canonical(&tree),
        None => make_unless(cache_dir, form, &|_tree| true, progress).await,
    }
}

/// The newest tree of the present version in this form; none if there is none.
pub(in crate::machines::providers) fn newest(cache_dir: &Path, form: Form) -> Option<PathBuf> {
    all_in(cache_dir, form).pop()
}

/// Makes a tree, unless another process has made one that is not as old as `age`. Gives the newest.
pub(super) async fn renew(
    cache_dir: &Path,
    age: Duration,
    progress: &(dyn Fn(&str) + Sync),
) -> Result<PathBuf, LocalError> {
    renew_in(cache_dir, Form::Directory, age, progress).await
}

/// As [`renew`], in this form.
pub(in crate::machines::providers) async fn renew_in(
    cache_dir: &Path,
    form: Form,
    age: Duration,
    progress: &(dyn Fn(&str) + Sync),
) -> Result<PathBuf, LocalError> {
    let is_young = |tree: &Path| {
        let made = fs::metadata(tree).and_then(|found| found.modified());
        made.is_ok_and(|made| !is_older(made, age))
    };
    make_unless(cache_dir, form, &is_young, progress).await
}

/// All trees of the present version, the oldest first. Trees of earlier versions of this program had no day in the name.
pub(super) fn all(cache_dir: &Path) -> Vec<PathBuf> {
    all_in(cache_dir, Form::Directory)
}

fn all_in(cache_dir: &Path, form: Form) -> Vec<PathBuf> {
    let Ok(first) = first_name() else { return Vec::new() };
    let is_one = |name: &str| {
        let name = name.strip_suffix(form.suffix());
        let day = name.and_then(|name| name.strip_prefix(&first));
        let day = day.map(|rest| rest.strip_prefix('-').unwrap_or(rest));
        day.is_some_and(|day| day.bytes().all(|byte| byte.is_ascii_digit()))
    };
    let entries = fs::read_dir(cache_dir).into_iter().flatten().flatten();
    let mut trees: Vec<PathBuf> = entries
        .filter(|entry| entry.file_name().to_str().is_some_and(is_one))
        .map(|entry| entry.path())
        .filter(|path| path.is_dir() == (form == Form::Directory))
        .collect();
    trees.sort();
    trees
}

/// Trees of earlier versions, and what was left of a tree that was being made when the program was killed. Only while no
/// tree is being made.
pub(super) fn of_earlier_versions(cache_dir: &Path) -> Vec<PathBuf> {
    let Ok(first) = first_name() else { return Vec::new() };
    if Lock::is_held(&cache_dir.join(LOCK)) {
        return Vec::new();
    }
    let entries = fs::read_dir(cache_dir).into_iter().flatten().flatten().map(|entry| entry.path());
    let is_earlier = |name: &str| name.starts_with(PREFIX) && (!name.starts_with(&first) || name.ends_with(PARTIAL));
    entries
        .filter(|path| path.is_dir())
        .filter(|path| path.file_name().and_then(|name| name.to_str()).is_some_and(is_earlier))
        .collect()
}

async fn make_unless(
    cache_dir: &Path,
    form: Form,
    is_enough: &(dyn Fn(&Path) -> bool + Sync),
    progress: &(dyn Fn(&str) + Sync),
) -> Result<PathBuf, LocalError> {
    let release = apt::release()?;
    form.preflight()?;
    preflight::check_program("mmdebstrap", "mmdebstrap")?;
    fs::create_dir_all(cache_dir).map_err(LocalError::io(cache_dir))?;
    let lock_path = cache_dir.join(LOCK);
    if Lock::is_held(&lock_path) {
        progress("waiting for another process that makes the base tree");
    }
    let _lock = Lock::take(lock_path).await?;
    if let Some(tree) = newest(cache_dir, form).filter(|tree| is_enough(tree)) {
        return canonical(&tree);
    }
    let name = format!("{}-{}", first_name()?, Utc::now().format("%Y%m%d"));
    let tree = cache_dir.join(format!("{name}{}", form.suffix()));
    let workshop = cache_dir.join(format!("{name}{PARTIAL}"));
    remove_tree(&workshop)?;
    let made = make(&workshop, form, &release, progress).await;
    let moved = made.and_then(|()| fs::rename(workshop.join("tree"), &tree).map_err(LocalError::io(&tree)));
    remove_tree(&workshop)?;
    moved?;
    if form == Form::Archive {
        remove_archives_but(cache_dir, &tree);
    }
    canonical(&tree)
}

/// Removes earlier archives, also of earlier versions: nothing is on them.
fn remove_archives_but(cache_dir: &Path, kept: &Path) {
    let entries = fs::read_dir(cache_dir).into_iter().flatten().flatten().map(|entry| entry.path());
    let is_archive = |path: &PathBuf| {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        name.starts_with(PREFIX) && name.ends_with(Form::Archive.suffix())
    };
    for path in entries.filter(is_archive).filter(|path| path != kept) {
        if let Err(error) = fs::remove_file(&path) {
            tracing::warn!(path = %path.display(), %error, "an old base tree could not be removed");
        }
    }
}

/// The beginning of the names of all trees of the present version.
fn first_name() -> Result<String, LocalError> {
    Ok(format!("{PREFIX}{}", version(&apt::release()?)))
}

async fn make(workshop: &Path, form: Form, release: &str, progress: &(dyn Fn(&str) + Sync)) -> Result<(), LocalError> {
    let sources = apt::sources(release).await?;
    let options = apt::acquire_options().await?;
    fs::create_dir_all(workshop).map_err(LocalError::io(workshop))?;
    let bench = form.bench(workshop)?;
    let (customize, options_file) = (bench.dir.path().join("customize.sh"), bench.dir.path().join("apt.conf"));
    write_new(&customize, CUSTOMIZE, bench.script)?;
    write_new(&options_file, &options, bench.options)?;

    progress(&format!("making the base tree of the machines ({release}, about 260 MB)"));
    let mut command = Command::new("mmdebstrap");
    command
        .args(form.options())
        .arg("--variant=minbase")
        .arg(format!("--include={PACKAGES}"))
        .arg(format!("--aptopt={}", options_file.display()))
        .arg(format!("--customize-hook={}", customize.display()))
        .arg(release)
        .arg(workshop.join("tree"))
        .args(sources)
        .env("LC_ALL", "C");
    if form == Form::Archive {
        command.env("TMPDIR", bench.dir.path());
    }
    let made = watch("mmdebstrap", command, progress).await;
    // Why it could not be made is told first.
    made.and(bench.dir.close().map_err(LocalError::io("/var/tmp")))
}

/// Runs a program for half an hour at most, and passes on the progress lines of mmdebstrap. What it last printed is in the
/// error.
pub(super) async fn watch(name: &str, command: Command, progress: &(dyn Fn(&str) + Sync)) -> Result<(), LocalError> {
    match timeout(LIMIT, run_to_end(name, command, progress)).await {
        Ok(result) => result,
        Err(_elapsed) => Err(LocalError::BaseTree(format!("{name} took longer than {} s", LIMIT.as_secs()))),
    }
}

async fn run_to_end(name: &str, mut command: Command, progress: &(dyn Fn(&str) + Sync)) -> Result<(), LocalError> {
    let failed = |text: String| LocalError::BaseTree(text);
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| failed(error.to_string()))?;
    let mut last_lines: Vec<String> = Vec::new();
    if let Some(stderr) = child.stderr.take() {
        let mut lines = BufReader::new(stderr).lines();
        while let Ok(Some(line)) = lines.next_line().await {
            if let Some(step) = line.strip_prefix("I: ") {
                progress(step);
            }
            if last_lines.len() == MAX_KEPT_LINES {
                last_lines.remove(0);
            }
            last_lines.push(line);
        }
    }
    let status = child.wait().await.map_err(|error| failed(error.to_string()))?;
    if status.success() {
        return Ok(());
    }
    Err(failed(format!("{name}: {status}: {}", tail(&last_lines.join("\n")))))
}

/// A hash of all inputs that decide what is in the tree, except the mirrors and the date.
fn version(release: &str) -> String {
    let mut hash = Sha256::new();
    for part in ["minbase", release, std::env::consts::ARCH, PACKAGES, CUSTOMIZE] {
        hash.update(part.as_bytes());
        hash.update([0]);
    }
    hex::encode(hash.finalize()).chars().take(12).collect()
}

fn write_new(path: &Path, text: &str, mode: u32) -> Result<(), LocalError> {
    let mut options = OpenOptions::new();
    let file = options.write(true).create_new(true).mode(mode).open(path);
    file.and_then(|mut file| file.write_all(text.as_bytes())).map_err(LocalError::io(path))?;
    set_mode(path, mode)
}

/// Sets the mode, regardless of the umask.
fn set_mode(path: &Path, mode: u32) -> Result<(), LocalError> {
    fs::set_permissions(path, Permissions::from_mode(mode)).map_err(LocalError::io(path))
}

fn canonical(path: &Path) -> Result<PathBuf, LocalError> {
    path.canonicalize().map_err(LocalError::io(path))
}

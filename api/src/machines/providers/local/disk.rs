//! A machine's own disk: a file with an ext4 file system, as large as the machine may fill. It takes no more of the host's
//! disk than what is written to it.
//!
//! Only the machine's mount namespace mounts it (`boot.sh`): the mount and its loop device go with the machine, and come
//! back with its next boot. A machine without this file, as of an earlier version or on a host without loop devices, has
//! its files beside it, and can fill the host's disk.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use super::command::run;
use super::error::LocalError;
use super::files::remove_tree;

/// The file with the file system, in the machine's directory.
const IMAGE: &str = "disk.img";
/// Holds what a new disk begins with: the directories of the overlay.
const SEED: &str = "seed";
/// The beginning of the names of trials.
const TRIAL: &str = "disk-trial-";
/// A size for which a file system takes little time to make, for the check.
const SMALL_MB: u64 = 8;

/// Where the machine's first files are written: into the seed of its disk, or its directory if it gets no disk.
pub(super) fn place_of_seed(machine_dir: &Path, disk_mb: Option<u64>) -> PathBuf {
    if disk_mb.is_some() { machine_dir.join(SEED) } else { machine_dir.to_owned() }
}

/// Makes the disk of a machine from its seed. Atomic: the file appears when it is complete.
pub(super) async fn make(machine_dir: &Path, disk_mb: u64) -> Result<(), LocalError> {
    let (image, seed) = (machine_dir.join(IMAGE), machine_dir.join(SEED));
    let mount_point = machine_dir.join("disk");
    fs::create_dir_all(&mount_point).map_err(LocalError::io(&mount_point))?;
    if !image.exists() {
        let fresh = machine_dir.join("disk.new");
        make_image(&fresh, &seed, disk_mb).await?;
        fs::rename(&fresh, &image).map_err(LocalError::io(&image))?;
    }
    remove_tree(&seed)
}

/// Why this host cannot give machines disks of their own; none if it can. Tries it, in this directory of root's.
pub(super) async fn trouble(dir: &Path) -> Option<String> {
    static TRIALS: AtomicU32 = AtomicU32::new(0);
    let number = TRIALS.fetch_add(1, Ordering::Relaxed);
    remove_trials_of_the_dead(dir);
    let trial = dir.join(format!("{TRIAL}{}-{number}", std::process::id()));
    let outcome = attempt(&trial).await;
    // It holds nothing that matters.
    let _ = remove_tree(&trial);
    outcome.err().map(|error| error.to_string())
}

/// Removes the trials of programs that were killed.
fn remove_trials_of_the_dead(dir: &Path) {
    for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let pid = name.strip_prefix(TRIAL).and_then(|rest| rest.split('-').next());
        if pid.is_some_and(|pid| !Path::new("/proc").join(pid).exists()) {
            let _ = remove_tree(&entry.path());
        }
    }
}

async fn attempt(trial: &Path) -> Result<(), LocalError> {
    remove_tree(trial)?;
    let (seed, mount_point, image) = (trial.join(SEED), trial.join("disk"), trial.join(IMAGE));
    for dir in [&seed, &mount_point] {
        fs::create_dir_all(dir).map_err(LocalError::io(dir))?;
    }
    make_image(&image, &seed, SMALL_MB).await?;
    let words =
        ["--mount", "--propagation", "private", "--", "mount", "-t", "ext4", "-o", "loop,discard,noinit_itable"];
    let mut arguments: Vec<&OsStr> = words.iter().map(OsStr::new).collect();
    arguments.extend([image.as_os_str(), mount_point.as_os_str()]);
    run("unshare", &arguments).await.map(drop)
}

/// A sparse file with a file system that holds the seed. Its inode tables stay unwritten until they are used.
async fn make_image(image: &Path, seed: &Path, disk_mb: u64) -> Result<(), LocalError> {
    let file = File::create(image).map_err(LocalError::io(image))?;
    file.set_len(disk_mb << 20).map_err(LocalError::io(image))?;
    drop(file);
    let words = ["-q", "-F", "-m", "0", "-E", "lazy_itable_init=1,lazy_journal_init=1,nodiscard", "-d"];
    let mut arguments: Vec<&OsStr> = words.iter().map(OsStr::new).collect();
    arguments.extend([seed.as_os_str(), image.as_os_str()]);
    run("mkfs.ext4", &arguments).await.map(drop)
}

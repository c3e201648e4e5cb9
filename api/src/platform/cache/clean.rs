//! Removes entries that have not been used for long.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::{CacheLimits, LOCK, MADE, USE, beside, is_beside};
use crate::platform::removal::remove_tree;

/// The directories of entries.
const FOLDERS: &[&str] = &["venv", "git", "galaxy", "wheelhouse"];
/// Entries that are directories of the cache themselves.
const SINGLE_ENTRIES: &[&str] = &["wheels"];
/// Directories with the key files of commands that run; those of a program that was killed are removed after a day.
const KEYS: &str = "git/keys";

/// An entry that was used within this time is kept even if the cache is too large: between two steps of a build nothing
/// holds its entries.
const IDLE: Duration = Duration::from_secs(3600);
/// After this time, files of keys are left from a program that was killed.
const DAY: Duration = Duration::from_secs(24 * 3600);
/// Appended to the name of an entry that is being removed.
const REMOVED: &str = ".gone";

/// What was removed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Cleaned {
    /// How many entries.
    pub entries: usize,
    /// Their size.
    pub megabytes: u64,
}

#[derive(Debug)]
struct Entry {
    path: PathBuf,
    /// In bytes, as the disk counts them.
    size: u64,
    /// How long it has not been used.
    idle: Duration,
}

/// Removes the entries of a cache directory that were last used longer ago than the limit, and then those that were not
/// used for the longest time, until the others take less than the limit. What is held is kept. Idempotent; if another
/// program cleans the cache now, nothing is done.
///
/// # Errors
/// [`io::Error`] if the directory cannot be read; or the first error, if entries cannot be removed: the others are.
pub fn clean(cache_dir: &Path, limits: CacheLimits) -> io::Result<Cleaned> {
    if !cache_dir.is_dir() {
        return Ok(Cleaned::default());
    }
    let guard = File::create(cache_dir.join(".cleaning"))?;
    if guard.try_lock().is_err() {
        return Ok(Cleaned::default());
    }
    remove_key_files(&cache_dir.join(KEYS))?;
    let mut entries = entries(cache_dir)?;
    entries.sort_by_key(|entry| std::cmp::Reverse(entry.idle));
    let (most, age) = (limits.max_mb.saturating_mul(1 << 20), DAY.saturating_mul(limits.days));
    let mut total: u64 = entries.iter().map(|entry| entry.size).sum();
    let mut bytes = 0;
    let mut cleaned = Cleaned::default();
    let mut failure = None;
    for entry in entries {
        let is_old = limits.days > 0 && entry.idle > age;
        let is_too_much = limits.max_mb > 0 && total > most && entry.idle > IDLE;
        if !is_old && !is_too_much {
            continue;
        }
        match remove(&entry) {
            Ok(true) => {
                total -= entry.size;
                bytes += entry.size;
                cleaned.entries += 1;
            }
            Ok(false) => {}
            Err(error) => failure = failure.or(Some(error)),
        }
    }
    cleaned.megabytes = bytes >> 20;
    failure.map_or(Ok(cleaned), Err)
}

/// All entries; removes the rest of earlier removals.
fn entries(cache_dir: &Path) -> io::Result<Vec<Entry>> {
    let mut paths: Vec<PathBuf> =
        SINGLE_ENTRIES.iter().map(|name| cache_dir.join(name)).filter(|path| path.is_dir()).collect();
    for folder in FOLDERS {
        for path in children(&cache_dir.join(folder))? {
            let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            if name.ends_with(REMOVED) {
                remove_tree(&path)?;
            } else if !is_beside(&path) && !name.starts_with('.') && !matches!(name.as_str(), "config" | "keys") {
                paths.push(path);
            }
        }
    }
    let now = SystemTime::now();
    let entry = |path: PathBuf| {
        let used = [beside(&path, USE), beside(&path, LOCK), path.clone()];
        let used = used.iter().filter_map(|path| fs::symlink_metadata(path).ok()?.modified().ok()).max();
        let idle = used.and_then(|used| now.duration_since(used).ok()).unwrap_or_default();
        Entry { size: size(&path), idle, path }
    };
    Ok(paths.into_iter().map(entry).collect())
}

/// Removes an entry. False: it is held or being made.
fn remove(entry: &Entry) -> io::Result<bool> {
    let lock = |extension| {
        let file = OpenOptions::new().create(true).append(true).open(beside(&entry.path, extension))?;
        Ok::<_, io::Error>(file.try_lock().is_ok().then_some(file))
    };
    // In this order: a new lock file would make an entry that is held look used.
    let Some(using) = lock(USE)? else { return Ok(false) };
    let Some(_making) = lock(LOCK)? else { return Ok(false) };
    let mut gone = entry.path.clone().into_os_string();
    gone.push(REMOVED);
    let gone = PathBuf::from(gone);
    remove_tree(&beside(&entry.path, MADE))?;
    fs::rename(&entry.path, &gone)?;
    // From here on the entry is not found; a build that waited makes another one.
    drop(using);
    remove_tree(&gone)?;
    Ok(true)
}

fn remove_key_files(dir: &Path) -> io::Result<()> {
    for path in children(dir)? {
        let modified = fs::symlink_metadata(&path).and_then(|about| about.modified());
        if modified.ok().and_then(|at| at.elapsed().ok()).is_some_and(|age| age > DAY) {
            remove_tree(&path)?;
        }
    }
    Ok(())
}

fn children(dir: &Path) -> io::Result<Vec<PathBuf>> {
    match fs::read_dir(dir) {
        Ok(found) => found.map(|entry| entry.map(|entry| entry.path())).collect(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

/// The bytes of a file or tree on the disk. Links are not followed; what cannot be read counts as nothing.
fn size(path: &Path) -> u64 {
    let mut total = 0;
    let mut waiting = vec![path.to_owned()];
    while let Some(path) = waiting.pop() {
        let Ok(about) = fs::symlink_metadata(&path) else { continue };
        total += about.blocks() * 512;
        if about.is_dir() {
            waiting.extend(children(&path).unwrap_or_default());
        }
    }
    total
}

#![allow(clippy::unwrap_used)]

use std::fs;

use super::*;

const HOUR: u64 = 3600;

struct Cache(tempfile::TempDir);

impl Cache {
    fn new() -> Self {
        let cache = Self(tempfile::tempdir().unwrap());
        for folder in ["venv", "git/keys", "galaxy", "wheelhouse"] {
            fs::create_dir_all(cache.at(folder)).unwrap();
        }
        cache
    }

    fn at(&self, path: &str) -> PathBuf {
        self.0.path().join(path)
    }

    /// A directory of so many megabytes, last used so many hours ago.
    fn entry(&self, path: &str, megabytes: usize, hours: u64) -> PathBuf {
        let entry = self.at(path);
        fs::create_dir_all(entry.join("lib")).unwrap();
        fs::write(entry.join("lib/content"), vec![1; megabytes << 20]).unwrap();
        drop(hold(&entry).unwrap());
        age(&entry, hours);
        age(&beside(&entry, USE), hours);
        entry
    }

    fn clean(&self, max_mb: u64, days: u32) -> Cleaned {
        clean(self.0.path(), CacheLimits { max_mb, days }).unwrap()
    }
}

fn age(path: &Path, hours: u64) {
    let at = SystemTime::now() - std::time::Duration::from_secs(hours * HOUR);
    File::open(path).unwrap().set_modified(at).unwrap();
}

#[test]
fn what_was_not_used_for_days_is_removed() {
    let cache = Cache::new();
    let old = ["venv/a", "git/b.git", "galaxy/c", "wheels"].map(|path| cache.entry(path, 1, 31 * 24));
    let new = ["venv/d", "git/e.git", "galaxy/f"].map(|path| cache.entry(path, 1, 29 * 24));
    let tar = cache.at("wheelhouse/g.tar");
    fs::write(&tar, "x").unwrap();
    age(&tar, 31 * 24);
    fs::write(cache.at("git/config"), "x").unwrap();
    age(&cache.at("git/config"), 99 * 24);
    assert_eq!(cache.clean(0, 0), Cleaned::default(), "no limits");
    assert_eq!(cache.clean(0, 30), Cleaned { entries: 5, megabytes: 4 });
    assert!(old.iter().all(|path| !path.exists()) && !tar.exists());
    assert!(new.iter().all(|path| path.exists()) && cache.at("git/config").exists());
    assert_eq!(cache.clean(0, 30), Cleaned::default(), "again");
}

#[test]
fn the_longest_unused_are_removed_until_the_rest_fits() {
    let cache = Cache::new();
    let [oldest, older, newer] =
        [("venv/a", 9), ("git/b.git", 5), ("venv/c", 2)].map(|(path, hours)| cache.entry(path, 3, hours));
    let busy = cache.entry("venv/d", 3, 0);
    assert_eq!(cache.clean(7, 0).entries, 2);
    assert!(!oldest.exists() && !older.exists() && newer.exists() && busy.exists());
    // What was used within the hour stays, even above the limit.
    assert_eq!(cache.clean(1, 0).entries, 1);
    assert!(!newer.exists() && busy.exists());
}

#[test]
fn what_is_held_or_being_made_is_kept() {
    let cache = Cache::new();
    let (held, made) = (cache.entry("venv/a", 1, 99 * 24), cache.entry("git/b.git", 1, 99 * 24));
    let (one, other) = (hold(&held).unwrap(), hold(&held).unwrap());
    age(&beside(&held, USE), 99 * 24);
    let making = File::create(beside(&made, LOCK)).unwrap();
    making.lock().unwrap();
    age(&beside(&made, LOCK), 99 * 24);
    assert_eq!(cache.clean(1, 30).entries, 0);
    drop((one, making));
    age(&beside(&made, LOCK), 99 * 24);
    assert_eq!(cache.clean(1, 30).entries, 1, "the one that was made");
    assert!(held.exists());
    drop(other);
    assert_eq!(cache.clean(1, 30).entries, 1);
    assert!(!held.exists());
}

#[test]
fn use_makes_an_entry_young() {
    let cache = Cache::new();
    let entry = cache.entry("venv/a", 1, 99 * 24);
    drop(hold(&entry).unwrap());
    assert_eq!(cache.clean(0, 30).entries, 0);
    assert!(entry.exists());
}

#[test]
fn leftovers_of_a_killed_program_are_removed() {
    let cache = Cache::new();
    let (old, new) = (cache.entry("git/keys/a", 0, 25), cache.entry("git/keys/b", 0, 1));
    let gone = cache.entry("venv/c.gone", 0, 0);
    cache.clean(0, 30);
    assert!(!old.exists() && new.exists() && !gone.exists());
}

#[test]
fn only_one_program_cleans() {
    let cache = Cache::new();
    let entry = cache.entry("venv/a", 1, 99 * 24);
    let other = File::create(cache.at(".cleaning")).unwrap();
    other.lock().unwrap();
    assert_eq!(cache.clean(0, 30), Cleaned::default());
    drop(other);
    assert_eq!(cache.clean(0, 30).entries, 1);
    assert!(!entry.exists());
}

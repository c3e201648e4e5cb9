//! Disks, keys, the database's version and backups.

use std::collections::BTreeSet;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use chrono::{DateTime, Utc};
use shared_types::InstanceId;

use super::{Finding, count, or_ok, span};

/// After this time without `ocim admin backup`, in seconds: two days.
const BACKUP_WARNING: i64 = 2 * 86_400;
/// The most instances that are named.
const NAMED: usize = 10;

/// The space on the disk of a directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Room {
    pub dir: PathBuf,
    /// Free space in MB, or why it is not known.
    pub free_mb: Result<u64, String>,
}

impl Room {
    /// The space on each disk that these directories are on, with the first directory there.
    pub fn of_disks(dirs: &[PathBuf]) -> Vec<Self> {
        let mut disks = BTreeSet::new();
        let is_new = |dir: &&PathBuf| existing(dir).metadata().map_or(true, |about| disks.insert(about.dev()));
        dirs.iter().filter(is_new).map(|dir| Self::of(dir)).collect()
    }

    fn of(dir: &Path) -> Self {
        let existing = existing(dir);
        let found = rustix::fs::statvfs(existing).map_err(|error| error.to_string());
        let free_mb = found.map(|found| found.f_bavail.saturating_mul(found.f_frsize) >> 20);
        Self { dir: dir.to_owned(), free_mb }
    }
}

/// The directory, or the one above that exists: it will be on the same disk.
fn existing(dir: &Path) -> &Path {
    dir.ancestors().find(|dir| dir.exists()).unwrap_or(dir)
}

/// The disks of this host. `min_free_mb`: below this no build begins.
pub fn rooms(rooms: &[Room], min_free_mb: u64) -> Vec<Finding> {
    let finding = |Room { dir, free_mb }: &Room| {
        let dir = dir.display();
        let remedy = "Free space there, or make the disk larger; OCIM_MIN_FREE_MB is the limit, OCIM_CACHE_MAX_MB limits the cache.";
        match free_mb {
            Ok(free) if *free < min_free_mb => {
                let what =
                    format!("The disk of {dir} has {free} MB free, less than {min_free_mb} MB: no build begins.");
                Some(Finding::wrong("disk", what, remedy))
            }
            Ok(free) if *free < min_free_mb.saturating_mul(2) => {
                let what = format!("The disk of {dir} has {free} MB free; below {min_free_mb} MB no build begins.");
                Some(Finding::warning("disk", what, remedy))
            }
            Ok(_) => None,
            Err(words) => {
                let what = format!("The disk of {dir} cannot be read: {words}.");
                Some(Finding::wrong(
                    "disk",
                    what,
                    "Create the directory, or name another one with OCIM_DATA_DIR or OCIM_CACHE_DIR.",
                ))
            }
        }
    };
    let least = rooms.iter().filter_map(|room| room.free_mb.as_ref().ok()).min().copied().unwrap_or_default();
    or_ok(rooms.iter().filter_map(finding).collect(), "disk", || format!("{least} MB or more are free on this host."))
}

/// Whether the keys of this shell decrypt what is in the database. `tried`: why not, or their ids.
pub fn keys(tried: Result<Vec<String>, String>) -> Finding {
    match tried {
        Ok(ids) => Finding::ok("keys", format!("All secrets can be opened; the keys are {}.", ids.join(", "))),
        Err(words) => Finding::wrong(
            "keys",
            format!("Secrets in the database cannot be opened: {words}."),
            "Put the missing key into OCIM_SECRET_KEYS or the file of keys of every program; a backup has it.",
        ),
    }
}

/// Whether the database has this program's migrations. `difference`: how not, after “The database”.
pub fn migrations(difference: Option<&str>) -> Finding {
    match difference {
        None => Finding::ok("migrations", "The database has this program's migrations."),
        Some(words) => Finding::wrong(
            "migrations",
            format!("The database {words}."),
            "Run the same version everywhere: newer programs migrate the database when the server starts, or with `ocim migrate`.",
        ),
    }
}

/// What is known of backups.
#[derive(Debug, Clone)]
pub struct Backups {
    /// When `ocim admin backup` last wrote a file.
    pub own: Option<DateTime<Utc>>,
    /// Whether instances are backed up by a schedule.
    pub is_scheduled: bool,
    /// Instances whose scheduled backup is late by more than half of the interval.
    pub late: Vec<InstanceId>,
}

/// Judges the age of backups.
pub fn backups(Backups { own, is_scheduled, late }: &Backups, now: DateTime<Utc>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let remedy = "Run `ocim admin backup` daily, and keep its files elsewhere (docs/backup.md).";
    let age = own.map(|at| (now - at).num_seconds());
    match age {
        None => findings.push(Finding::warning(
            "backups",
            "ocim's own database was never backed up by `ocim admin backup`.",
            remedy,
        )),
        Some(age) if age > BACKUP_WARNING => {
            let what = format!("The last backup of ocim's own database is {} old.", span(age));
            findings.push(Finding::warning("backups", what, remedy));
        }
        Some(_) => {}
    }
    if !late.is_empty() {
        let ids: Vec<_> = late.iter().take(NAMED).map(ToString::to_string).collect();
        let more = if late.len() > NAMED { " and others" } else { "" };
        let what =
            format!("Scheduled backups of {} are late: {}{more}.", count(late.len(), "instance"), ids.join(", "));
        findings.push(Finding::wrong(
            "backups",
            what,
            "Read the error of the last one: `ocim instance backups`, or the tab “Data”.",
        ));
    }
    or_ok(findings, "backups", || {
        let own = span(age.unwrap_or_default());
        let instances =
            if *is_scheduled { "those of instances are in time" } else { "those of instances are made on request" };
        format!("The last one of ocim's own database is {own} old; {instances}.")
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::indexing_slicing)]
    use chrono::TimeDelta;

    use super::super::Level;
    use super::*;

    fn levels(findings: &[Finding]) -> Vec<Level> {
        findings.iter().map(|finding| finding.level).collect()
    }

    #[test]
    fn a_full_disk_is_wrong_and_half_the_margin_is_a_warning() {
        let room = |free_mb| Room { dir: "/srv".into(), free_mb };
        assert_eq!(levels(&rooms(&[room(Ok(4000)), room(Ok(5000))], 2000)), [Level::Ok]);
        assert_eq!(
            levels(&rooms(&[room(Ok(3999)), room(Ok(1999)), room(Err("gone".into()))], 2000)),
            [Level::Warning, Level::Wrong, Level::Wrong]
        );
        let found = Room::of_disks(&["/not/there".into(), "/neither".into(), "/proc".into()]);
        let dirs: Vec<_> = found.iter().map(|room| room.dir.to_str().unwrap_or_default()).collect();
        assert_eq!(dirs, ["/not/there", "/proc"], "one line for each disk");
        assert!(found[0].free_mb.is_ok());
    }

    #[test]
    fn backups_have_an_age() {
        let now = Utc::now();
        let of = |own: Option<TimeDelta>, late| {
            backups(&Backups { own: own.map(|age| now - age), is_scheduled: true, late }, now)
        };
        assert_eq!(levels(&of(Some(TimeDelta::hours(47)), vec![])), [Level::Ok]);
        assert_eq!(
            of(Some(TimeDelta::days(3)), vec![])[0].what,
            "The last backup of ocim's own database is 3 days old."
        );
        let found = of(None, vec![InstanceId(7)]);
        assert_eq!(levels(&found), [Level::Warning, Level::Wrong]);
        assert_eq!(found[1].what, "Scheduled backups of 1 instance are late: 7.");
    }

    #[test]
    fn keys_and_migrations_are_wrong_with_their_reason() {
        assert_eq!(keys(Ok(vec!["k1".into()])).level, Level::Ok);
        assert!(keys(Err("secret 3 is encrypted with key «k2»".into())).what.contains("«k2»"));
        assert_eq!(migrations(None).level, Level::Ok);
        assert_eq!(migrations(Some("lacks 1 migrations")).what, "The database lacks 1 migrations.");
    }
}

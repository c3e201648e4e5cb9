//! The settings that the operations of this module need, from the configuration.

use std::path::PathBuf;
use std::time::Duration;

use super::store::housekeeping::Kept;
use crate::git::sources::Sources;
use crate::platform::cache::CacheLimits;
use crate::platform::vault::Keyring;

/// Settings of builds, machines, checks and retention.
#[derive(Debug, Clone)]
pub struct Options {
    /// Parent of the directories of playbook runs.
    pub runs_dir: PathBuf,
    /// Parent of the clones and virtualenvs.
    pub cache_dir: PathBuf,
    /// The repositories that configuration may come from.
    pub sources: Sources,
    /// How large, and how old, the cache may become.
    pub cache_limits: CacheLimits,
    /// Megabytes that must be free on the disks of both directories for a build to begin.
    pub min_free_mb: u64,
    /// Hours that an unneeded app server keeps its machine, if its instance does not set them.
    pub retention_hours: u32,
    /// How long a machine without an owner is left alone.
    pub reaper_grace: Duration,
    /// Retention of logs, events and other records.
    pub kept: Kept,
    /// The private SSH key that machines of earlier versions share; removed when the last of them has ended.
    pub shared_key: PathBuf,
    /// Limit for resolving branches and tags to commits.
    pub pin_timeout: Duration,
    /// Limit for checkout and virtualenv.
    pub checkout_timeout: Duration,
    /// Limit until databases outside the machine are made.
    pub resources_timeout: Duration,
    /// Limit until the snapshot before a migration is complete.
    pub snapshot_timeout: Duration,
    /// Limit until a new machine answers SSH.
    pub machine_timeout: Duration,
    /// Limit until a restarted machine answers SSH again.
    pub reboot_timeout: Duration,
    /// How often active app servers are checked.
    pub pace: Pace,
    /// Limit until the application's checks pass.
    pub checks_timeout: Duration,
    /// A playbook that prints nothing for this long is ended (ANSIBLE_LINE_TIMEOUT).
    pub line_timeout: Duration,
    /// A playbook that takes longer is ended (ANSIBLE_GLOBAL_TIMEOUT).
    pub global_timeout: Duration,
    /// Most host names of all instances that are not archived: what the gateway is sized for.
    pub max_hosts: u32,
    /// The host names of this program itself, in lower case, which no instance may have.
    pub reserved_hosts: Vec<String>,
    /// How long running requests may delay the end of an app server that was replaced.
    pub drain_limit: Duration,
    /// Pause between two polls of a resource that is not ready yet.
    pub poll: Duration,
    /// When backups are made, and how many are kept.
    pub backups: BackupSchedule,
    /// The keys that encrypt the secrets in the database.
    pub keyring: Keyring,
}

/// When backups are made without a request, and how many of these are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BackupSchedule {
    /// The hours between scheduled backups of an instance; none: there is no schedule.
    pub every_hours: Option<u32>,
    /// How many complete scheduled backups of an instance are kept.
    pub keep: u32,
    /// For how many days snapshots from before migrations are kept.
    pub migration_days: u32,
    /// Whether each scheduled backup is verified after it is written, where that is possible.
    pub verifies: bool,
}

/// How often sites are checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// Time between two checks of an app server.
    pub interval: Duration,
    /// Time from a first failed check to the second, which makes the site failing.
    pub recheck: Duration,
}

impl Pace {
    /// One check of each app server per interval.
    pub fn every(interval: Duration) -> Self {
        Self { interval, recheck: Duration::from_secs(5) }
    }

    /// Age of the last check from which health is unknown.
    pub fn limit(self) -> Duration {
        self.interval.saturating_mul(3)
    }
}

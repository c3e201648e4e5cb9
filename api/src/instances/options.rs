//! The settings that the verbs of this module need, as the configuration has them.

use std::path::PathBuf;
use std::time::Duration;

use super::store::housekeeping::Kept;
use crate::platform::vault::Keyring;

/// Settings of builds.
#[derive(Debug, Clone)]
pub struct Options {
    /// Where runs of playbooks have their directories.
    pub runs_dir: PathBuf,
    /// Where clones and virtualenvs are.
    pub cache_dir: PathBuf,
    /// Megabytes that must be free on the disks of both for a build to begin.
    pub min_free_mb: u64,
    /// Hours that an app server which nobody needs keeps its machine, where its instance says nothing.
    pub retention_hours: u32,
    /// How long a machine that nobody owns is left alone.
    pub reaper_grace: Duration,
    /// For how long records of what happened are kept.
    pub kept: Kept,
    /// The private key that Ansible logs in with.
    pub private_key: PathBuf,
    /// Its public half, one line.
    pub authorized_key: String,
    /// How long repositories may take to say which commit a branch is.
    pub pin_timeout: Duration,
    /// How long checkout and virtualenv may take.
    pub checkout_timeout: Duration,
    /// How long a machine may take until it answers SSH.
    pub machine_timeout: Duration,
    /// How long a restarted machine may take until it answers again.
    pub reboot_timeout: Duration,
    /// How often active app servers are checked.
    pub pace: Pace,
    /// How long the application may take until its checks pass.
    pub checks_timeout: Duration,
    /// A playbook that prints nothing for so long is ended (ANSIBLE_LINE_TIMEOUT).
    pub line_timeout: Duration,
    /// A playbook that takes longer is ended (ANSIBLE_GLOBAL_TIMEOUT).
    pub global_timeout: Duration,
    /// How many host names all instances that are not archived may have together: what the gateway is sized for.
    pub max_hosts: u32,
    /// How long requests under way may hold up the end of an app server that was replaced.
    pub drain_limit: Duration,
    /// How long between two looks at something that is not ready yet.
    pub poll: Duration,
    /// The keys that secrets are encrypted with in the database.
    pub keyring: Keyring,
}

/// How often sites are checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// Between two checks of an app server.
    pub interval: Duration,
    /// After a first failed check, until the second that makes the site failing.
    pub recheck: Duration,
}

impl Pace {
    /// A check of each app server in each interval.
    pub fn every(interval: Duration) -> Self {
        Self { interval, recheck: Duration::from_secs(5) }
    }

    /// How old the last check may be before health is unknown.
    pub fn limit(self) -> Duration {
        self.interval.saturating_mul(3)
    }
}

use serde::{Deserialize, Serialize};

use crate::config::setting::{Setting, word};
use crate::config::table::{WEEK, settings};

settings! {
    /// How app servers are built. After a transient error (SSH refused, a package mirror or a cloud that does not
    /// answer), a step is retried until it times out; the API shows when that is (`progress.deadline`). A permanent
    /// error ends the build at once.
    pub struct Builds = "Builds";

    /// How many app servers each worker builds at once.
    ocim_build_slots: usize = 4, within(1..=500);
    /// What happens to running builds on SIGTERM or SIGINT. `hand_over`: they are released within seconds, and another
    /// worker, or the next start, continues them (a running playbook is run again). `finish`: no other build is begun
    /// and the program ends after they have ended; a second signal hands them over.
    ocim_on_sigterm: OnSigterm = OnSigterm::HandOver;
    /// Seconds that repositories may take to resolve git references to commits.
    ocim_pin_timeout: u64 = 180, seconds(1..=WEEK);
    /// Seconds that a machine may take until it answers SSH.
    ocim_machine_timeout: u64 = 3600, seconds(1..=WEEK);
    /// Seconds that the checkout step may take: repositories, virtualenv, collections, and loading the playbooks.
    ocim_checkout_timeout: u64 = 1800, seconds(1..=WEEK);
    /// Seconds that the servers of [`[resources.NAME]`](#servers-for-databases) may take to make an app server's databases.
    ocim_resources_timeout: u64 = 300, seconds(1..=WEEK);
    /// Seconds that the snapshot of the databases before a migration may take: until visitors get the maintenance page, and the backup is
    /// complete.
    ocim_snapshot_timeout: u64 = 7200, seconds(1..=WEEK);
    /// Seconds that a machine may take to restart.
    ocim_reboot_timeout: u64 = 600, seconds(1..=WEEK);
    /// Seconds that an application may take until its checks pass.
    ocim_checks_timeout: u64 = 300, seconds(1..=WEEK);
    /// Seconds without output after which a playbook is ended.
    ansible_line_timeout: u64 = 1500, seconds(1..=WEEK);
    /// Seconds that a playbook may take before it is ended.
    ansible_global_timeout: u64 = 9000, seconds(1..=WEEK);
    /// The Python interpreters that Ansible may run with, by name or path, separated by colons or commas (a list in the
    /// file), in the order in which they are tried. The first one that the requirements can be installed with, and that
    /// then runs Ansible, is used. See [open-edx.md](open-edx.md#interpreters).
    ocim_pythons: Vec<String> = Vec::new(), unset("`OCIM_PYTHON`");
    /// The only Python interpreter that Ansible may run with; read where `OCIM_PYTHONS` is unset.
    ocim_python: String = "python3".into();
}

/// What happens to running builds on SIGTERM or SIGINT.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnSigterm {
    /// Their leases are given back; another worker, or the next start, continues them.
    HandOver,
    /// The program waits until they have ended and begins no others. A second signal hands them over.
    Finish,
}

impl Setting for OnSigterm {
    fn shown(&self) -> Option<String> {
        word(self)
    }
}

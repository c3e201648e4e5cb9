use std::net::SocketAddr;

use shared_types::ProviderKind;

use crate::config::setting::{Setting, word};
use crate::config::table::{WEEK, settings};

settings! {
    /// The machines that app servers run on.
    pub struct Machines = "Machines";

    /// What app servers run on: `local`, machines on this host, or `fake`, for trying the API out and for tests:
    /// machines are files, and playbooks only print lines. `fake` needs neither root nor Ansible.
    ocim_provider: ProviderKind = ProviderKind::Local;
    /// With `fake`: `address:port` of a web server that stands in for that of every machine.
    ocim_fake_http: Option<SocketAddr> = None, unset("one is started");
    /// With `fake`: how many lines a playbook prints; two make a task. What was printed is kept in `fake-printed/`
    /// under the data directory. An instance's extra settings `demo_pause_seconds` and `demo_fail_message` make its
    /// runs pause and fail.
    ocim_fake_lines: u32 = 40;
    /// With `fake`: milliseconds between two lines.
    ocim_fake_pace_ms: u64 = 50;
    /// The network of the local machines. Kept per data directory; reservations are in `/var/lib/ocim`.
    ocim_local_subnet: Option<String> = None, unset("the first free /24 of 10.213.0.0/16");
    /// Hours that an app server which is no longer needed keeps its machine, unless its instance sets
    /// `retention_hours`. A change applies at once; the time counts from when the app server was first not needed.
    /// Pinned ones are kept.
    ocim_retention_hours: u32 = 48, within(1..=8760);
    /// Seconds that an orphaned machine (with ids of ocim, but owned by no app server) is kept before it is deleted.
    ocim_reaper_grace: u64 = 3600, seconds(1..=WEEK);
}

impl Setting for ProviderKind {
    fn shown(&self) -> Option<String> {
        word(self)
    }
}

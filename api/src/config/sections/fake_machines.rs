use std::net::SocketAddr;

use crate::config::table::settings;

settings! {
    /// No machines, with the provider `fake`: they are files, and playbooks only print lines. For trying the API out, and for
    /// tests; needs neither root nor Ansible.
    pub struct FakeMachines = "Fake machines";

    /// `address:port` of a web server that stands in for that of every machine.
    ocim_fake_http: Option<SocketAddr> = None, unset("one is started");
    /// How many lines a playbook prints; two make a task. What was printed is kept in `fake-printed/`
    /// under the data directory. An instance's extra settings `demo_pause_seconds` and `demo_fail_message` make its
    /// runs pause and fail.
    ocim_fake_lines: u32 = 40;
    /// Milliseconds between two lines.
    ocim_fake_pace_ms: u64 = 50;
}

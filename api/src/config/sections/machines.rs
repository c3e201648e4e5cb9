use std::net::SocketAddr;
use std::path::PathBuf;

use shared_types::ProviderKind;

use crate::config::setting::{Setting, word};
use crate::config::table::{WEEK, settings};

settings! {
    /// The machines that app servers run on.
    pub struct Machines = "Machines";

    /// What app servers run on: `local`, machines on this host; `containers`, containers of Docker or Podman on this host
    /// ([containers.md](containers.md)); `openstack`, servers of an OpenStack cloud
    /// ([openstack.md](openstack.md)); `command`, machines of any cloud through a program of
    /// yours ([provider-contract.md](provider-contract.md)); or `fake`, for trying the API out and for tests: machines are
    /// files, and playbooks only print lines. `fake` needs neither root nor Ansible.
    ocim_provider: Option<ProviderKind> = None, unset("`local` as root, else `containers`");
    /// With `fake`: `address:port` of a web server that stands in for that of every machine.
    ocim_fake_http: Option<SocketAddr> = None, unset("one is started");
    /// With `fake`: how many lines a playbook prints; two make a task. What was printed is kept in `fake-printed/`
    /// under the data directory. An instance's extra settings `demo_pause_seconds` and `demo_fail_message` make its
    /// runs pause and fail.
    ocim_fake_lines: u32 = 40;
    /// With `fake`: milliseconds between two lines.
    ocim_fake_pace_ms: u64 = 50;
    /// With `command`: the absolute path of the program that creates and deletes machines.
    ocim_command_provider: Option<PathBuf> = None;
    /// With `command`: the program's arguments, the same for every operation, separated by commas. They are visible in the
    /// host's process list: no secrets.
    ocim_command_provider_arguments: Vec<String> = Vec::new();
    /// With `command`: names of the environment variables that the program gets besides `HOME`, `LANG` and `PATH`,
    /// separated by commas. Their values are masked in error messages.
    ocim_command_provider_environment: Vec<String> = Vec::new();
    /// With `command`: the user that Ansible logs in as on its machines; may use sudo without a password.
    ocim_command_provider_ssh_user: String = "debian".to_owned();
    /// With `command`: seconds that the program may take to find or list machines.
    ocim_command_provider_read_seconds: u64 = 30, seconds(1..=3600);
    /// With `command`: seconds that the program may take to create, restart or delete a machine.
    ocim_command_provider_change_seconds: u64 = 300, seconds(1..=WEEK);
    /// With `command`: how many programs run at the same time; other operations wait.
    ocim_command_provider_at_once: usize = 4, within(1..=64);
    /// The network of the local machines. Kept per data directory; reservations are in `/var/lib/ocim`.
    ocim_local_subnet: Option<String> = None, unset("the first free /24 of 10.213.0.0/16");
    /// MiB of memory that each local machine or container may use, with the page cache of its files.
    ocim_machine_memory_mb: Option<u64> = None, unset("half of this host's memory"), within(64..=16_777_216);
    /// Percent of one CPU that each local machine or container may use: 150 is one and a half.
    ocim_machine_cpu_percent: Option<u32> = None, unset("not limited; machines give way to ocim"), within(5..=100_000);
    /// Processes and threads that each local machine or container may have.
    ocim_machine_processes: u32 = 4096, within(64..=1_000_000);
    /// Weight of each local machine or container where several programs wait for a disk; others have 100.
    ocim_machine_io_weight: u16 = 50, within(10..=1000);
    /// MiB that each new local machine may write. It takes from the disk only what it has written; the size of a machine
    /// that exists stays.
    ocim_machine_disk_mb: u64 = 20_480, within(256..=16_777_216);
    /// Days after which the base tree of new local machines and containers is made again, with the security updates since. It is made in
    /// the background of a launch; machines keep the tree that they were made on.
    ocim_base_tree_days: u32 = 30, within(1..=3650);
    /// Whether commits of people who are not of the team may be approved to run on local machines or in containers. Their
    /// root is confined by the kernel that ocim itself runs on, so these machines are for people you trust.
    ocim_local_machines_for_strangers: bool = false;
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

use serde::{Deserialize, Serialize};

use crate::config::setting::{Setting, word};
use crate::config::table::settings;

settings! {
    /// The wall around everything that runs other people's code on this host: git, pip, ansible-galaxy and Ansible. See
    /// [sandbox.md](sandbox.md).
    pub struct Sandbox = "Sandbox";

    /// `walls`: foreign code runs behind walls, and where the host has none, no build begins. `none`: it runs as this
    /// program's user, with its keys, its database and its network in reach. Every user who may launch an app
    /// server then has the rights of this program.
    ocim_sandbox: SandboxMode = SandboxMode::Walls;
    /// Users for runs, `first-last`: numbers that no other user of this host has. Each run gets one of its own. Only if
    /// this program is root.
    ocim_sandbox_uids: Option<String> = None, unset("1900000000-1900000999");
    /// Private networks that runs may reach, such as `10.8.0.0/24`. They always reach public addresses, the port of
    /// ssh of their own machine, and the proxy and package index of this program's environment. With
    /// `OCIM_LOCAL_NETWORK=outbound`, local machines may reach those networks of IPv4, too.
    ocim_sandbox_networks: Vec<String> = Vec::new(), unset("none");
    /// Absolute paths of directories of this host that every run may read, for requirements and variables that name
    /// files in them. Every user must be able to read them.
    ocim_sandbox_paths: Vec<String> = Vec::new(), unset("none");
    /// Memory of each program with all that it starts, with its temporary files, in MiB.
    ocim_run_memory_mb: u64 = 4096, within(64..=1_048_576);
    /// CPUs of each program.
    ocim_run_cpus: u32 = 4, within(1..=1024);
    /// Processes and threads of each program.
    ocim_run_processes: u32 = 1024, within(16..=1_000_000);
    /// What a program may have written when it is looked at (every two seconds), in MiB: its checkout, virtualenv,
    /// temporary files and output.
    ocim_run_disk_mb: u64 = 8192, within(16..=16_777_216);
    /// The largest file that a program may write, in MiB.
    ocim_run_file_mb: u64 = 4096, within(1..=16_777_216);
    /// Open files of each process.
    ocim_run_open_files: u32 = 4096, within(64..=1_000_000);
}

/// Whether there are walls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SandboxMode {
    /// Foreign code runs behind walls.
    Walls,
    /// It runs as this program's user.
    None,
}

impl Setting for SandboxMode {
    fn shown(&self) -> Option<String> {
        word(self)
    }
}

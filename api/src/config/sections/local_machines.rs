use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::config::setting::{Setting, word};
use crate::config::table::settings;

settings! {
    /// Machines on this host, with the provider `local`. See [local-machines.md](local-machines.md).
    pub struct LocalMachines = "Local machines";

    /// The network of the local machines. Kept per data directory; reservations are in `/var/lib/ocim`.
    ocim_local_subnet: Option<String> = None, unset("the first free /24 of 10.213.0.0/16");
    /// Whether local machines may begin connections to other networks: `none`, or `outbound`, to public IPv4 addresses and
    /// the networks of `OCIM_SANDBOX_NETWORKS`, by NAT. Never to this host, to other machines, or to link-local addresses
    /// and those of a cloud's metadata ([local-machines.md](local-machines.md#the-way-out)).
    ocim_local_network: LocalNetwork = LocalNetwork::None;
    /// With `outbound`: IPv4 addresses of the name servers of new local machines, separated by commas.
    ocim_local_resolvers: Vec<String> = Vec::new(), unset("this host's name servers, except those on this host");
    /// The absolute path of a base tree that you made for local machines, in place of ours: a directory, or an archive
    /// (`.tar`, `.tar.gz`, `.tar.xz`, `.tar.zst`). Only root may be able to change it. New machines get a copy of it as it is then
    /// ([local-machines.md](local-machines.md#a-base-tree-of-your-own)).
    ocim_local_base: Option<PathBuf> = None, unset("a minimal Debian that ocim makes");
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
}

/// Whether local machines have a way out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LocalNetwork {
    /// They begin no connections.
    None,
    /// They begin connections to other networks.
    Outbound,
}

impl Setting for LocalNetwork {
    fn shown(&self) -> Option<String> {
        word(self)
    }
}

//! What a machine may use of its host, as the settings say.

use crate::platform::cgroups::Limits;

/// The limits of each machine.
#[derive(Debug, Clone, PartialEq)]
pub struct MachineLimits {
    /// MiB; none: half of the host's memory.
    pub memory_mb: Option<u64>,
    /// Hundredths of a CPU; none: not limited, but all machines together get no more than their share when others of the
    /// host want the CPUs, too.
    pub cpu_percent: Option<u32>,
    /// Processes and threads.
    pub processes: u32,
    /// Share of the disks' time beside others, who have 100.
    pub io_weight: u16,
    /// MiB that a new machine may fill.
    pub disk_mb: u64,
}

impl Default for MachineLimits {
    fn default() -> Self {
        Self { memory_mb: None, cpu_percent: None, processes: 4096, io_weight: 50, disk_mb: 20 << 10 }
    }
}

impl MachineLimits {
    /// In the form of control groups.
    pub(in crate::machines::providers) fn of_group(&self) -> Limits {
        Limits {
            memory_bytes: Some(self.memory_mb.map_or_else(half_of_memory, |megabytes| megabytes << 20)),
            cpus: self.cpu_percent.map(|percent| f64::from(percent) / 100.0),
            processes: Some(self.processes),
            io_weight: Some(self.io_weight),
        }
    }
}

/// Half of this host's memory, in bytes.
fn half_of_memory() -> u64 {
    let info = rustix::system::sysinfo();
    info.totalram.saturating_mul(u64::from(info.mem_unit)) / 2
}

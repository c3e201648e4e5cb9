//! The limit of open files of this process and its children, and the resulting size of the gateway.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// The highest limit to set: some daemons close every possible file descriptor when they start.
const MOST_FILES: u64 = 262_144;
/// A warning is logged below this many open files.
const FEW_FILES: u64 = 8192;
/// Open files of the gateway besides visitors' connections: listeners, event queues, and ocim's own connections.
const OTHER_FILES: u64 = 400;
/// The memory of a request in progress in the gateway, in bytes: two buffers, and the state of its connections.
const BYTES_A_CONNECTION: u64 = 100 << 10;
/// The bounds for the result of [`gateway_connections`].
const CONNECTIONS: std::ops::RangeInclusive<u64> = 100..=100_000;

/// Raises the soft limit of open files to the hard one. Returns how many connections the gateway is sized for.
pub(super) fn raise_and_size() -> u32 {
    let files = raise_open_files();
    let memory = rustix::system::sysinfo();
    let memory = memory.totalram.saturating_mul(memory.mem_unit.into());
    let connections = gateway_connections(files, memory);
    tracing::info!(connections, open_files = files, "the gateway accepts up to {connections} visitor connections");
    if files < FEW_FILES {
        tracing::warn!(
            open_files = files,
            "the limit of open files is low; raise it (LimitNOFILE= in systemd, or ulimit -Hn)"
        );
    }
    connections
}

/// Raises the soft limit of open files to the hard one. Returns the limit.
pub(super) fn raise_open_files() -> u64 {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let (current, maximum) = (current.unwrap_or(u64::MAX), maximum.unwrap_or(u64::MAX));
    let wanted = maximum.min(MOST_FILES);
    if current >= wanted {
        return current;
    }
    match setrlimit(
        Resource::Nofile,
        Rlimit { current: Some(wanted), maximum: Some(maximum).filter(|max| *max < u64::MAX) },
    ) {
        Ok(()) => wanted,
        Err(error) => {
            tracing::warn!(%error, open_files = current, "the limit of open files cannot be raised");
            current
        }
    }
}

/// A connection needs two files, to the visitor and to the app server. At most a quarter of the memory is used.
fn gateway_connections(files: u64, memory: u64) -> u32 {
    let by_files = files.saturating_sub(OTHER_FILES) / 2;
    let by_memory = memory / 4 / BYTES_A_CONNECTION;
    let connections = by_files.min(by_memory).clamp(*CONNECTIONS.start(), *CONNECTIONS.end());
    u32::try_from(connections).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_and_memory_bound_the_connections() {
        const GB: u64 = 1 << 30;
        assert_eq!(gateway_connections(1024, 16 * GB), 312);
        assert_eq!(gateway_connections(20_000, 16 * GB), 9800);
        assert_eq!(gateway_connections(262_144, 2 * GB), 5242);
        assert_eq!(gateway_connections(u64::MAX, u64::MAX), 100_000);
        assert_eq!(gateway_connections(256, GB), 100);
    }
}

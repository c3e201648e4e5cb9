//! What connections are for, and what they may take: how many there are, and the time limits that the server keeps.
//!
//! The limits are sent when a connection is made, and cost no query. `options=-c statement_timeout=…` in the database's
//! URL comes after them and wins, for all purposes.

use std::time::Duration;

/// What a connection is used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Requests of the API.
    Request,
    /// Searches in the logs, which read whole tables.
    Search,
    /// Builds, jobs and sweeps.
    Work,
    /// Heartbeats of leases and workers. Apart from all others, so that no load lets a lease run out.
    Lease,
    /// The question whether the database answers, which must be answered when all others are busy.
    Probe,
    /// The job queue's own statements.
    Queue,
    /// Migrations, which may take as long as they need.
    Migration,
}

/// The longest that a search may read.
pub const SEARCH_LIMIT: Duration = Duration::from_secs(8);

impl Purpose {
    /// The maximum number of connections of one process. The sum is in docs/ops/database.md.
    pub(super) const fn connections(self) -> usize {
        match self {
            Self::Request => 16,
            Self::Search => 4,
            Self::Work => 10,
            Self::Lease => 2,
            Self::Probe => 1,
            Self::Queue => 6,
            Self::Migration => 2,
        }
    }

    /// How long one waits for a free connection. A heartbeat has its own, shorter limit.
    pub(super) const fn wait(self) -> Duration {
        match self {
            Self::Request | Self::Search | Self::Work | Self::Queue | Self::Migration => Duration::from_secs(10),
            Self::Lease | Self::Probe => Duration::from_secs(5),
        }
    }

    /// The settings of the server's session.
    pub(super) fn options(self) -> String {
        let (statement, lock, idle) = self.seconds();
        format!(
            "-c statement_timeout={statement}s -c lock_timeout={lock}s \
             -c idle_in_transaction_session_timeout={idle}s"
        )
    }

    /// The longest statement, wait for a lock, and pause within a transaction, in seconds; 0: any.
    const fn seconds(self) -> (u64, u64, u64) {
        match self {
            // Below the default of OCIM_REQUEST_TIMEOUT (30 s), so that the caller learns which part took too long.
            Self::Request => (25, 15, 30),
            Self::Search => (SEARCH_LIMIT.as_secs(), 5, 10),
            // The longest statements delete old rows in batches, or write a long log. A process that is suspended in a
            // transaction gives back its locks after a minute.
            Self::Work => (300, 60, 60),
            // Less than the time between the last heartbeat that counts and the end of the lease.
            Self::Lease => (5, 3, 5),
            Self::Probe => (5, 3, 5),
            Self::Queue => (60, 30, 60),
            // Said although it is the default, because the server's or the role's own default may be another one.
            Self::Migration => (0, 0, 0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limits_are_options_of_the_session() {
        let options = Purpose::Search.options();
        assert_eq!(options, "-c statement_timeout=8s -c lock_timeout=5s -c idle_in_transaction_session_timeout=10s");
        assert!(Purpose::Migration.options().starts_with("-c statement_timeout=0s"));
    }
}

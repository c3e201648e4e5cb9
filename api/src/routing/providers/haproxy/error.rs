//! Errors of the gateway, each with its remedy.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

/// Why the gateway does not run.
#[derive(Debug, thiserror::Error)]
pub enum GatewayError {
    /// `haproxy` is in none of the usual directories.
    #[error("HAProxy is not installed: no `haproxy` in {searched}. Install it (Debian: apt-get install haproxy)")]
    NotInstalled {
        /// The searched directories.
        searched: String,
    },
    #[error(
        "the gateway cannot listen on {address}: {reason}. End what listens there, or set OCIM_GATEWAY_LISTEN to another \
         address and port"
    )]
    Listen {
        address: SocketAddr,
        /// The system's error when binding it.
        reason: String,
    },
    #[error(
        "the gateway cannot use {}: {source}. The data directory must be writable by ocim's user: change its \
         owner, or set OCIM_DATA_DIR to another one", path.display()
    )]
    Directory {
        /// The gateway's directory, or a file in it.
        path: PathBuf,
        source: io::Error,
    },
    /// Root needs an unprivileged user to run HAProxy as.
    #[error("the gateway must not run as root, and /etc/passwd has neither the user haproxy nor daemon: add one")]
    NoUser,
    /// Another process holds the gateway's lock.
    #[error("another ocim has been starting or changing the gateway in {} for too long; end it", directory.display())]
    Busy {
        /// The gateway's directory, which has the lock file.
        directory: PathBuf,
    },
    #[error("HAProxy does not start: {reason}. The end of its log, {}:\n{tail}", log.display())]
    Start {
        /// What is known of the cause.
        reason: String,
        log: PathBuf,
        /// The log's last lines.
        tail: String,
    },
    #[error("HAProxy (process {pid}) could not be stopped: {reason}")]
    Stop {
        /// Process id of the HAProxy that is still running.
        pid: u32,
        reason: String,
    },
}

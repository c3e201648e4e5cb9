//! Why there is no gateway, each with the way out.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

/// Why the gateway does not run.
#[derive(Debug, thiserror::Error)]
pub enum GatewayError {
    /// There is no such program.
    #[error("HAProxy is not installed: no `haproxy` in {searched}. Install it (Debian: apt-get install haproxy)")]
    NotInstalled {
        /// Where it was looked for.
        searched: String,
    },
    /// The address cannot be listened on.
    #[error(
        "the gateway cannot listen on {address}: {reason}. End what listens there, or set OCIM_GATEWAY_LISTEN to another \
         address and port"
    )]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why.
        reason: String,
    },
    /// The gateway's directory cannot be used.
    #[error(
        "the gateway cannot use {}: {source}. The data directory must be writable by whoever starts ocim: change its \
         owner, or set OCIM_DATA_DIR to another one", path.display()
    )]
    Directory {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Root, and no user to become.
    #[error("the gateway must not run as root, and /etc/passwd has neither the user haproxy nor nobody: add one")]
    NoUser,
    /// Another process is at it.
    #[error("another ocim has been starting or changing the gateway in {} for too long; end it", directory.display())]
    Busy {
        /// The gateway's directory.
        directory: PathBuf,
    },
    /// It does not come up.
    #[error("HAProxy does not start: {reason}. The end of its log, {}:\n{tail}", log.display())]
    Start {
        /// What is known.
        reason: String,
        /// The log.
        log: PathBuf,
        /// Its last lines.
        tail: String,
    },
    /// It does not end.
    #[error("HAProxy (process {pid}) could not be stopped: {reason}")]
    Stop {
        /// Its process.
        pid: u32,
        /// Why.
        reason: String,
    },
}

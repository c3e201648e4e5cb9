//! Errors of local machines, each with its remedy.

use std::path::PathBuf;

use crate::machines::provider::ProviderError;

/// Why a local machine could not be made, found, restarted or removed.
#[derive(Debug, thiserror::Error)]
pub enum LocalError {
    /// The process may not make namespaces and mounts.
    #[error(
        "local machines need root ({0}): run ocim as root or with sudo, or configure OpenStack (OPENSTACK_*) to have the \
         machines made there"
    )]
    NotRoot(String),
    #[error("`{program}` is not installed: install Debian's package `{package}`")]
    MissingProgram {
        /// The program to run.
        program: &'static str,
        /// The Debian package that has it.
        package: &'static str,
    },
    #[error("the kernel has no overlayfs: load it with `modprobe overlay`, or use a kernel that has CONFIG_OVERLAY_FS")]
    NoOverlay,
    /// `OCIM_LOCAL_NETWORK=outbound` cannot be kept within its walls here, so machines get no way out.
    #[error("OCIM_LOCAL_NETWORK=outbound: {0}; or set OCIM_LOCAL_NETWORK=none")]
    NoWayOut(String),
    #[error("the base tree of the local machines could not be made: {0}")]
    BaseTree(String),
    /// A name, key, subnet or other input cannot be used.
    #[error("{0}")]
    Invalid(String),
    #[error("{0}")]
    Exhausted(String),
    #[error("machine {machine} did not start: {reason}")]
    Boot {
        /// Name of the machine.
        machine: String,
        /// Output of the start script.
        reason: String,
    },
    #[error("machine {0} is still running after SIGKILL; a process of it hangs in the kernel")]
    WillNotDie(String),
    #[error("machine {machine} could not be removed whole: {left} is still there")]
    LeftOver {
        /// Name of the machine.
        machine: String,
        /// The file, directory or interface that is left.
        left: String,
    },
    #[error("`{program}` failed: {detail}")]
    Command {
        /// The program and its first arguments.
        program: String,
        /// Its exit status and what it printed.
        detail: String,
    },
    #[error("{path}: {source}")]
    Io {
        /// The file or directory that could not be used.
        path: PathBuf,
        source: std::io::Error,
    },
}

impl LocalError {
    /// For `map_err`: says which file an I/O error is about.
    pub(super) fn io(path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { path, source }
    }
}

impl From<LocalError> for ProviderError {
    fn from(error: LocalError) -> Self {
        let text = error.to_string();
        match error {
            LocalError::NotRoot(_)
            | LocalError::MissingProgram { .. }
            | LocalError::NoOverlay
            | LocalError::Invalid(_)
            | LocalError::NoWayOut(_)
            | LocalError::Boot { .. } => Self::Permanent(text),
            LocalError::BaseTree(_)
            | LocalError::Exhausted(_)
            | LocalError::WillNotDie(_)
            | LocalError::LeftOver { .. }
            | LocalError::Command { .. }
            | LocalError::Io { .. } => Self::Transient(text),
        }
    }
}

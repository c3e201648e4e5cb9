//! What can go wrong with local machines, each with its remedy.

use std::path::PathBuf;

use crate::machines::provider::ProviderError;

/// Why a local machine could not be made, found, restarted or removed.
#[derive(Debug, thiserror::Error)]
pub enum LocalError {
    /// Namespaces and mounts are root's.
    #[error(
        "local machines need root ({0}): run ocim as root or with sudo, or configure OpenStack (OPENSTACK_*) to have the \
         machines made there"
    )]
    NotRoot(String),
    /// A program of the host is missing.
    #[error("`{program}` is not installed: install Debian's package `{package}`")]
    MissingProgram {
        /// What is to be run.
        program: &'static str,
        /// What to install.
        package: &'static str,
    },
    /// The kernel has no overlayfs.
    #[error("the kernel has no overlayfs: load it with `modprobe overlay`, or use a kernel that has CONFIG_OVERLAY_FS")]
    NoOverlay,
    /// The base tree could not be made.
    #[error("the base tree of the local machines could not be made: {0}")]
    BaseTree(String),
    /// What was asked cannot be used.
    #[error("{0}")]
    Invalid(String),
    /// No subnet or no address is free.
    #[error("{0}")]
    Exhausted(String),
    /// The machine's init did not start.
    #[error("machine {machine} did not start: {reason}")]
    Boot {
        /// Our name for it.
        machine: String,
        /// What the start script said.
        reason: String,
    },
    /// The machine's processes are still there.
    #[error("machine {0} is still running after SIGKILL; a process of it hangs in the kernel")]
    WillNotDie(String),
    /// Something of the machine is still there.
    #[error("machine {machine} could not be removed whole: {left} is still there")]
    LeftOver {
        /// Our name for it.
        machine: String,
        /// What is left.
        left: String,
    },
    /// A program of the host failed.
    #[error("`{program}` failed: {detail}")]
    Command {
        /// The program and its first arguments.
        program: String,
        /// Its exit status and what it printed.
        detail: String,
    },
    /// A file could not be read or written.
    #[error("{path}: {source}")]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
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

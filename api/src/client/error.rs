//! Errors of the client and their exit codes.

use std::io::{self, Write};
use std::path::PathBuf;

use serde_json::Value;
use shared_types::Problem;

use super::output::{Format, json_text};
use super::text;

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The operation was started and failed.
    #[error("{0}")]
    Failed(String),
    /// The command line is not valid.
    #[error("{0}")]
    Usage(String),
    /// There is no token, or none for this server.
    #[error("{0}")]
    NotSignedIn(String),
    /// The role of the user does not allow it.
    #[error("{0}")]
    NotAllowed(String),
    /// It is not possible in the present state.
    #[error("{0}")]
    NotPossible(String),
    /// There is no such instance or other object.
    #[error("{0}")]
    NotFound(String),
    /// The server refused the request with a problem.
    #[error("{}: {}", .0.problem.title, .0.problem.detail)]
    Refused(Box<Refusal>),
    /// The server did not answer.
    #[error("{server} cannot be reached: {why}")]
    Unreachable {
        server: String,
        /// What was tried, and how it failed.
        why: String,
    },
    /// A user pressed Ctrl-C.
    #[error("{0}")]
    Interrupted(String),
    /// The client's own file, or one named on the command line.
    #[error("{}: {source}", path.display())]
    File {
        /// The file that could not be used.
        path: PathBuf,
        source: io::Error,
    },
    /// Standard input or output failed.
    #[error("standard input or output: {0}")]
    Stdio(#[from] io::Error),
}

#[derive(Debug)]
pub struct Refusal {
    /// The parsed problem.
    pub problem: Problem,
    /// The answer as received.
    pub document: Value,
}

impl ClientError {
    /// The exit code of the program: see [`super::EXIT_CODES`].
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Failed(_) | Self::File { .. } | Self::Stdio(_) => 1,
            Self::Usage(_) => 2,
            Self::NotSignedIn(_) | Self::NotAllowed(_) => 3,
            Self::NotPossible(_) => 5,
            Self::NotFound(_) => 4,
            Self::Refused(refusal) => match refusal.problem.status {
                401 | 403 => 3,
                404 => 4,
                409 | 412 | 422 | 428 => 5,
                500.. => 6,
                _ => 1,
            },
            Self::Unreachable { .. } => 6,
            Self::Interrupted(_) => 130,
        }
    }

    /// Whether the connection or the server failed, so that a retry may succeed.
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Unreachable { .. } => true,
            Self::Refused(refusal) => refusal.problem.status >= 500 || refusal.problem.status == 429,
            Self::Failed(_)
            | Self::Usage(_)
            | Self::NotSignedIn(_)
            | Self::NotAllowed(_)
            | Self::NotPossible(_)
            | Self::NotFound(_)
            | Self::Interrupted(_)
            | Self::File { .. }
            | Self::Stdio(_) => false,
        }
    }

    /// HTTP status of the server's refusal.
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Refused(refusal) => Some(refusal.problem.status),
            Self::Failed(_)
            | Self::Usage(_)
            | Self::NotSignedIn(_)
            | Self::NotAllowed(_)
            | Self::NotPossible(_)
            | Self::NotFound(_)
            | Self::Unreachable { .. }
            | Self::Interrupted(_)
            | Self::File { .. }
            | Self::Stdio(_) => None,
        }
    }

    /// Whether standard output was closed by its reader.
    pub fn is_closed_pipe(&self) -> bool {
        matches!(self, Self::Stdio(error) if error.kind() == io::ErrorKind::BrokenPipe)
    }

    /// Prints the error to standard error.
    pub fn tell(&self, format: Format) {
        let words = match (self, format) {
            (Self::Refused(refusal), Format::Json) => json_text(&refusal.document),
            (error, Format::Json | Format::Table) => error.words(),
        };
        let _ = writeln!(io::stderr(), "{words}");
    }

    fn words(&self) -> String {
        let mut words = format!("ocim: {}", text::shown(&self.to_string()));
        if let Self::Refused(refusal) = self {
            for error in &refusal.problem.errors {
                let (pointer, detail) = (text::shown(&error.pointer), text::shown(&error.detail));
                words.push_str(&format!("\n  {}: {detail}", pointer.trim_start_matches('/')));
            }
        }
        words
    }
}

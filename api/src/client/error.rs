//! What can go wrong, and with which exit code that ends.

use std::io::{self, Write};
use std::path::PathBuf;

use serde_json::Value;
use shared_types::Problem;

use super::output::{Format, json_text};
use super::text;

/// Why a command did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// It was asked for, and failed.
    #[error("{0}")]
    Failed(String),
    /// The command makes no sense.
    #[error("{0}")]
    Usage(String),
    /// There is no token, or none for this server.
    #[error("{0}")]
    NotSignedIn(String),
    /// Nothing is named so.
    #[error("{0}")]
    NotFound(String),
    /// The server said no.
    #[error("{}: {}", .0.problem.title, .0.problem.detail)]
    Refused(Box<Refusal>),
    /// The server did not answer.
    #[error("{server} cannot be reached: {why}")]
    Unreachable {
        /// Which server.
        server: String,
        /// What was tried and how it ended.
        why: String,
    },
    /// A person pressed Ctrl-C.
    #[error("{0}")]
    Interrupted(String),
    /// A file of ours, or one that was named.
    #[error("{}: {source}", path.display())]
    File {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Standard input or output.
    #[error("standard input or output: {0}")]
    Stdio(#[from] io::Error),
}

/// A server's no.
#[derive(Debug)]
pub struct Refusal {
    /// What it said, read.
    pub problem: Problem,
    /// What it said.
    pub document: Value,
}

impl ClientError {
    /// What the program ends with: see [`super::EXIT_CODES`].
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Failed(_) | Self::File { .. } | Self::Stdio(_) => 1,
            Self::Usage(_) => 2,
            Self::NotSignedIn(_) => 3,
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

    /// Whether the connection, and not the request, is at fault, so that asking again may help.
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Unreachable { .. } => true,
            Self::Refused(refusal) => refusal.problem.status >= 500 || refusal.problem.status == 429,
            Self::Failed(_)
            | Self::Usage(_)
            | Self::NotSignedIn(_)
            | Self::NotFound(_)
            | Self::Interrupted(_)
            | Self::File { .. }
            | Self::Stdio(_) => false,
        }
    }

    /// The status that the server refused with.
    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Refused(refusal) => Some(refusal.problem.status),
            Self::Failed(_)
            | Self::Usage(_)
            | Self::NotSignedIn(_)
            | Self::NotFound(_)
            | Self::Unreachable { .. }
            | Self::Interrupted(_)
            | Self::File { .. }
            | Self::Stdio(_) => None,
        }
    }

    /// Whether nobody reads what is printed any more.
    pub fn is_closed_pipe(&self) -> bool {
        matches!(self, Self::Stdio(error) if error.kind() == io::ErrorKind::BrokenPipe)
    }

    /// Prints it to standard error.
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

//! Why an operation of the program failed.

use std::time::Duration;

use serde::Deserialize;

use super::program::OUTPUT_LIMIT;
use super::request::VERSION;

/// Kind of an error that the program tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Kind {
    /// A retry may succeed.
    Transient,
    /// A retry does not help.
    Permanent,
    /// A create has made nothing, because a quota is used up.
    Quota,
}

/// Why an operation failed; completes the sentence “The provider program …”.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Fault {
    /// The operating system's message.
    #[error("could not be run: {0}")]
    System(String),
    #[error(
        "did not end within {} s and was ended with its child processes. Find out what it waits for, or raise {}",
        limit.as_secs(),
        setting
    )]
    TimeLimit {
        limit: Duration,
        /// The setting of the limit.
        setting: &'static str,
    },
    /// `stdout` or `stderr`.
    #[error("printed more than {OUTPUT_LIMIT} bytes on {0} and was ended. It must print one JSON document on stdout")]
    Output(&'static str),
    #[error("ended with {how}{}", said(words))]
    Exit {
        /// `exit status 3` or `signal 9`.
        how: String,
        /// The last line of its stderr; may be empty.
        words: String,
    },
    /// What is wrong with the answer.
    #[error("gave an answer that cannot be used: {0}. Correct the program; docs/provider-contract.md has the contract")]
    Answer(String),
    #[error(
        "speaks version {0} of the provider contract, and this ocim speaks version {VERSION}. Install a program of \
         this version"
    )]
    Version(u64),
    /// An error in the contract's form.
    #[error("reports: {words}")]
    Told {
        kind: Kind,
        /// In the program's own words.
        words: String,
    },
}

impl Fault {
    /// The same with texts of the program, or about it, as this function gives them.
    pub(super) fn with_words(self, shown: impl Fn(&str) -> String) -> Self {
        match self {
            Self::Exit { how, words } => Self::Exit { how, words: shown(&words) },
            Self::Answer(words) => Self::Answer(shown(&words)),
            Self::Told { kind, words } => Self::Told { kind, words: shown(&words) },
            Self::System(_) | Self::TimeLimit { .. } | Self::Output(_) | Self::Version(_) => self,
        }
    }

    /// Whether a retry does not help, until an operator has changed something.
    pub(super) fn is_permanent(&self) -> bool {
        match self {
            Self::Told { kind, .. } => *kind == Kind::Permanent,
            Self::Version(_) => true,
            Self::System(_) | Self::TimeLimit { .. } | Self::Output(_) | Self::Exit { .. } | Self::Answer(_) => false,
        }
    }

    /// Whether a create may succeed once other machines are gone.
    pub(super) fn is_quota(&self) -> bool {
        matches!(self, Self::Told { kind: Kind::Quota, .. })
    }

    /// Whether the cloud may be the reason, not the program.
    pub(super) fn may_be_an_outage(&self) -> bool {
        match self {
            Self::Told { kind, .. } => *kind == Kind::Transient,
            Self::TimeLimit { .. } | Self::Exit { .. } => true,
            Self::System(_) | Self::Output(_) | Self::Answer(_) | Self::Version(_) => false,
        }
    }
}

fn said(words: &str) -> String {
    if words.is_empty() { " and printed nothing on stderr".to_owned() } else { format!(": {words}") }
}

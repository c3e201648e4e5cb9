//! Errors of an engine for containers, in words for the operator.

use crate::machines::provider::ProviderError;

/// Why containers cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ContainersError {
    /// A setting or an input cannot be used, or there is no engine at all; says what to do.
    #[error("{0}")]
    Settings(String),
    /// Nothing was sent: no engine listens.
    #[error("{0}")]
    NotListening(String),
    /// The engine did not answer in time, or broke off.
    #[error("{0}")]
    NoAnswer(String),
    /// The engine refused, in its own words.
    #[error("{words}")]
    Refused {
        /// The HTTP status.
        status: u16,
        /// What was requested, and what the engine said.
        words: String,
    },
    /// The answer of something that is no engine, or of one that this program does not know.
    #[error("{0}")]
    Unreadable(String),
    /// No address is free.
    #[error("{0}")]
    Full(String),
    /// The image could not be made.
    #[error("{0}")]
    Image(String),
    /// The engine did not do what it accepted.
    #[error("{0}")]
    NotDone(String),
}

impl ContainersError {
    /// Whether the engine says that there is no such thing.
    pub(super) fn is_missing(&self) -> bool {
        matches!(self, Self::Refused { status: 404, .. })
    }

    /// Whether it could not set the limits of processes and open files, which some kernels and engines' own limits refuse.
    pub(super) fn is_about_limits(&self) -> bool {
        self.says("rlimit")
    }

    /// Whether another container has the address.
    pub(super) fn is_about_address(&self) -> bool {
        const SAID: [&str; 4] =
            ["address already in use", "is not available", "already allocated", "duplicate allocation"];
        SAID.iter().any(|said| self.says(said)) && (self.says(" ip ") || self.says("range") || self.says("address"))
    }

    fn says(&self, part: &str) -> bool {
        matches!(self, Self::Refused { words, .. } if words.to_ascii_lowercase().contains(part))
    }

    /// Whether the same request may succeed later.
    fn is_transient(&self) -> bool {
        match self {
            Self::Settings(_) => false,
            // Podman answers 500 to most of what it refuses.
            Self::Refused { status, .. } => {
                let is_of_image = self.says("executable file") || self.says("no such image");
                matches!(status, 408 | 409 | 429 | 500..) && !is_of_image
            }
            Self::NotListening(_)
            | Self::NoAnswer(_)
            | Self::Unreadable(_)
            | Self::Full(_)
            | Self::Image(_)
            | Self::NotDone(_) => true,
        }
    }
}

impl From<ContainersError> for ProviderError {
    fn from(error: ContainersError) -> Self {
        if error.is_transient() { Self::Transient(error.to_string()) } else { Self::Permanent(error.to_string()) }
    }
}

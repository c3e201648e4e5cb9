//! Errors of an OpenStack cloud, in words for the operator.

use crate::machines::provider::ProviderError;

/// Why a request to the cloud failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OpenStackError {
    /// The settings are incomplete or contradictory, or select nothing or several things; says what to set.
    #[error("{0}")]
    Settings(String),
    /// A service did not answer, or not in time.
    #[error("{0}")]
    NoAnswer(String),
    /// A service answered with an error, in its own words.
    #[error("{words}")]
    Refused {
        /// The HTTP status.
        status: u16,
        /// What was requested, which service answered, and what it said.
        words: String,
    },
    /// An answer that cannot be read: a proxy's page, or a list that does not end.
    #[error("{0}")]
    Unreadable(String),
    /// The cloud did not do what it accepted; a retry may succeed.
    #[error("{0}")]
    NotDone(String),
}

impl OpenStackError {
    /// The status that the service answered with; none if it did not refuse.
    pub(super) fn status(&self) -> Option<u16> {
        match self {
            Self::Refused { status, .. } => Some(*status),
            Self::Settings(_) | Self::NoAnswer(_) | Self::Unreadable(_) | Self::NotDone(_) => None,
        }
    }

    /// Whether a quota of the project is used up. Nova and Neutron say so in their words only: 403 is a policy's, too, and 409
    /// a conflict's.
    fn is_quota(&self) -> bool {
        const QUOTA: [&str; 2] = ["quota exceeded", "maximum number of ports exceeded"];
        match self {
            Self::Refused { status: 403 | 409 | 413, words } => {
                let words = words.to_lowercase();
                QUOTA.iter().any(|quota| words.contains(quota))
            }
            Self::Refused { .. } | Self::Settings(_) | Self::NoAnswer(_) | Self::Unreadable(_) | Self::NotDone(_) => {
                false
            }
        }
    }

    /// Whether the same request may succeed later.
    pub(super) fn is_transient(&self) -> bool {
        match self {
            Self::Settings(_) => false,
            Self::NoAnswer(_) | Self::Unreadable(_) | Self::NotDone(_) => true,
            // 413 is what Nova once answered where it is 429 today.
            Self::Refused { status, .. } => matches!(status, 408 | 413 | 429 | 500..),
        }
    }
}

impl From<OpenStackError> for ProviderError {
    fn from(error: OpenStackError) -> Self {
        let words = error.to_string();
        match (error.is_quota(), error.is_transient()) {
            (true, _) => Self::Quota(words),
            (false, true) => Self::Transient(words),
            (false, false) => Self::Permanent(words),
        }
    }
}

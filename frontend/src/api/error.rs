//! Why a call failed, in words for the user.

use shared_types::{Problem, ProblemType};

/// Why a call failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ApiError {
    /// No response arrived.
    #[error("The server does not answer. Check the connection; nothing of yours is lost, try again in a moment.")]
    Unreachable,
    /// The server refused, and gave the reason.
    #[error("{}", .0.detail)]
    Refused(Box<Problem>),
    /// The response did not come from the server itself, or could not be parsed.
    #[error("The answer ({0}) could not be read. A newer version may have been installed: reload the page.")]
    Unreadable(u16),
}

impl ApiError {
    /// Whether the server refused with this problem type.
    pub fn is(&self, kind: ProblemType) -> bool {
        self.status() == Some(kind.status())
    }

    /// The refused fields: each name and its message.
    pub fn fields(&self) -> impl Iterator<Item = (&str, &str)> {
        let errors = match self {
            Self::Refused(problem) => problem.errors.as_slice(),
            Self::Unreachable | Self::Unreadable(_) => &[],
        };
        errors.iter().map(|error| (error.pointer.trim_start_matches('/'), error.detail.as_str()))
    }

    fn status(&self) -> Option<u16> {
        match self {
            Self::Refused(problem) => Some(problem.status),
            Self::Unreadable(status) => Some(*status),
            Self::Unreachable => None,
        }
    }
}

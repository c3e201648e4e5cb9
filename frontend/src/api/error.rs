//! Why a call gave nothing, in words for the person who waits for it.

use shared_types::{Problem, ProblemType};

/// Why a call gave nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ApiError {
    /// No answer came.
    #[error("The server does not answer. Check the connection; nothing of yours is lost, try again in a moment.")]
    Unreachable,
    /// The server said no, and why.
    #[error("{}", .0.detail)]
    Refused(Box<Problem>),
    /// An answer came that is none of the server's own.
    #[error("The answer ({0}) could not be read. A newer version may have been installed: reload the page.")]
    Unreadable(u16),
}

impl ApiError {
    /// Whether the server said no with this status.
    pub fn is(&self, kind: ProblemType) -> bool {
        self.status() == Some(kind.status())
    }

    /// What is wrong with each field: its name and the words.
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

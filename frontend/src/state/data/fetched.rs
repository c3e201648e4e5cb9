//! Data that is being fetched, has arrived, or could not be fetched.

use std::sync::Arc;

use crate::api::ApiError;

/// The state of fetched data.
#[derive(Debug, PartialEq)]
pub enum Fetched<T> {
    /// Not fetched yet.
    Waiting,
    Here(Arc<T>),
    /// The fetch failed, and no earlier data is kept.
    Failed(ApiError),
}

// Deriving `Clone` would require `T: Clone`, but `T` is never cloned.
impl<T> Clone for Fetched<T> {
    fn clone(&self) -> Self {
        match self {
            Self::Waiting => Self::Waiting,
            Self::Here(value) => Self::Here(Arc::clone(value)),
            Self::Failed(error) => Self::Failed(error.clone()),
        }
    }
}

impl<T> Fetched<T> {
    /// The data, if it has arrived.
    pub fn here(&self) -> Option<&Arc<T>> {
        match self {
            Self::Here(value) => Some(value),
            Self::Waiting | Self::Failed(_) => None,
        }
    }
}

pub(super) fn is_waiting<T>(fetched: &Fetched<T>) -> bool {
    matches!(fetched, Fetched::Waiting | Fetched::Failed(_))
}

//! What is fetched: not here yet, here, or not to be had.

use std::sync::Arc;

use crate::api::ApiError;

/// Something that is fetched.
#[derive(Debug, PartialEq)]
pub enum Fetched<T> {
    /// Not here yet.
    Waiting,
    /// Here.
    Here(Arc<T>),
    /// It cannot be had.
    Failed(ApiError),
}

// Derived, it would ask the same of `T`, which is never cloned.
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
    /// What is here.
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

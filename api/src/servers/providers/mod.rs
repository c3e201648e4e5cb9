//! What implements [`super::provider::Provider`].

pub mod fake;
pub mod local;

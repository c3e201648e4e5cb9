//! What implements [`super::provider::Provider`].

pub mod local;

//! The database: where it comes from and what it looks like.

pub mod embedded;

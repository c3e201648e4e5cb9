//! Where visitors are sent.

pub mod traffic;

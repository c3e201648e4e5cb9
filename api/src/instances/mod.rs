//! Instances and their app servers, whatever they run.

pub mod application;

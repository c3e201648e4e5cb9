//! Implementations of [`super::provider::Provider`].

pub mod command;
pub mod containers;
#[cfg(test)]
mod expecting;
pub mod fake;
pub mod fake_files;
pub mod fake_web;
pub mod local;
pub mod openstack;

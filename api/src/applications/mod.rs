//! The application types: what an instance can run. Each implements [`crate::instances::application::Application`].

pub mod openedx;
pub mod site;
pub mod tutor;

mod literal;

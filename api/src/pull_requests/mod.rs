//! Pull requests become instances: GitHub is watched, each pull request gets an instance, which follows it and goes with it.
//!
//! Instances know nothing of this; what is done here is done with their verbs. Not here: HTTP, and what Open edX is.

pub mod github;
pub mod rules;
pub mod settings_block;
pub mod store;
pub mod webhook;

use std::sync::Arc;

pub use rules::Rules;

use crate::instances::Manager;

/// What watching pull requests needs.
#[derive(Debug)]
pub struct Watch {
    /// The verbs' means.
    pub manager: Arc<Manager>,
    /// What is watched and what follows from it.
    pub rules: Rules,
}

//! The application types: what an instance can run. Each is a folder that implements [`Application`], and one entry in [`all`];
//! what server, browser and client know of it alike is its folder in [`shared_types::applications`].

pub mod openedx;
pub mod site;
pub mod tutor;

mod literal;

use std::path::PathBuf;
use std::sync::Arc;

use crate::config::Settings;
use crate::instances::application::Application;

/// What the public URLs of a new instance begin with, unless its settings say otherwise.
const PROTOCOL: &str = "http";

/// The contact address of an instance that names none.
const EMAIL: &str = "contact@example.com";

/// Where the git repositories are that the program brings along.
#[derive(Debug, Clone)]
pub struct Repositories {
    /// A configuration repository in small.
    pub configuration: PathBuf,
    /// An `edx-platform` with nothing but a commit to deploy.
    pub edx_platform: PathBuf,
    /// The playbooks that deploy with Tutor.
    pub tutor: PathBuf,
    /// The directory that has a repository for each example, under its name.
    pub examples: PathBuf,
}

/// Every type with the defaults that the operator configured, in the order that a person is offered them.
///
/// # Errors
/// Which setting cannot be used, and why.
pub fn all(settings: &Settings, repositories: &Repositories) -> Result<Vec<Arc<dyn Application>>, String> {
    Ok(vec![
        Arc::new(openedx::OpenEdx::configured(settings, repositories)?),
        Arc::new(tutor::Tutor::configured(settings, repositories)?),
        Arc::new(site::Site::configured(settings, repositories)?),
    ])
}

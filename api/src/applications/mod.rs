//! The application types: what an instance can run. Each is a folder that implements [`Application`], and one entry in
//! [`all`]; the part shared by server, browser and client is its folder in [`shared_types::applications`].

pub mod openedx;
pub mod site;
pub mod tutor;

mod literal;

use std::path::PathBuf;
use std::sync::Arc;

use crate::config::Settings;
use crate::config::table::Declared;
use crate::instances::application::Application;

/// Default scheme of a new instance's public URLs.
const PROTOCOL: &str = "http";

/// Default contact address of an instance.
const EMAIL: &str = "contact@example.com";

/// Paths of the git repositories that the program ships.
#[derive(Debug, Clone)]
pub struct Repositories {
    /// A minimal configuration repository.
    pub configuration: PathBuf,
    /// An `edx-platform` with a single commit to deploy.
    pub edx_platform: PathBuf,
    /// The playbooks that deploy with Tutor.
    pub tutor: PathBuf,
    /// The directory with one repository for each example, under the example's name.
    pub examples: PathBuf,
}

/// The program's settings that types declare, such as the defaults of their instances.
pub fn settings() -> [Declared; 2] {
    [Declared::of::<openedx::OpenEdxDefaults>(), Declared::of::<tutor::TutorDefaults>()]
}

/// Every type with the operator's defaults, in the order in which users see them.
///
/// # Errors
/// A message that names the invalid setting and the reason.
pub fn all(settings: &Settings, repositories: &Repositories) -> Result<Vec<Arc<dyn Application>>, String> {
    Ok(vec![
        Arc::new(openedx::OpenEdx::configured(settings, repositories)?),
        Arc::new(tutor::Tutor::configured(settings, repositories)?),
        Arc::new(site::Site::configured(settings, repositories)?),
    ])
}

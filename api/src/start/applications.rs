//! The application types that this program has, with the defaults that the operator configured. The other registry is
//! `shared_types::applications`.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rust_embed::RustEmbed;
use shared_types::openedx::Protocol;

use super::outside::Outside;
use super::{StartError, demo, embedded};
use crate::applications::openedx::{self, Installation, OpenEdx};
use crate::applications::site::{self, Site};
use crate::applications::tutor::{self, Tutor};
use crate::config::Settings;
use crate::config::gateway::{GatewaySettings, Scheme};
use crate::instances::application::Application;
use crate::routing::public::PublicUrls;

#[derive(RustEmbed)]
#[folder = "../ansible/tutor"]
struct TutorPlaybooks;

/// What the public URLs of a new instance begin with, unless its settings say otherwise.
const PROTOCOL: Protocol = Protocol::Http;

/// Every type, in the order that a person is offered them.
///
/// # Errors
/// Which setting cannot be used, and why.
pub(super) fn all(settings: &Settings, outside: &Outside) -> Result<Vec<Arc<dyn Application>>, StartError> {
    let gateway = GatewaySettings::new(settings)?;
    let public_scheme = gateway.front.map(|front| match front.scheme {
        Scheme::Http => Protocol::Http,
        Scheme::Https => Protocol::Https,
    });
    let installation = Installation { github_admins: Vec::new(), public_scheme };
    let openedx = OpenEdx { defaults: openedx_defaults(settings, &outside.demo), installation };
    let tutor = Tutor { defaults: tutor::Defaults::configured(settings, &outside.tutor_playbooks)? };
    let site = Site {
        defaults: site::Defaults {
            base_domain: settings.instances_base_domain.clone(),
            protocol: PROTOCOL.as_str().to_owned(),
        },
        urls: PublicUrls::new(&gateway),
        examples: outside.demo.examples.clone(),
    };
    Ok(vec![Arc::new(openedx), Arc::new(tutor), Arc::new(site)])
}

/// The configuration repository of instances that name none: URL or path.
pub(super) fn configuration_repository(settings: &Settings, demo: &demo::Demo) -> String {
    let configured = settings.default_configuration_repo_url.clone();
    configured.unwrap_or_else(|| demo.configuration.display().to_string())
}

/// Where the playbooks of Tutor instances are in this data directory, whether or not they are written.
pub(super) fn playbooks_at(data_dir: &Path) -> PathBuf {
    data_dir.join("tutor")
}

/// Writes the playbooks of Tutor instances.
///
/// # Errors
/// When they cannot be written.
pub(super) async fn ensure_playbooks(data_dir: &Path) -> Result<PathBuf, StartError> {
    let dir = playbooks_at(data_dir);
    embedded::write(&dir, embedded::files::<TutorPlaybooks>()).await?;
    Ok(dir)
}

fn openedx_defaults(settings: &Settings, demo: &demo::Demo) -> openedx::Defaults {
    let release = settings.default_openedx_release.clone();
    let fork = settings.default_fork.as_ref().map(|fork| {
        let is_short = !fork.starts_with('/') && !fork.contains(':');
        if is_short { format!("https://github.com/{fork}.git") } else { fork.clone() }
    });
    openedx::Defaults {
        base_domain: settings.instances_base_domain.clone(),
        email: "contact@example.com".into(),
        protocol: PROTOCOL,
        configuration_source_repo_url: configuration_repository(settings, demo),
        configuration_version: settings.default_configuration_version.clone().unwrap_or_else(|| release.clone()),
        configuration_playbook: settings.default_configuration_playbook.clone(),
        configuration_requirements: settings.default_configuration_requirements.clone(),
        edx_platform_repository_url: fork.unwrap_or_else(|| demo.edx_platform.display().to_string()),
        openedx_release: release,
        use_ephemeral_databases: settings.instance_ephemeral_databases,
        github_admin_organization_name: settings.default_admin_organization.clone(),
    }
}

//! Defaults of Open edX instances from the program's settings.

use shared_types::applications::openedx::Protocol;

use super::{Defaults, Installation, OpenEdx};
use crate::applications::{EMAIL, Repositories};
use crate::config::Settings;
use crate::config::gateway::{GatewaySettings, Scheme};

impl OpenEdx {
    /// Open edX with the operator's settings.
    ///
    /// # Errors
    /// A message that names the invalid setting and the reason.
    pub fn configured(settings: &Settings, repositories: &Repositories) -> Result<Self, String> {
        let front = GatewaySettings::new(settings)?.front;
        let public_scheme = front.map(|front| match front.scheme {
            Scheme::Http => Protocol::Http,
            Scheme::Https => Protocol::Https,
        });
        let installation = Installation { github_admins: Vec::new(), public_scheme };
        Ok(Self { defaults: defaults(settings, repositories), installation })
    }
}

/// Default configuration repository of an instance: URL or path.
pub fn configuration_repository(settings: &Settings, repositories: &Repositories) -> String {
    let configured = settings.default_configuration_repo_url.clone();
    configured.unwrap_or_else(|| repositories.configuration.display().to_string())
}

fn defaults(settings: &Settings, repositories: &Repositories) -> Defaults {
    let release = settings.default_openedx_release.clone();
    let fork = settings.default_fork.as_ref().map(|fork| {
        let is_short = !fork.starts_with('/') && !fork.contains(':');
        if is_short { format!("https://github.com/{fork}.git") } else { fork.clone() }
    });
    Defaults {
        base_domain: settings.instances_base_domain.clone(),
        email: EMAIL.to_owned(),
        protocol: Protocol::Http,
        configuration_source_repo_url: configuration_repository(settings, repositories),
        configuration_version: settings.default_configuration_version.clone().unwrap_or_else(|| release.clone()),
        configuration_playbook: settings.default_configuration_playbook.clone(),
        configuration_requirements: settings.default_configuration_requirements.clone(),
        edx_platform_repository_url: fork.unwrap_or_else(|| repositories.edx_platform.display().to_string()),
        openedx_release: release,
        use_ephemeral_databases: settings.instance_ephemeral_databases,
        github_admin_organization_name: settings.default_admin_organization.clone(),
    }
}

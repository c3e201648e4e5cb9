//! Defaults of Open edX instances from the program's settings.

use shared_types::applications::openedx::Protocol;

use super::{Defaults, Installation, OWNERS, OpenEdx};
use crate::applications::{EMAIL, Repositories};
use crate::config::Settings;
use crate::config::gateway::{GatewaySettings, Scheme};
use crate::config::table::settings;

settings! {
    /// Defaults of instances of the type `openedx`; see [open-edx.md](open-edx.md).
    pub struct OpenEdxDefaults = "Open edX";

    /// The edx-platform repository of instances that name none: a GitHub `owner/name`, a URL or an absolute path.
    default_fork: Option<String> = None, unset("the demo's");
    /// The repository with the playbooks, for instances that name none.
    default_configuration_repo_url: Option<String> = None, unset("the demo's");
    /// The branch, tag or commit of the repository with the playbooks.
    default_configuration_version: Option<String> = None, unset("the release");
    /// The playbook of instances that name none: its path in the repository with the playbooks.
    default_configuration_playbook: String = "playbooks/openedx_native.yml".into();
    /// The Python requirements of instances that name none: a relative path in the repository with the playbooks that
    /// ends in `.txt`, or the requirements themselves (`ansible==8.7.0`, one a line).
    default_configuration_requirements: String = "requirements.txt".into();
    /// The release of Open edX of instances that name none.
    default_openedx_release: String = "master".into();
    /// Whether databases are on the app server's machine and end with it, unless an instance says otherwise. Where a MySQL server
    /// of the settings is a default one, new instances of the tier `production` have databases there nonetheless.
    instance_ephemeral_databases: bool = true;
    /// The GitHub organization whose team gets SSH access to machines.
    default_admin_organization: String = String::new();
    /// The slug of that team, of every instance's GitHub organization, as in the team's address at GitHub.
    default_admin_team: String = OWNERS.into();
}

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
        let github_admin_team = settings.section::<OpenEdxDefaults>()?.default_admin_team;
        let installation = Installation { github_admins: Vec::new(), github_admin_team, public_scheme };
        Ok(Self { defaults: defaults(settings, repositories)?, installation })
    }
}

/// Default configuration repository of an instance: URL or path.
///
/// # Errors
/// A message that names the invalid setting and the reason.
pub fn configuration_repository(settings: &Settings, repositories: &Repositories) -> Result<String, String> {
    let configured = settings.section::<OpenEdxDefaults>()?.default_configuration_repo_url;
    Ok(configured.unwrap_or_else(|| repositories.configuration.display().to_string()))
}

fn defaults(settings: &Settings, repositories: &Repositories) -> Result<Defaults, String> {
    let given = settings.section::<OpenEdxDefaults>()?;
    let fork = given.default_fork.map(|fork| {
        let is_short = !fork.starts_with('/') && !fork.contains(':');
        if is_short { format!("https://github.com/{fork}.git") } else { fork }
    });
    let release = given.default_openedx_release;
    Ok(Defaults {
        base_domain: settings.instances.instances_base_domain.clone(),
        email: EMAIL.to_owned(),
        protocol: Protocol::Http,
        configuration_source_repo_url: configuration_repository(settings, repositories)?,
        configuration_version: given.default_configuration_version.unwrap_or_else(|| release.clone()),
        configuration_playbook: given.default_configuration_playbook,
        configuration_requirements: given.default_configuration_requirements,
        edx_platform_repository_url: fork.unwrap_or_else(|| repositories.edx_platform.display().to_string()),
        openedx_release: release,
        use_ephemeral_databases: given.instance_ephemeral_databases,
        github_admin_organization_name: given.default_admin_organization,
    })
}

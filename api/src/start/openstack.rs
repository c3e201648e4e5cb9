//! OpenStack's machines, from the settings.

use std::path::PathBuf;

use crate::config::sections::OpenStack;
use crate::machines::providers::openstack::{
    Cloud, CloudSettings, FlavorSelector, ImageSelector, NetworkSelector, OpenStackConfig,
};

/// The configuration of the provider. `installation`: the database's id.
///
/// # Errors
/// A message that names the setting, and says what is wrong.
pub(super) fn config(set: &OpenStack, installation: String) -> Result<OpenStackConfig, String> {
    let credentials = cloud(set).credentials().map_err(|error| error.to_string())?;
    let flavor = set.openstack_sandbox_flavor.parse::<FlavorSelector>();
    let image = set.openstack_sandbox_base_image.as_deref();
    let image = image.ok_or("OPENSTACK_SANDBOX_BASE_IMAGE is not set; name the image that servers boot")?;
    let security_groups = set.openstack_security_groups.iter().filter(|group| !group.is_empty());
    Ok(OpenStackConfig {
        credentials,
        flavor: flavor.map_err(|words| format!("OPENSTACK_SANDBOX_FLAVOR {words}"))?,
        image: image.parse::<ImageSelector>().map_err(|words| format!("OPENSTACK_SANDBOX_BASE_IMAGE {words}"))?,
        network: NetworkSelector::of(set.openstack_network.as_deref()),
        security_groups: security_groups.cloned().collect(),
        floating_network: set.openstack_floating_network.clone(),
        ssh_user: set.openstack_sandbox_ssh_username.clone(),
        availability_zone: set.openstack_availability_zone.clone(),
        installation,
    })
}

fn cloud(set: &OpenStack) -> CloudSettings {
    let cloud = set.os_cloud.clone().map(|name| Cloud { name, files: files(set) });
    CloudSettings {
        cloud,
        auth_url: set.os_auth_url.clone(),
        username: set.os_username.clone(),
        password: set.os_password.clone(),
        project_name: set.os_project_name.clone(),
        project_id: set.os_project_id.clone(),
        user_domain_name: set.os_user_domain_name.clone(),
        user_domain_id: set.os_user_domain_id.clone(),
        project_domain_name: set.os_project_domain_name.clone(),
        project_domain_id: set.os_project_domain_id.clone(),
        region: set.os_region_name.clone(),
        interface: set.os_interface.clone(),
        application_credential_id: set.os_application_credential_id.clone(),
        application_credential_name: set.os_application_credential_name.clone(),
        application_credential_secret: set.os_application_credential_secret.clone(),
        ca_file: set.os_cacert.clone(),
    }
}

/// Where `clouds.yaml` may be, the first first.
fn files(set: &OpenStack) -> Vec<PathBuf> {
    if let Some(file) = &set.os_client_config_file {
        return vec![file.clone()];
    }
    let home = std::env::var_os("HOME").map_or_else(|| PathBuf::from("/root"), PathBuf::from);
    ["".into(), home.join(".config/openstack"), "/etc/openstack".into()]
        .map(|dir: PathBuf| dir.join("clouds.yaml"))
        .into()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use crate::config::Settings;

    const COMPLETE: [(&str, &str); 7] = [
        ("OS_AUTH_URL", "https://cloud.example:5000"),
        ("OS_USERNAME", "tester"),
        ("OS_PASSWORD", "secret-1"),
        ("OS_PROJECT_NAME", "demo"),
        ("OS_USER_DOMAIN_NAME", "Default"),
        ("OS_PROJECT_DOMAIN_NAME", "Default"),
        ("OPENSTACK_SANDBOX_BASE_IMAGE", "debian-12*"),
    ];

    fn read(change: &[(&str, &str)]) -> Result<OpenStackConfig, String> {
        let given = COMPLETE.iter().filter(|(name, _)| change.iter().all(|(other, _)| other != name));
        let settings = Settings::of(given.chain(change).copied(), &[]).unwrap();
        config(&settings.openstack, "i".into())
    }

    #[test]
    fn the_settings_reach_the_provider() {
        let config = read(&[("OPENSTACK_SECURITY_GROUPS", "web, ssh"), ("OPENSTACK_NETWORK", "net")]).unwrap();
        assert_eq!(config.flavor, FlavorSelector::Smallest { memory_mb: 4096, vcpus: 0, disk_gb: 40 });
        assert_eq!(config.image, ImageSelector::Newest("debian-12".into()));
        assert_eq!(config.network, NetworkSelector::Named("net".into()));
        assert_eq!((config.security_groups, config.ssh_user.as_str()), (vec!["web".into(), "ssh".into()], "ubuntu"));
        let shown = format!("{:?}", config.credentials);
        assert!(!shown.contains("secret-1"), "{shown}");
    }

    #[test]
    fn a_bad_value_is_named() {
        for (name, value, expected) in [
            ("OPENSTACK_SANDBOX_FLAVOR", "{}", "OPENSTACK_SANDBOX_FLAVOR must be a flavor's name or id"),
            ("OPENSTACK_SANDBOX_BASE_IMAGE", "*", "OPENSTACK_SANDBOX_BASE_IMAGE must be an image's name or id"),
            ("OPENSTACK_SANDBOX_BASE_IMAGE", "", "OPENSTACK_SANDBOX_BASE_IMAGE is not set"),
            ("OS_PASSWORD", "", "OS_PASSWORD is not set"),
            ("OS_CLOUD", "prod", "OS_CLOUD and OS_AUTH_URL are both set"),
        ] {
            let error = read(&[(name, value)]).unwrap_err();
            assert!(error.starts_with(expected), "{error}");
        }
    }
}

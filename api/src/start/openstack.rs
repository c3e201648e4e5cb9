//! OpenStack's machines, from the settings.

use std::path::PathBuf;

use crate::config::sections::{IpVersion, OpenStack, ServerAddress};
use crate::machines::providers::openstack::{
    AddressKind, AddressSelector, Cloud, CloudSettings, FlavorSelector, ImageSelector, NetworkSelector, OpenStackConfig,
};

/// The configuration of the provider. `installation`: the database's id.
///
/// # Errors
/// A message that names the setting, and says what is wrong.
pub(super) fn config(set: &OpenStack, installation: String) -> Result<OpenStackConfig, String> {
    let credentials = cloud(set)?.credentials().map_err(|error| error.to_string())?;
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
        address: AddressSelector {
            kind: match set.openstack_address {
                ServerAddress::Auto => AddressKind::Any,
                ServerAddress::Fixed => AddressKind::Fixed,
                ServerAddress::Floating => AddressKind::Floating,
            },
            prefers_ipv6: set.openstack_ip_version == IpVersion::Ipv6,
        },
        ssh_user: set.openstack_sandbox_ssh_username.clone(),
        python: set.openstack_sandbox_python.clone(),
        availability_zone: set.openstack_availability_zone.clone(),
        installation,
    })
}

/// Names settings that are accepted without effect; none: none of them is set.
pub(super) fn unused(set: &OpenStack) -> Option<String> {
    let given = [
        (&set.openstack_sandbox_ssh_keyname, "OPENSTACK_SANDBOX_SSH_KEYNAME (each machine has a key of its own)"),
        (
            &set.openstack_production_instance_flavor,
            "OPENSTACK_PRODUCTION_INSTANCE_FLAVOR (a table [providers.NAME] for each size of servers has its effect)",
        ),
    ];
    let given: Vec<_> = given.into_iter().filter(|(value, _)| value.is_some()).map(|(_, words)| words).collect();
    (!given.is_empty()).then(|| format!("without effect: {}", given.join(", ")))
}

/// The credentials, which have either the names of OpenStack's clients or those of OpenCraft's instance manager.
fn cloud(set: &OpenStack) -> Result<CloudSettings, String> {
    let earlier = [
        (set.openstack_auth_url.is_some(), "OPENSTACK_AUTH_URL"),
        (set.openstack_user.is_some(), "OPENSTACK_USER"),
        (set.openstack_password.is_some(), "OPENSTACK_PASSWORD"),
        (set.openstack_tenant.is_some(), "OPENSTACK_TENANT"),
        (set.openstack_region.is_some(), "OPENSTACK_REGION"),
    ];
    let Some((_, earlier)) = earlier.into_iter().find(|(is_set, _)| *is_set) else { return Ok(of_clients(set)) };
    let clients = [
        (set.os_cloud.is_some(), "OS_CLOUD"),
        (set.os_auth_url.is_some(), "OS_AUTH_URL"),
        (set.os_username.is_some(), "OS_USERNAME"),
        (set.os_password.is_some(), "OS_PASSWORD"),
        (set.os_project_name.is_some(), "OS_PROJECT_NAME"),
        (set.os_project_id.is_some(), "OS_PROJECT_ID"),
        (set.os_region_name.is_some(), "OS_REGION_NAME"),
        (set.os_application_credential_id.is_some(), "OS_APPLICATION_CREDENTIAL_ID"),
        (set.os_application_credential_name.is_some(), "OS_APPLICATION_CREDENTIAL_NAME"),
        (set.os_application_credential_secret.is_some(), "OS_APPLICATION_CREDENTIAL_SECRET"),
    ];
    if let Some((_, other)) = clients.into_iter().find(|(is_set, _)| *is_set) {
        return Err(format!(
            "{other} and {earlier} are both set; the credentials must have either the names OS_… or OPENSTACK_…: remove \
             those of one kind"
        ));
    }
    Ok(with_earlier_names(set))
}

/// The settings under the names of OpenCraft's instance manager. It knew no domains: `default` is where Keystone put the
/// users and projects of its version 2.
fn with_earlier_names(set: &OpenStack) -> CloudSettings {
    let version_3 = |url: &String| match url.trim_end_matches('/').strip_suffix("/v2.0") {
        Some(base) => format!("{base}/v3"),
        None => url.clone(),
    };
    let domain = |id: &Option<String>, name: &Option<String>| {
        id.clone().or_else(|| name.is_none().then(|| "default".to_owned()))
    };
    CloudSettings {
        has_earlier_names: true,
        auth_url: set.openstack_auth_url.as_ref().map(version_3),
        username: set.openstack_user.clone(),
        password: set.openstack_password.clone(),
        project_name: set.openstack_tenant.clone(),
        region: set.openstack_region.clone(),
        user_domain_id: domain(&set.os_user_domain_id, &set.os_user_domain_name),
        project_domain_id: domain(&set.os_project_domain_id, &set.os_project_domain_name),
        ..of_clients(set)
    }
}

fn of_clients(set: &OpenStack) -> CloudSettings {
    let cloud = set.os_cloud.clone().map(|name| Cloud { name, files: files(set) });
    CloudSettings {
        has_earlier_names: false,
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

    /// What an `.env` of OpenCraft's instance manager had, with the address that its README showed.
    const EARLIER: [(&str, &str); 10] = [
        ("OPENSTACK_USER", "old-user"),
        ("OPENSTACK_PASSWORD", "old-secret"),
        ("OPENSTACK_TENANT", "old-tenant"),
        ("OPENSTACK_AUTH_URL", "https://auth.cloud.example/v2.0"),
        ("OPENSTACK_REGION", "BHS1"),
        ("OPENSTACK_SANDBOX_FLAVOR", r#"{"ram": 2048, "disk": 20}"#),
        ("OPENSTACK_SANDBOX_BASE_IMAGE", r#"{"name": "Ubuntu 16.04"}"#),
        ("OPENSTACK_SANDBOX_SSH_KEYNAME", "opencraft"),
        ("OPENSTACK_SANDBOX_SSH_USERNAME", "admin"),
        ("OPENSTACK_PRODUCTION_INSTANCE_FLAVOR", r#"{"ram": 8192, "disk": 80}"#),
    ];

    fn read_all(given: &[(&str, &str)]) -> OpenStack {
        Settings::of(given.iter().copied(), &[]).unwrap().openstack
    }

    fn read(change: &[(&str, &str)]) -> Result<OpenStackConfig, String> {
        let given = COMPLETE.iter().filter(|(name, _)| change.iter().all(|(other, _)| other != name));
        config(&read_all(&given.chain(change).copied().collect::<Vec<_>>()), "i".into())
    }

    #[test]
    fn every_name_of_the_instance_manager_is_accepted() {
        let set = read_all(&EARLIER);
        let config = config(&set, "i".into()).unwrap();
        assert_eq!(config.flavor, FlavorSelector::Smallest { memory_mb: 2048, vcpus: 0, disk_gb: 20 });
        assert_eq!(config.image, ImageSelector::Named("Ubuntu 16.04".into()));
        assert_eq!(config.ssh_user, "admin");
        let shown = format!("{:?}", config.credentials);
        for part in ["auth.cloud.example", "/v3", "old-user", "old-tenant", "BHS1", r#""id": String("default")"#] {
            assert!(shown.contains(part), "{part}: {shown}");
        }
        assert!(!shown.contains("old-secret") && !shown.contains("v2.0"), "{shown}");
        let words = unused(&set).unwrap();
        assert!(words.contains("OPENSTACK_SANDBOX_SSH_KEYNAME (") && words.contains("INSTANCE_FLAVOR ("), "{words}");
        assert_eq!(unused(&read_all(&COMPLETE)), None);
    }

    #[test]
    fn names_of_the_instance_manager_are_named_when_they_are_missing_or_not_alone() {
        let without = |name: &str| EARLIER.into_iter().filter(|(other, _)| *other != name).collect::<Vec<_>>();
        for name in ["OPENSTACK_USER", "OPENSTACK_PASSWORD", "OPENSTACK_TENANT", "OPENSTACK_AUTH_URL"] {
            let error = config(&read_all(&without(name)), "i".into()).unwrap_err();
            assert!(error.starts_with(name) && error.contains("is not set"), "{error}");
        }
        config(&read_all(&without("OPENSTACK_REGION")), "i".into()).unwrap();
        let error = read(&[("OPENSTACK_USER", "u")]).unwrap_err();
        assert!(error.starts_with("OS_AUTH_URL and OPENSTACK_USER are both set"), "{error}");
        let named: Vec<_> = EARLIER.into_iter().chain([("OS_USER_DOMAIN_NAME", "edu")]).collect();
        let shown = format!("{:?}", config(&read_all(&named), "i".into()).unwrap().credentials);
        assert!(shown.contains("edu"), "{shown}");
    }

    #[test]
    fn user_address_and_python_of_the_image_are_set() {
        let config = read(&[
            ("OPENSTACK_SANDBOX_SSH_USERNAME", "cloud-user"),
            ("OPENSTACK_SANDBOX_PYTHON", "/usr/bin/python3.11"),
            ("OPENSTACK_ADDRESS", "fixed"),
            ("OPENSTACK_IP_VERSION", "ipv6"),
        ])
        .unwrap();
        assert_eq!((config.ssh_user.as_str(), config.python.as_deref()), ("cloud-user", Some("/usr/bin/python3.11")));
        assert_eq!(config.address, AddressSelector { kind: AddressKind::Fixed, prefers_ipv6: true });
        let config = read(&[]).unwrap();
        assert_eq!(
            (config.address, config.python),
            (AddressSelector { kind: AddressKind::Any, prefers_ipv6: false }, None)
        );
        for (name, value) in [("OPENSTACK_ADDRESS", "public"), ("OPENSTACK_IP_VERSION", "6")] {
            let error = Settings::of([(name, value)], &[]).unwrap_err().to_string();
            assert!(error.contains(&name.to_ascii_lowercase()) || error.contains(name), "{error}");
        }
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

use std::path::PathBuf;

use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use crate::config::setting::{Setting, word};
use crate::config::table::settings;

settings! {
    /// Servers of an OpenStack cloud, with the provider `openstack`. The names `OS_…` are those that OpenStack's own
    /// clients read: source the cloud's openrc file, or name a cloud of `clouds.yaml`. The names of OpenCraft's instance
    /// manager are read as well: `OPENSTACK_AUTH_URL` and the four after it. See [openstack.md](openstack.md).
    pub struct OpenStack = "OpenStack";

    /// The size of each server: a flavor's name or id, or JSON with what it must have at least: `ram` in MB, `vcpus`,
    /// `disk` in GB. Of those that have it, the smallest is taken.
    openstack_sandbox_flavor: String = r#"{"ram": 4096, "disk": 40}"#.into();
    /// The image that servers boot, with cloud-init: its name or id, or the beginning of a name with `*` after it for the
    /// newest active one (`debian-12*`), or JSON with `name`, `id` or `name_prefix`. Required.
    openstack_sandbox_base_image: Option<String> = None;
    /// The user that cloud-init makes on each server, and that Ansible logs in as; may use sudo.
    openstack_sandbox_ssh_username: String = "ubuntu".into();
    /// The absolute path of the Python interpreter on the image that Ansible's modules run with.
    openstack_sandbox_python: Option<String> = None, unset("Ansible looks for one");
    /// The network of the servers, by name or id.
    openstack_network: Option<String> = None, unset("the project's only one that is not external");
    /// The security groups of the servers, by name or id. They must let in ssh from ocim, and HTTP from the gateway.
    openstack_security_groups: Vec<String> = Vec::new(), unset("the project's group `default`");
    /// The external network that gives each server a floating address. Unset: ocim gives them none.
    openstack_floating_network: Option<String> = None;
    /// The address of a server that ocim and the gateway use: `fixed`, that of its port; `floating`, which is waited for;
    /// `auto`, the floating one if it has one, else the fixed one.
    openstack_address: ServerAddress = ServerAddress::Auto;
    /// The version of IP that is preferred where a server has addresses of both: `ipv4` or `ipv6`.
    openstack_ip_version: IpVersion = IpVersion::Ipv4;
    /// The availability zone of the servers.
    openstack_availability_zone: Option<String> = None, unset("Nova's choice");
    /// The name of a cloud in `clouds.yaml`. Credentials then come from there, and must not be set here as well.
    os_cloud: Option<String> = None;
    /// The `clouds.yaml`.
    os_client_config_file: Option<PathBuf> = None,
        unset("the first of `clouds.yaml`, `~/.config/openstack/clouds.yaml` and `/etc/openstack/clouds.yaml`");
    /// Keystone's address, with or without `/v3`.
    os_auth_url: Option<String> = None;
    /// The user that servers are made as.
    os_username: Option<String> = None;
    /// The user's password.
    os_password: Option<SecretString> = None;
    /// The name of the project that servers are made in.
    os_project_name: Option<String> = None;
    /// The id of that project, which wins over the name.
    os_project_id: Option<String> = None;
    /// The name of the user's domain.
    os_user_domain_name: Option<String> = None;
    /// The id of the user's domain, which wins over the name.
    os_user_domain_id: Option<String> = None;
    /// The name of the project's domain.
    os_project_domain_name: Option<String> = None;
    /// The id of the project's domain, which wins over the name.
    os_project_domain_id: Option<String> = None;
    /// The id of an application credential, instead of user, password and project.
    os_application_credential_id: Option<String> = None;
    /// The name of an application credential, with the user it belongs to.
    os_application_credential_name: Option<String> = None;
    /// The secret of the application credential.
    os_application_credential_secret: Option<SecretString> = None;
    /// The region of the cloud.
    os_region_name: Option<String> = None, unset("the only one that has the service");
    /// Which addresses of the cloud's services are used: `public`, `internal` or `admin`.
    os_interface: Option<String> = None, unset("`public`");
    /// A file with certificates (PEM) to trust besides the system's.
    os_cacert: Option<PathBuf> = None;
    /// Keystone's address, as `OS_AUTH_URL`; `/v2.0` at its end counts as `/v3`. Not beside credentials `OS_…`.
    openstack_auth_url: Option<String> = None;
    /// The user, as `OS_USERNAME`, in the domain `default` unless `OS_USER_DOMAIN_…` names another.
    openstack_user: Option<String> = None;
    /// The user's password, as `OS_PASSWORD`.
    openstack_password: Option<SecretString> = None;
    /// The name of the project, as `OS_PROJECT_NAME`, in the domain `default` unless `OS_PROJECT_DOMAIN_…` names another.
    openstack_tenant: Option<String> = None;
    /// The region, as `OS_REGION_NAME`.
    openstack_region: Option<String> = None;
    /// Accepted, and without effect: each machine has a key of its own.
    openstack_sandbox_ssh_keyname: Option<String> = None;
    /// Accepted, and without effect: a provider has one size of servers; make a table for each size.
    openstack_production_instance_flavor: Option<String> = None;
}

/// Which address of a server is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ServerAddress {
    /// The floating one if it has one, else the fixed one.
    Auto,
    /// That of its port.
    Fixed,
    /// The floating one.
    Floating,
}

impl Setting for ServerAddress {
    fn shown(&self) -> Option<String> {
        word(self)
    }
}

/// Which version of IP is preferred.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IpVersion {
    /// IPv4.
    Ipv4,
    /// IPv6.
    Ipv6,
}

impl Setting for IpVersion {
    fn shown(&self) -> Option<String> {
        word(self)
    }
}

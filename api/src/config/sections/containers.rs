use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::config::setting::{Setting, word};
use crate::config::table::settings;

settings! {
    /// Containers of Docker or Podman on this host, with the provider `containers`; the limits of local machines hold
    /// for them, too. See [containers.md](containers.md).
    pub struct Containers = "Containers";

    /// The absolute path of the engine's socket. Unset: that of `DOCKER_HOST`, else Podman's where it runs, else Podman's
    /// service is started.
    ocim_containers_socket: Option<PathBuf> = None, unset("it is looked for");
    /// How containers are reached: `address`, by their own addresses in the engine's network; `ports`, by ports of
    /// 127.0.0.1; `auto`, by address where the engine runs as root.
    ocim_containers_reach: ContainersReach = ContainersReach::Auto;
    /// With `address`: the engine's network of the containers. It is made where it is missing.
    ocim_containers_network: String = "ocim".to_owned();
    /// With `address`: the IPv4 addresses of the network, if ocim makes it, such as `10.214.0.0/24`. Docker needs this.
    ocim_containers_subnet: Option<String> = None, unset("the engine chooses");
    /// An image that the engine has, with sshd, Python and a user `ubuntu` who may use sudo without a password. Unset: the
    /// base tree of local machines is imported. No image is ever pulled.
    ocim_containers_image: Option<String> = None, unset("the base tree");
}

/// How this host reaches containers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ContainersReach {
    /// By address where the engine runs as root, else by ports.
    Auto,
    /// By address.
    Address,
    /// By ports of 127.0.0.1.
    Ports,
}

impl Setting for ContainersReach {
    fn shown(&self) -> Option<String> {
        word(self)
    }
}

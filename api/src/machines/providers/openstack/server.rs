//! A server as Nova describes it, and what that means for us.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

use serde::Deserialize;
use shared_types::ServerId;

use super::selectors::{AddressKind, AddressSelector};
use super::words::line;
use crate::machines::provider::{Endpoint, MachineState, MadeFrom};

/// Metadata key of our installation's id.
pub(super) const INSTALLATION_KEY: &str = "ocim_installation";
/// Metadata key of our server id.
pub(super) const SERVER_KEY: &str = "ocim_server_id";

const SSH_PORT: u16 = 22;
const HTTP_PORT: u16 = 80;

/// A server. Nova leaves out what it does not know yet.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Server {
    pub(super) id: String,
    pub(super) status: String,
    #[serde(default, rename = "OS-EXT-STS:task_state")]
    pub(super) task_state: Option<String>,
    /// A time as text; sorts by age.
    #[serde(default)]
    pub(super) created: String,
    #[serde(default)]
    metadata: BTreeMap<String, String>,
    /// By the name of the network.
    #[serde(default)]
    addresses: BTreeMap<String, Vec<Address>>,
    #[serde(default)]
    fault: Option<Fault>,
    /// An object with an id, or an empty text if the server has booted a volume.
    #[serde(default)]
    image: serde_json::Value,
    /// An object: with an id, from version 2.47 of the API on with a name.
    #[serde(default)]
    flavor: serde_json::Value,
}

#[derive(Debug, Clone, Deserialize)]
struct Address {
    addr: IpAddr,
    #[serde(default, rename = "OS-EXT-IPS:type")]
    kind: Option<String>,
}

/// Why a server is in error. Its details, a traceback, are for administrators of the cloud.
#[derive(Debug, Clone, Deserialize)]
struct Fault {
    message: String,
}

impl Server {
    /// Our id of it; none: it belongs to others, and must not be touched. Metadata is compared here, as Nova ignores
    /// filters that it does not know.
    pub(super) fn server_id(&self, installation: &str) -> Option<ServerId> {
        let own = self.metadata.get(INSTALLATION_KEY).filter(|value| *value == installation);
        let id = own.and_then(|_| self.metadata.get(SERVER_KEY))?;
        id.parse::<i64>().ok().and_then(|id| ServerId::try_from(id).ok())
    }

    /// Whether it has been deleted: Nova may still show it for a moment, or for a time in which an administrator could
    /// restore it.
    pub(super) fn is_gone(&self) -> bool {
        matches!(self.status.as_str(), "DELETED" | "SOFT_DELETED")
    }

    /// Whether Nova accepted its deletion and works on it.
    pub(super) fn is_being_deleted(&self) -> bool {
        self.task_state.as_deref().is_some_and(|state| state.contains("deleting"))
    }

    /// Whether Nova has given up the last operation on it.
    pub(super) fn is_in_error(&self) -> bool {
        self.status == "ERROR"
    }

    /// The ids of image and flavor, or the flavor's name: only the answer that created it has both names.
    pub(super) fn made_from(&self) -> MadeFrom {
        let of = |value: &serde_json::Value, field: &str| Some(value.get(field)?.as_str()?.to_owned());
        let flavor = of(&self.flavor, "original_name").or_else(|| of(&self.flavor, "id"));
        MadeFrom { image: of(&self.image, "id"), flavor }
    }

    /// Its state, by `status` alone: `task_state` is null in the middle of a build.
    pub(super) fn state(&self) -> MachineState {
        match self.status.as_str() {
            "BUILD" | "REBOOT" | "HARD_REBOOT" | "UNKNOWN" => MachineState::Building,
            "ERROR" => MachineState::Failed(self.fault()),
            "SHUTOFF" | "PAUSED" | "SUSPENDED" | "SHELVED" | "SHELVED_OFFLOADED" | "RESCUE" => {
                let status = &self.status;
                MachineState::Failed(format!(
                    "server {} is {status}: it was stopped at the cloud, not by ocim",
                    self.id
                ))
            }
            // Also while it is migrated, resized or rebuilt.
            _ => MachineState::Active,
        }
    }

    /// Nova's words on why it is in error.
    pub(super) fn fault(&self) -> String {
        let words = self.fault.as_ref().map(|fault| line(&fault.message)).filter(|words| !words.is_empty());
        match words {
            Some(words) => format!("Nova reports an error of server {}: {words}", self.id),
            None => format!("Nova reports an error of server {} without a reason", self.id),
        }
    }

    /// Its floating address; none: it has none.
    pub(super) fn floating(&self, selector: AddressSelector) -> Option<IpAddr> {
        self.best(selector, |address| address.kind.as_deref() == Some("floating"))
    }

    /// Its addresses, at the usual ports. None until it has the selected one. People are shown the floating one, if any.
    pub(super) fn endpoint(&self, selector: AddressSelector, floating: Option<IpAddr>) -> Option<Endpoint> {
        let fixed = self.best(selector, |address| address.kind.as_deref() != Some("floating"));
        let used = match selector.kind {
            AddressKind::Any => floating.or(fixed),
            AddressKind::Fixed => fixed,
            AddressKind::Floating => floating,
        }?;
        let (ssh, http) = (SocketAddr::new(used, SSH_PORT), SocketAddr::new(used, HTTP_PORT));
        Some(Endpoint { public_ip: floating.unwrap_or(used), ssh, http })
    }

    fn best(&self, selector: AddressSelector, is_wanted: impl Fn(&Address) -> bool) -> Option<IpAddr> {
        let wanted = self.addresses.values().flatten().filter(|address| is_wanted(address)).map(|address| address.addr);
        wanted.min_by_key(|address| address.is_ipv6() != selector.prefers_ipv6)
    }
}

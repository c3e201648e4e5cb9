//! The port to the providers that create machines.
//!
//! A machine is identified by our server id and the installation's id (the database's), which every provider stores in
//! the machine's metadata: a create whose answer was lost is found again, and a machine without both is never touched.
//! A provider serves one installation; it ignores servers of other installations, whose ids may be the same numbers.

#![warn(missing_docs)]

use std::fmt::Debug;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use async_trait::async_trait;
use shared_types::system::Protection;
use shared_types::{ProviderKind, ServerId};

/// Identifies a machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MachineRef {
    /// Our server id; it alone identifies the machine.
    pub server_id: ServerId,
    /// The provider's id, where it is known already; saves a search.
    pub provider_id: Option<String>,
}

/// How to create a machine.
#[derive(Debug, Clone)]
pub struct MachineSpec {
    /// Our server id, to be stored in the machine's metadata.
    pub server_id: ServerId,
    /// The machine's host name: letters, digits and hyphens, at most 63.
    pub name: String,
    /// The machine's own public key, which may log in as [`Provider::ssh_user`]: one line in OpenSSH's format.
    pub authorized_key: String,
}

/// State of a machine, as its provider sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MachineState {
    /// The provider is creating or starting it.
    Building,
    /// The provider reports it as running. It may not answer SSH yet.
    Active,
    /// The provider could not create it, with its message.
    Failed(String),
}

/// A machine that exists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Machine {
    /// The provider's id of it.
    pub provider_id: String,
    /// What the provider says of it now; the database may still say otherwise.
    pub state: MachineState,
    /// Its addresses, as soon as they are known.
    pub endpoint: Option<Endpoint>,
    /// Its SSH host key (`ssh-ed25519 AAAA…`), if the provider knows it beforehand; otherwise that of the first login is recorded.
    pub host_key: Option<String>,
    /// What it was made from, as far as the provider tells.
    pub made_from: MadeFrom,
}

/// What a machine was made from, in the provider's words, for people. The first answer that has an image or a flavor counts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MadeFrom {
    /// What it booted first.
    pub image: Option<String>,
    /// Its size.
    pub flavor: Option<String>,
}

impl MadeFrom {
    /// The most characters of each that are stored.
    const MAX: usize = 255;

    /// Without what is blank, and cut off at the length that the database takes.
    pub fn shortened(&self) -> Self {
        let short = |text: &Option<String>| {
            let text: String = text.as_deref()?.trim().chars().take(Self::MAX).collect();
            Some(text).filter(|text| !text.is_empty())
        };
        Self { image: short(&self.image), flavor: short(&self.flavor) }
    }
}

/// Addresses of a machine. Never assume a port: where machines cannot be reached by address, ports are mapped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Endpoint {
    /// The address shown to users.
    pub public_ip: IpAddr,
    /// Address and port of sshd.
    pub ssh: SocketAddr,
    /// Address and port of the application's web server.
    pub http: SocketAddr,
}

/// Capacity of the machines of a provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MachineOffer {
    /// Whether each has its own kernel: containers run in it, and kernel modules can be loaded.
    pub has_own_kernel: bool,
    /// The most memory in MB; none: not limited by the provider.
    pub memory_mb: Option<u32>,
    /// The most disk in GB; none: not limited by the provider.
    pub disk_gb: Option<u32>,
}

impl MachineOffer {
    /// Enough for any application.
    pub const ANY: Self = Self { has_own_kernel: true, memory_mb: None, disk_gb: None };
}

/// Why a provider's operation failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProviderError {
    /// A retry may succeed: no answer, or a 5xx.
    #[error("{0}")]
    Transient(String),
    /// A retry does not help: refused, no such image, not allowed.
    #[error("{0}")]
    Permanent(String),
    /// Nothing was made, because a quota is used up: a retry succeeds once other machines are gone. The cloud's words.
    #[error("{0}")]
    Quota(String),
}

/// Creates and deletes machines. Each call is idempotent.
#[async_trait]
pub trait Provider: Debug + Send + Sync {
    /// The kind of its machines.
    fn kind(&self) -> ProviderKind;

    /// The most that its machines have.
    fn offers(&self) -> MachineOffer;

    /// The least time between two questions about a machine that is not ready.
    fn pace(&self) -> Duration {
        Duration::ZERO
    }

    /// The user that Ansible logs in as; may use sudo without a password.
    fn ssh_user(&self) -> &str;

    /// Whether cloud-init may still be at work on its machines when sshd answers, so that playbooks must wait for its end.
    fn has_first_boot(&self) -> bool {
        false
    }

    /// The absolute path of the Python interpreter that Ansible uses on its machines; none: Ansible looks for one.
    fn python(&self) -> Option<&str> {
        None
    }

    /// The walls between its machines and the host of this program, for the System page. None where they are others'
    /// business.
    async fn protections(&self) -> Vec<Protection> {
        Vec::new()
    }

    /// The machine with this server id and our installation's id, if it exists.
    async fn find(&self, machine: &MachineRef) -> Result<Option<Machine>, ProviderError>;

    /// Creates the machine, or finds the one that an earlier call created. Does not wait for it to answer.
    async fn create(&self, spec: &MachineSpec) -> Result<Machine, ProviderError>;

    /// Restarts the machine. Does not wait for it to answer again; [`Provider::find`] may say `Building` meanwhile.
    async fn reboot(&self, machine: &MachineRef) -> Result<(), ProviderError>;

    /// Deletes the machine with all its data, and returns when it is verified gone. Gone already is success.
    async fn terminate(&self, machine: &MachineRef) -> Result<(), ProviderError>;

    /// Every machine with our installation's id.
    async fn list(&self) -> Result<Vec<(ServerId, Machine)>, ProviderError>;

    /// Releases what machines that no longer exist have left at the provider, such as addresses: only what has our
    /// installation's id and the server id of such a machine. Gives what was released, in words.
    async fn release_leftovers(&self) -> Result<Vec<String>, ProviderError> {
        Ok(Vec::new())
    }
}

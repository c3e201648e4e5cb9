//! The port to whatever makes machines.
//!
//! A machine is known by our own server id and by the id of the installation (the database), which every provider keeps in
//! the machine's metadata: a create whose answer was lost is found again, and what does not carry both is never touched.
//! A provider is opened for one installation; ids of another's servers, which may be the same numbers, mean nothing to it.

use std::fmt::Debug;
use std::net::{IpAddr, SocketAddr};

use async_trait::async_trait;
use shared_types::ServerId;

/// Which machine is meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MachineRef {
    /// Ours; decides.
    pub server_id: ServerId,
    /// The provider's, where it is known already; a shortcut.
    pub provider_id: Option<String>,
}

/// What to make.
#[derive(Debug, Clone)]
pub struct MachineSpec {
    /// Ours, to be kept in the machine's metadata.
    pub server_id: ServerId,
    /// The machine's host name: letters, digits and hyphens, at most 63.
    pub name: String,
    /// The public key that may log in as [`Provider::ssh_user`], one line in OpenSSH's format.
    pub authorized_key: String,
}

/// How a machine is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MachineState {
    /// The provider is making or starting it.
    Building,
    /// The provider says it runs. Whether it answers SSH is another question.
    Active,
    /// The provider could not make it, in its own words.
    Failed(String),
}

/// A machine that exists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Machine {
    /// What the provider calls it.
    pub provider_id: String,
    /// How it is.
    pub state: MachineState,
    /// Where it answers, as soon as that is known.
    pub endpoint: Option<Endpoint>,
    /// Its SSH host key (`ssh-ed25519 AAAA…`), where the provider knows it beforehand. Otherwise the first is believed.
    pub host_key: Option<String>,
}

/// Where a machine answers. Never assume a port: where machines cannot be reached by address, ports are mapped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Endpoint {
    /// The address people are shown.
    pub public_ip: IpAddr,
    /// Where sshd answers.
    pub ssh: SocketAddr,
    /// Where the application's web server answers.
    pub http: SocketAddr,
}

/// What the machines of a provider have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MachineOffer {
    /// Whether each has a kernel of its own: containers run in it, and kernel modules can be loaded.
    pub has_own_kernel: bool,
    /// The most memory in MB; none: not limited by the provider.
    pub memory_mb: Option<u32>,
    /// The most disk in GB; none: not limited by the provider.
    pub disk_gb: Option<u32>,
}

impl MachineOffer {
    /// Whatever an application may need.
    pub const ANY: Self = Self { has_own_kernel: true, memory_mb: None, disk_gb: None };
}

/// Why a provider did not do it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProviderError {
    /// It may go better a moment later: no answer, a 5xx.
    #[error("{0}")]
    Transient(String),
    /// It will not: refused, over quota, no such image, not allowed.
    #[error("{0}")]
    Permanent(String),
}

/// Makes machines and takes them away. Each call may be repeated without harm.
#[async_trait]
pub trait Provider: Debug + Send + Sync {
    /// The word in the database and in the API: `local`, `openstack`, `fake`.
    fn name(&self) -> &'static str;

    /// What its machines have, at most.
    fn offers(&self) -> MachineOffer;

    /// The user that Ansible logs in as; may use sudo without a password.
    fn ssh_user(&self) -> &str;

    /// The machine with our id and our installation's, if there is one.
    async fn find(&self, machine: &MachineRef) -> Result<Option<Machine>, ProviderError>;

    /// Makes the machine, or finds the one that an earlier call made. Does not wait for it to answer.
    async fn create(&self, spec: &MachineSpec) -> Result<Machine, ProviderError>;

    /// Restarts it. Does not wait for it to answer again; [`Provider::find`] may say `Building` meanwhile.
    async fn reboot(&self, machine: &MachineRef) -> Result<(), ProviderError>;

    /// Takes it away with all it holds, and returns when it is verified gone. Gone already is success.
    async fn terminate(&self, machine: &MachineRef) -> Result<(), ProviderError>;

    /// Every machine that carries our installation's id.
    async fn list(&self) -> Result<Vec<(ServerId, Machine)>, ProviderError>;
}

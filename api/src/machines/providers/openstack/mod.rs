//! Machines of an OpenStack cloud: servers of Nova, in one project.
//!
//! A server is ours if its metadata has our installation's id and a server id of ours; both are written by the request that
//! creates it. Servers of others in the same project are listed, and nothing is ever done to them. No filter of the cloud is
//! relied on: each entry is checked.
//!
//! This process keeps a token and nothing else. A create whose answer was lost is found again by the metadata. Creates for one
//! id wait for one another in a process; where those of two processes meet, the older server counts, and the other one is
//! deleted at once, or with it.
//!
//! Not here: volumes (the flavor's disk is used), key pairs (the key is in the user data), and ports, which Nova makes and
//! deletes with the server.

mod catalog;
mod choosing;
mod clouds_yaml;
mod credentials;
mod error;
mod floating;
mod keystone;
mod nova;
mod object_storage;
mod pace;
mod said;
mod selectors;
mod server;
mod session;
#[cfg(test)]
mod tests;
mod user_data;
mod web;
pub(super) mod words;

use std::net::IpAddr;
use std::sync::OnceLock;
use std::time::Duration;

use async_trait::async_trait;
use shared_types::{ProviderKind, ServerId};
use tokio::sync::{Mutex, MutexGuard};

pub use choosing::{Flavor, Image, Network};
pub use clouds_yaml::Cloud;
pub use credentials::{CloudSettings, Credentials};
pub use error::OpenStackError;
pub use object_storage::ObjectStorage;
pub use selectors::{AddressKind, AddressSelector, FlavorSelector, ImageSelector, NetworkSelector};

use self::nova::{Attachment, GroupName, NewServer};
use self::pace::Pace;
use self::server::{INSTALLATION_KEY, SERVER_KEY, Server};
use self::session::Session;
use crate::machines::provider::{
    Endpoint, Machine, MachineOffer, MachineRef, MachineSpec, MachineState, MadeFrom, Provider, ProviderError,
};

/// Configuration of the provider.
#[derive(Debug, Clone)]
pub struct OpenStackConfig {
    /// How to log in, and to which region.
    pub credentials: Credentials,
    /// The size of each server.
    pub flavor: FlavorSelector,
    /// What each server boots.
    pub image: ImageSelector,
    /// The network that each server is connected to.
    pub network: NetworkSelector,
    /// Names or ids of the security groups of each server; empty: the project's default one.
    pub security_groups: Vec<String>,
    /// The external network that gives each server a floating address; none: it gets none.
    pub floating_network: Option<String>,
    /// The address that ocim and the gateway use.
    pub address: AddressSelector,
    /// The user that cloud-init makes, and that Ansible logs in as.
    pub ssh_user: String,
    /// The absolute path of the Python interpreter on the image; none: Ansible looks for one.
    pub python: Option<String>,
    /// The availability zone of each server; none: Nova chooses.
    pub availability_zone: Option<String>,
    /// The database's id. Servers of other installations in the same project are never touched.
    pub installation: String,
}

/// What the selectors mean in the cloud at present.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selected {
    /// The size of a new server.
    pub flavor: Flavor,
    /// What a new server boots.
    pub image: Image,
    /// What a new server is connected to.
    pub network: Network,
}

/// Creates and deletes servers in one project of one cloud.
#[derive(Debug)]
pub struct OpenStack {
    config: OpenStackConfig,
    session: Session,
    /// The flavor that was selected last.
    flavor: OnceLock<Flavor>,
    /// Held during a create, by the id's remainder: Nova would make a second server for a request beside it.
    creates: [Mutex<()>; CREATES],
}

/// How many locks the creates share.
const CREATES: usize = 64;

impl OpenStack {
    /// Opens the provider. Sends no request, so that a cloud that does not answer prevents no start: see [`Self::check`].
    ///
    /// # Errors
    /// [`OpenStackError::Settings`] if the user's name, the path of Python or the file with certificates cannot be used.
    pub fn open(config: OpenStackConfig) -> Result<Self, OpenStackError> {
        Self::open_with(config, Pace::default())
    }

    fn open_with(config: OpenStackConfig, pace: Pace) -> Result<Self, OpenStackError> {
        user_data::check_user(&config.ssh_user)?;
        user_data::check_python(config.python.as_deref())?;
        let session = Session::new(config.credentials.clone(), pace)?;
        let creates = std::array::from_fn(|_| Mutex::new(()));
        Ok(Self { config, session, flavor: OnceLock::new(), creates })
    }

    /// Logs in and finds what the settings select. Changes nothing in the cloud.
    ///
    /// # Errors
    /// [`OpenStackError`]: what cannot be used first, with the setting or the choices.
    pub async fn check(&self) -> Result<Selected, OpenStackError> {
        let OpenStackConfig { flavor, image, network, floating_network, .. } = &self.config;
        let flavor = choosing::flavor(&self.session, flavor).await?;
        let image = choosing::image(&self.session, image).await?;
        let network = choosing::network(&self.session, network).await?;
        if let Some(pool) = floating_network {
            choosing::pool(&self.session, pool).await?;
        }
        let _ = self.flavor.set(flavor.clone());
        Ok(Selected { flavor, image, network })
    }

    /// Our servers with this id, the oldest first. More than one only where Nova made a second one.
    async fn ours(&self, id: ServerId) -> Result<Vec<Server>, OpenStackError> {
        let all = nova::list(&self.session).await?;
        let mut ours: Vec<_> = all.into_iter().filter(|server| self.is_ours(server, id)).collect();
        ours.sort_by(|one, other| (&one.created, &one.id).cmp(&(&other.created, &other.id)));
        Ok(ours)
    }

    fn is_ours(&self, server: &Server, id: ServerId) -> bool {
        server.server_id(&self.config.installation) == Some(id) && !server.is_gone()
    }

    async fn look_up(&self, machine: &MachineRef) -> Result<Option<Server>, OpenStackError> {
        if let Some(provider_id) = &machine.provider_id {
            let found = nova::get(&self.session, provider_id).await?;
            if let Some(found) = found.filter(|found| self.is_ours(found, machine.server_id)) {
                return Ok(Some(found));
            }
        }
        match self.ours(machine.server_id).await?.into_iter().next() {
            // Nova's list may leave out why a server is in error.
            Some(found) if found.is_in_error() => nova::get(&self.session, &found.id).await,
            found => Ok(found),
        }
    }

    /// Describes a server by what Nova says alone.
    fn describe(&self, server: &Server) -> Machine {
        let endpoint = self.endpoint(server, server.floating(self.config.address));
        let made_from = server.made_from();
        Machine { provider_id: server.id.clone(), state: server.state(), endpoint, host_key: None, made_from }
    }

    /// The addresses of a server; none if it is still to get a floating one.
    fn endpoint(&self, server: &Server, floating: Option<IpAddr>) -> Option<Endpoint> {
        if self.config.floating_network.is_some() && floating.is_none() {
            return None;
        }
        server.endpoint(self.config.address, floating)
    }

    /// Describes a server; one that is active gets its floating address first.
    async fn describe_connected(&self, id: ServerId, server: &Server) -> Result<Machine, OpenStackError> {
        let mut machine = self.describe(server);
        if let Some(pool) = &self.config.floating_network
            && machine.state == MachineState::Active
            && server.floating(self.config.address).is_none()
            && !server.is_being_deleted()
        {
            let address = floating::attach(&self.session, pool, &self.config.installation, id, &server.id).await?;
            machine.endpoint = self.endpoint(server, address);
        }
        Ok(machine)
    }

    /// Waits until no other create for this id is under way in this process.
    async fn turn(&self, id: ServerId) -> Option<MutexGuard<'_, ()>> {
        let lock = usize::try_from(id.0).unwrap_or_default() % CREATES;
        Some(self.creates.get(lock)?.lock().await)
    }

    /// An older server of this id than the one that was just made: another process, or a request that was given up, has made
    /// it meanwhile. The new one is then deleted.
    async fn older(&self, id: ServerId, made: &str) -> Option<Server> {
        // If this look fails, later ones prefer the older server, and the end of the machine deletes both.
        let oldest = self.ours(id).await.ok()?.into_iter().next().filter(|server| server.id != made)?;
        tracing::warn!(server = %id, kept = oldest.id, deleted = made, "Nova has made two servers of one id");
        if let Err(error) = nova::send_delete(&self.session, made).await {
            tracing::warn!(server = %id, provider_id = made, %error, "the second server of an id is not deleted yet");
        }
        Some(oldest)
    }

    async fn make(&self, spec: &MachineSpec) -> Result<Machine, OpenStackError> {
        let _turn = self.turn(spec.server_id).await;
        let machine = MachineRef { server_id: spec.server_id, provider_id: None };
        if let Some(there) = self.look_up(&machine).await? {
            return self.describe_connected(spec.server_id, &there).await;
        }
        let user_data = user_data::encoded(&self.config.ssh_user, &spec.authorized_key)?;
        let selected = self.check().await?;
        let server = NewServer {
            name: &spec.name,
            flavor: &selected.flavor.id,
            image: &selected.image.id,
            networks: [Attachment { uuid: &selected.network.id }],
            security_groups: self.config.security_groups.iter().map(|name| GroupName { name }).collect(),
            availability_zone: self.config.availability_zone.as_deref(),
            metadata: [(INSTALLATION_KEY, self.config.installation.clone()), (SERVER_KEY, spec.server_id.to_string())]
                .into(),
            user_data: &user_data,
        };
        let provider_id = nova::create(&self.session, &server).await?;
        if let Some(older) = self.older(spec.server_id, &provider_id).await {
            return self.describe_connected(spec.server_id, &older).await;
        }
        let made_from = MadeFrom { image: Some(selected.image.name), flavor: Some(selected.flavor.name) };
        Ok(Machine { provider_id, state: MachineState::Building, endpoint: None, host_key: None, made_from })
    }

    async fn restart(&self, machine: &MachineRef) -> Result<(), OpenStackError> {
        let Some(server) = self.look_up(machine).await? else {
            let words = format!("the cloud has no server {} of this installation to reboot", machine.server_id);
            return Err(OpenStackError::Settings(words));
        };
        nova::reboot(&self.session, &server).await
    }

    async fn remove(&self, machine: &MachineRef) -> Result<(), OpenStackError> {
        let mut doomed = self.ours(machine.server_id).await?;
        // Nova's list leaves out the servers of a database that does not answer; asked for one of them, it says so.
        if let Some(provider_id) = &machine.provider_id
            && doomed.iter().all(|server| server.id != *provider_id)
            && let Some(server) = nova::get(&self.session, provider_id).await?
            && self.is_ours(&server, machine.server_id)
        {
            doomed.push(server);
        }
        for server in doomed {
            nova::delete(&self.session, &server.id).await?;
        }
        floating::release(&self.session, &self.config.installation, machine.server_id).await
    }
}

#[async_trait]
impl Provider for OpenStack {
    fn kind(&self) -> ProviderKind {
        ProviderKind::OpenStack
    }

    /// The sizes of the flavor, once one has been selected; before that, the least that the settings ask for.
    fn offers(&self) -> MachineOffer {
        let at_least = |size: u32| Some(size).filter(|size| *size > 0);
        let (memory_mb, disk_gb) = match (self.flavor.get(), &self.config.flavor) {
            (Some(flavor), _) => (at_least(flavor.ram), at_least(flavor.disk)),
            (None, FlavorSelector::Smallest { memory_mb, disk_gb, .. }) => (at_least(*memory_mb), at_least(*disk_gb)),
            (None, FlavorSelector::Named(_)) => (None, None),
        };
        MachineOffer { has_own_kernel: true, memory_mb, disk_gb }
    }

    /// A server takes half a minute or more, and an API that is asked too often answers 429.
    fn pace(&self) -> Duration {
        Duration::from_secs(1)
    }

    fn ssh_user(&self) -> &str {
        &self.config.ssh_user
    }

    fn has_first_boot(&self) -> bool {
        true
    }

    fn python(&self) -> Option<&str> {
        self.config.python.as_deref()
    }

    /// With a pool of floating addresses, this also gives an active server its address: Nova makes the port that needs it
    /// only while it builds the server.
    async fn find(&self, machine: &MachineRef) -> Result<Option<Machine>, ProviderError> {
        match self.look_up(machine).await? {
            Some(server) => Ok(Some(self.describe_connected(machine.server_id, &server).await?)),
            None => Ok(None),
        }
    }

    async fn create(&self, spec: &MachineSpec) -> Result<Machine, ProviderError> {
        Ok(self.make(spec).await?)
    }

    async fn reboot(&self, machine: &MachineRef) -> Result<(), ProviderError> {
        Ok(self.restart(machine).await?)
    }

    async fn terminate(&self, machine: &MachineRef) -> Result<(), ProviderError> {
        Ok(self.remove(machine).await?)
    }

    async fn list(&self) -> Result<Vec<(ServerId, Machine)>, ProviderError> {
        let all = nova::list(&self.session).await?;
        let ours = all.into_iter().filter(|server| !server.is_gone());
        let ours =
            ours.filter_map(|server| Some((server.server_id(&self.config.installation)?, self.describe(&server))));
        Ok(ours.collect())
    }

    /// Floating addresses. Nova makes the ports and deletes them with their servers; they have none of our ids.
    async fn release_leftovers(&self) -> Result<Vec<String>, ProviderError> {
        Ok(floating::release_leftovers(&self.session, &self.config.installation).await?)
    }
}

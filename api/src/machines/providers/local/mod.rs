//! Machines on this host: each with its own address, sshd, file system and process tree, made of network namespaces,
//! overlayfs and `unshare` within a second. For people you trust: root inside a machine is uid 0 of the host, and shares
//! its kernel. It is confined by few capabilities and a filter of system calls ([`seal`]), limits on memory, processes, CPU
//! and disk ([`walls`]), and rules for what it sends ([`firewall`]).
//!
//! No user namespace: the base tree is shared, so its owners would have to be mapped for each machine, by an idmapped
//! mount. Overlayfs takes such a mount as its lower layer since Linux 5.19, but util-linux sets it up only since 2.39
//! (Debian 12 has 2.38), and the upper layer and the files of earlier machines would have to change their owners.
//!
//! All state is on disk and in the kernel, never in this process: `{data_dir}/machines/{server id}/` has a machine's
//! record, its `boot` file identifies its init. So any process with the same data directory serves the same machines,
//! and a killed one stops none of them.
//!
//! Locks (files, so they work between processes): first a machine's, to change it; then the network's, to give out
//! addresses or change the bridge. The start lock in a machine's directory outlives a manager that is killed.

mod apt;
pub mod base_tree;
mod boot;
mod command;
mod disk;
mod error;
mod files;
mod firewall;
mod identity;
mod limits;
mod lock;
mod network;
mod preflight;
mod process;
mod record;
mod seal;
mod site;
mod subnet;
mod trees;
mod walls;

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use async_trait::async_trait;
use futures::future::join_all;
use shared_types::system::Protection;
use shared_types::{ProviderKind, ServerId};

pub use error::LocalError;
pub(super) use identity::check as check_identity;
pub use limits::MachineLimits;
pub use subnet::{NoSubnet, Subnet};

use self::lock::Lock;
use self::network::Plug;
use self::process::Init;
use self::record::{Desired, Record, Store};
use self::site::Site;
use self::trees::Trees;
use self::walls::Walls;
use crate::machines::provider::{
    Endpoint, Machine, MachineOffer, MachineRef, MachineSpec, MachineState, Provider, ProviderError,
};

/// Capacity of local machines. They share this host's kernel, memory and disk.
pub const OFFER: MachineOffer = MachineOffer { has_own_kernel: false, memory_mb: None, disk_gb: None };

const SSH_PORT: u16 = 22;
const HTTP_PORT: u16 = 80;

/// Configuration of the provider.
#[derive(Debug, Clone)]
pub struct LocalConfig {
    /// Holds the machines, in `machines/`. On a file system that overlayfs can write to: not itself an overlay.
    pub data_dir: PathBuf,
    /// Holds the base tree; shared by all data directories of the host.
    pub cache_dir: PathBuf,
    /// The machines' network; none: the first free /24 of 10.213.0.0/16.
    pub subnet: Option<Subnet>,
    /// The database's id. Machines of other installations in the same directory are never touched.
    pub installation: String,
    /// What each machine may use.
    pub limits: MachineLimits,
    /// After how many days the base tree is made again.
    pub base_tree_days: u32,
}

#[derive(Debug)]
pub struct LocalProvider {
    store: Store,
    site: Site,
    trees: Trees,
    walls: Walls,
}

/// The machines for which an operation failed, with the errors.
pub type Failures = Vec<(ServerId, LocalError)>;

impl LocalProvider {
    /// Checks the host, makes the base tree where it is missing (call [`base_tree::ensure`] before, to show the
    /// progress), and reserves the subnet. Starts no machine: see [`Self::boot_all`].
    ///
    /// # Errors
    /// [`LocalError`]: what the host lacks first, or why the subnet cannot be used; each with its remedy.
    pub async fn open(config: LocalConfig) -> Result<Self, LocalError> {
        preflight::check().await?;
        let trees = Trees::new(config.cache_dir, config.base_tree_days);
        trees.current().await?;
        let store = Store::open(config.data_dir.join("machines"), config.installation)?;
        let site = Site::reserve(store.dir(), config.subnet).await?;
        let walls = Walls::find(&site, store.dir(), &config.limits).await;
        trees.remove_unused().await;
        let provider = Self { store, site, trees, walls };
        // Machines that run already, perhaps of an earlier version, get the rules now.
        let _network = Lock::take(provider.store.network_lock()).await?;
        if network::has_bridge(&provider.site) {
            provider.walls.raise_firewall(&provider.site).await;
        }
        Ok(provider)
    }

    /// Identifies this data directory: random, stored in it.
    pub fn site(&self) -> &str {
        &self.site.id
    }

    /// The network of the bridge and of all machines.
    pub fn subnet(&self) -> Subnet {
        self.site.subnet
    }

    /// Takes over machines of an earlier version, whose records name no installation: those with these ids and names,
    /// which are in our database.
    ///
    /// # Errors
    /// [`LocalError::Io`] if a record cannot be read or written.
    pub fn claim(&self, known: &[(ServerId, String)]) -> Result<(), LocalError> {
        known.iter().try_for_each(|(server_id, name)| self.store.claim(*server_id, name))
    }

    /// Boots every machine that should run and does not (after a host restart or [`Self::shutdown_all`]), and finishes
    /// interrupted removals. Gives the failures.
    pub async fn boot_all(&self) -> Result<Failures, LocalError> {
        self.for_all(async |record| match record.desired {
            Desired::Up => self.ensure_running(record.server_id).await,
            Desired::Gone => self.remove(record.server_id).await,
        })
        .await
    }

    /// Stops every machine cleanly; each keeps its files and its address and is booted again by [`Self::boot_all`].
    /// Leaves no process, namespace or interface. Takes up to 25 s. Gives the failures.
    pub async fn shutdown_all(&self) -> Result<Failures, LocalError> {
        self.for_all(async |record| self.shut_down(record.server_id).await).await
    }

    /// Removes the bridge if no machine runs; running machines keep it.
    pub async fn close(&self) -> Result<(), LocalError> {
        let held = Lock::take(self.store.network_lock()).await?;
        self.remove_idle_network(&held).await
    }

    /// Removes the bridge and its rules, unless a machine is on it.
    async fn remove_idle_network(&self, held: &Lock) -> Result<(), LocalError> {
        if network::remove_idle_bridge(held, &self.site).await? { firewall::lower(&self.site).await } else { Ok(()) }
    }

    async fn for_all(&self, act: impl AsyncFn(Record) -> Result<(), LocalError>) -> Result<Failures, LocalError> {
        let records = self.store.list()?;
        let acts = records.into_iter().map(async |record| {
            let server_id = record.server_id;
            act(record).await.err().map(|error| (server_id, error))
        });
        Ok(join_all(acts).await.into_iter().flatten().collect())
    }

    async fn make(&self, spec: &MachineSpec) -> Result<Machine, LocalError> {
        identity::check(&spec.name, &spec.authorized_key)?;
        let _lock = Lock::take(self.store.machine_lock(spec.server_id)).await?;
        let record = match self.store.read(spec.server_id)? {
            Some(record) => record,
            None => self.allocate(spec).await?,
        };
        if record.desired == Desired::Gone {
            return Err(LocalError::Invalid(format!(
                "machine {} is being removed, and ids are not used twice: terminate it again to finish that",
                record.name
            )));
        }
        let record = self.start(record).await?;
        Ok(self.describe(&record))
    }

    /// Reserves an address and writes the record: from now on the machine exists.
    async fn allocate(&self, spec: &MachineSpec) -> Result<Record, LocalError> {
        let base_tree = self.trees.current().await?;
        let _network = Lock::take(self.store.network_lock()).await?;
        let record = Record {
            server_id: spec.server_id,
            name: spec.name.clone(),
            address: self.store.free_address(self.site.subnet)?,
            authorized_key: spec.authorized_key.clone(),
            host_key: None,
            base_tree,
            desired: Desired::Up,
            disk_mb: self.walls.disk_mb(),
            installation: Some(self.store.installation().to_owned()),
        };
        self.store.write(&record)?;
        Ok(record)
    }

    async fn ensure_running(&self, server_id: ServerId) -> Result<(), LocalError> {
        let _lock = Lock::take(self.store.machine_lock(server_id)).await?;
        match self.store.read(server_id)?.filter(|record| record.desired == Desired::Up) {
            Some(record) => self.start(record).await.map(|_record| ()),
            None => Ok(()),
        }
    }

    /// Starts a machine unless it runs. The caller holds the machine's lock, here and below.
    async fn start(&self, mut record: Record) -> Result<Record, LocalError> {
        let dir = self.store.machine_dir(record.server_id);
        let start_lock = boot::settle(&dir).await?;
        if process::is_running(&dir) {
            return Ok(record);
        }
        if record.host_key.is_none() {
            let seed = disk::place_of_seed(&dir, record.disk_mb);
            record.host_key = Some(identity::write(&dir, &seed, &record).await?);
            self.store.write(&record)?;
        }
        if let Some(disk_mb) = record.disk_mb {
            disk::make(&dir, disk_mb).await?;
        }
        let plug = self.plug_of(&record);
        {
            let held = Lock::take(self.store.network_lock()).await?;
            // First, so that there is no moment without the rules.
            self.walls.raise_firewall(&self.site).await;
            network::plug(&held, &self.site, &plug).await?;
        }
        let machine = boot::Start {
            name: &record.name,
            dir: &dir,
            base_tree: &record.base_tree,
            namespace_file: &plug.namespace_file(),
            group: &self.walls.make_group(&self.store.name(record.server_id))?,
        };
        boot::start(start_lock, &machine).await?;
        Ok(record)
    }

    async fn restart(&self, server_id: ServerId) -> Result<(), LocalError> {
        let _lock = Lock::take(self.store.machine_lock(server_id)).await?;
        let Some(record) = self.store.read(server_id)?.filter(|record| record.desired == Desired::Up) else {
            return Err(LocalError::Invalid(format!("there is no local machine of server {server_id} to reboot")));
        };
        self.stop(&record).await?;
        self.start(record).await.map(|_record| ())
    }

    async fn stop(&self, record: &Record) -> Result<(), LocalError> {
        let dir = self.store.machine_dir(record.server_id);
        let _settled = boot::settle(&dir).await?;
        match Init::find(&dir)? {
            Some(init) => init.stop(&record.name).await,
            None => Ok(()),
        }
    }

    async fn shut_down(&self, server_id: ServerId) -> Result<(), LocalError> {
        let _lock = Lock::take(self.store.machine_lock(server_id)).await?;
        let Some(record) = self.store.read(server_id)? else { return Ok(()) };
        self.stop(&record).await?;
        self.walls.end_group(&self.store.name(server_id)).await?;
        self.unplug(&self.plug_of(&record)).await
    }

    async fn remove(&self, server_id: ServerId) -> Result<(), LocalError> {
        let lock = Lock::take(self.store.machine_lock(server_id)).await?;
        let dir = self.store.machine_dir(server_id);
        if let Some(mut record) = self.store.read(server_id)? {
            record.desired = Desired::Gone;
            self.store.write(&record)?;
            self.take_down(&record).await?;
        }
        let gone = dir.clone();
        tokio::task::spawn_blocking(move || files::remove_tree(&gone))
            .await
            .map_err(|error| LocalError::io(&dir)(std::io::Error::other(error)))??;
        lock.remove()
    }

    /// Ends the processes, removes the network, and verifies that nothing is left. Keeps the files.
    async fn take_down(&self, record: &Record) -> Result<(), LocalError> {
        let settled = boot::settle(&self.store.machine_dir(record.server_id)).await?;
        if let Some(init) = Init::find(&self.store.machine_dir(record.server_id))? {
            init.kill(&record.name).await?;
        }
        drop(settled);
        self.walls.end_group(&self.store.name(record.server_id)).await?;
        let plug = self.plug_of(record);
        self.unplug(&plug).await?;
        match plug.leftover() {
            None => Ok(()),
            Some(left) => Err(LocalError::LeftOver { machine: record.name.clone(), left }),
        }
    }

    async fn unplug(&self, plug: &Plug) -> Result<(), LocalError> {
        let held = Lock::take(self.store.network_lock()).await?;
        network::unplug(&held, plug).await?;
        self.remove_idle_network(&held).await
    }

    fn plug_of(&self, record: &Record) -> Plug {
        Plug::new(&self.site, &self.store.name(record.server_id), record.address)
    }

    fn describe(&self, record: &Record) -> Machine {
        let address = IpAddr::V4(record.address);
        let state = match record.desired {
            Desired::Gone => MachineState::Failed("its removal was cut off: terminate it again".to_owned()),
            Desired::Up if process::is_running(&self.store.machine_dir(record.server_id)) => MachineState::Active,
            Desired::Up => MachineState::Building,
        };
        Machine {
            provider_id: self.plug_of(record).namespace,
            state,
            endpoint: Some(Endpoint {
                public_ip: address,
                ssh: SocketAddr::new(address, SSH_PORT),
                http: SocketAddr::new(address, HTTP_PORT),
            }),
            host_key: record.host_key.clone(),
        }
    }
}

#[async_trait]
impl Provider for LocalProvider {
    fn kind(&self) -> ProviderKind {
        ProviderKind::Local
    }

    fn offers(&self) -> MachineOffer {
        OFFER
    }

    fn ssh_user(&self) -> &str {
        identity::SSH_USER
    }

    async fn protections(&self) -> Vec<Protection> {
        let has_rules = !network::has_bridge(&self.site) || firewall::is_up(&self.site).await;
        self.walls.protections(has_rules)
    }

    /// `Building` means that the machine should run and does not: it is being made or rebooted, or it waits for
    /// [`LocalProvider::boot_all`].
    async fn find(&self, machine: &MachineRef) -> Result<Option<Machine>, ProviderError> {
        let Some(record) = self.store.read(machine.server_id)? else { return Ok(None) };
        // A create that was cut off is finished here: until the next start of this program, nothing else would do it.
        let is_unstarted = record.desired == Desired::Up && !boot::has_begun(&self.store.machine_dir(record.server_id));
        if is_unstarted && !Lock::is_held(&self.store.machine_lock(record.server_id)) {
            self.ensure_running(record.server_id).await?;
        }
        Ok(Some(self.describe(&record)))
    }

    async fn create(&self, spec: &MachineSpec) -> Result<Machine, ProviderError> {
        Ok(self.make(spec).await?)
    }

    async fn reboot(&self, machine: &MachineRef) -> Result<(), ProviderError> {
        Ok(self.restart(machine.server_id).await?)
    }

    async fn terminate(&self, machine: &MachineRef) -> Result<(), ProviderError> {
        Ok(self.remove(machine.server_id).await?)
    }

    async fn list(&self) -> Result<Vec<(ServerId, Machine)>, ProviderError> {
        let records = self.store.list()?;
        Ok(records.into_iter().map(|record| (record.server_id, self.describe(&record))).collect())
    }
}

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
mod forwarding;
mod identity;
mod limits;
mod lock;
mod network;
mod outbound;
mod own_tree;
mod own_tree_check;
mod port;
mod preflight;
mod process;
mod record;
mod seal;
mod site;
mod subnet;
mod trees;
mod walls;

use std::path::{Path, PathBuf};

use futures::future::join_all;
use shared_types::ServerId;

pub use error::LocalError;
pub(super) use identity::check as check_identity;
pub use limits::MachineLimits;
pub use outbound::Outbound;
pub use subnet::{NoSubnet, Subnet};

use self::lock::Lock;
use self::network::Plug;
use self::outbound::WayOut;
use self::process::Init;
use self::record::{Desired, Record, Store};
use self::site::Site;
use self::trees::Trees;
use self::walls::Walls;
use crate::machines::provider::{Machine, MachineOffer, MachineSpec, MadeFrom};

/// Capacity of local machines. They share this host's kernel, memory and disk.
pub const OFFER: MachineOffer = MachineOffer { has_own_kernel: false, memory_mb: None, disk_gb: None };

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
    /// A base tree that the operator made, as a directory or an archive; none: ours.
    pub base: Option<PathBuf>,
    /// What machines may reach beyond this host; none: nothing.
    pub outbound: Option<Outbound>,
}

#[derive(Debug)]
pub struct LocalProvider {
    store: Store,
    site: Site,
    trees: Trees,
    walls: Walls,
}

/// Gives the base tree for new machines, and makes it first where it is missing: of the operator's (`base`), or ours.
/// `progress` gets a line for each step.
///
/// # Errors
/// As [`base_tree::ensure`]; [`LocalError::Invalid`] if the operator's cannot be used.
pub async fn prepare_tree(
    cache_dir: &Path,
    base: Option<&Path>,
    progress: &(dyn Fn(&str) + Sync),
) -> Result<PathBuf, LocalError> {
    match base {
        Some(base) => own_tree::ensure(cache_dir, base, progress).await,
        None => base_tree::ensure(cache_dir, progress).await,
    }
}

/// The machines for which an operation failed, with the errors.
pub type Failures = Vec<(ServerId, LocalError)>;

impl LocalProvider {
    /// Checks the host, makes the base tree where it is missing (call [`prepare_tree`] before, to show the progress), and reserves the subnet. Starts no machine: see [`Self::boot_all`].
    ///
    /// # Errors
    /// [`LocalError`]: what the host lacks first, or why the subnet cannot be used; each with its remedy.
    pub async fn open(config: LocalConfig) -> Result<Self, LocalError> {
        preflight::check().await?;
        let trees = Trees::new(config.cache_dir, config.base_tree_days, config.base);
        trees.current().await?;
        let store = Store::open(config.data_dir.join("machines"), config.installation)?;
        let site = Site::reserve(store.dir(), config.subnet).await?;
        let walls = Walls::find(&site, store.dir(), &config.limits, config.outbound).await;
        trees.remove_unused().await;
        let provider = Self { store, site, trees, walls };
        let _network = Lock::take(provider.store.network_lock()).await?;
        provider.check_way_out().await?;
        // Machines that run already, perhaps of an earlier version, get the rules now.
        if network::has_bridge(&provider.site) {
            provider.raise_firewall().await?;
        }
        Ok(provider)
    }

    /// Refuses a way out that this host cannot confine. Machines that run already lose theirs.
    async fn check_way_out(&self) -> Result<(), LocalError> {
        let Some(outbound) = self.walls.outbound() else { return Ok(()) };
        if outbound.resolvers().is_empty() {
            tracing::warn!("local machines have a way out, but {}", walls::NO_RESOLVER);
        }
        let checked = outbound.check(&self.site).await;
        if checked.is_err()
            && let Err(error) = network::forward(&self.site, false)
        {
            tracing::warn!(%error, "machines that run keep their way out, within the rules that were set for it");
        }
        checked
    }

    /// Sets up the rules, with or without a way out. If they cannot be set, there is none. The caller holds the network lock.
    async fn raise_firewall(&self) -> Result<Option<WayOut>, LocalError> {
        let raised = self.walls.raise_firewall(&self.site).await;
        network::forward(&self.site, matches!(raised, Ok(Some(_))))?;
        raised
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
        if !network::remove_idle_bridge(held, &self.site).await? {
            return Ok(());
        }
        forwarding::release(&self.site).await?;
        firewall::lower(&self.site).await
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
            let resolvers = self.walls.outbound().map(Outbound::resolvers).unwrap_or_default();
            record.host_key = Some(identity::write(&dir, &seed, &record, &resolvers).await?);
            self.store.write(&record)?;
        }
        if let Some(disk_mb) = record.disk_mb {
            disk::make(&dir, disk_mb).await?;
        }
        let plug = self.plug_of(&record);
        {
            let held = Lock::take(self.store.network_lock()).await?;
            // First, so that there is no moment without the rules.
            let way_out = self.raise_firewall().await?;
            network::plug(&held, &self.site, &plug, way_out.as_ref()).await?;
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

    /// The base tree, and the limits that a machine started now gets.
    fn made_from(&self, record: &Record) -> MadeFrom {
        let image = record.base_tree.file_name().map(|name| name.to_string_lossy().into_owned());
        MadeFrom { image, flavor: self.walls.size(record.disk_mb) }
    }
}

//! Machines that are containers of Docker or Podman on this host, through the API that both have. Podman's service is
//! started where no engine runs, so that an ordinary user needs nothing but its packages.
//!
//! A container is ours if its labels have our installation's id and a server id of ours; both are written by the request
//! that creates it, as is everything else that it needs, so that a create whose answer was lost is found again and
//! finished. Containers of others are never touched. All state is the engine's: containers run on without this program.
//!
//! Not here: registries (the image is made of the local machines' base tree), volumes, and engines of other hosts, whose
//! containers could not be reached.

mod answers;
mod container;
mod engine;
mod error;
mod host_key;
mod image;
mod locks;
mod network;
mod pace;
mod protections;
mod service;
mod socket;
mod steps;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;
use std::sync::{OnceLock, PoisonError};

use async_trait::async_trait;
use futures::{StreamExt, TryStreamExt};
use reqwest::Method;
use serde_json::json;
use shared_types::system::Protection;
use shared_types::{ProviderKind, ServerId};
use tokio::net::UnixStream;
use tokio::sync::Mutex;

pub use error::ContainersError;
pub use network::NetworkSettings;

use self::answers::{Info, Inspected, Listed};
use self::container::{INSTALLATION_LABEL, SERVER_LABEL};
use self::engine::{Ask, Engine};
use self::image::Images;
use self::locks::Locks;
use self::pace::Pace;
use super::local::MachineLimits;
use crate::machines::provider::{
    Machine, MachineOffer, MachineRef, MachineSpec, MachineState, MadeFrom, Provider, ProviderError,
};

/// How many containers are looked at at the same time.
const AT_ONCE: usize = 8;

/// Configuration of the provider.
#[derive(Debug, Clone)]
pub struct ContainersConfig {
    /// The engine's socket; none: it is looked for.
    pub socket: Option<PathBuf>,
    /// The value of `DOCKER_HOST`; counts where no socket is set.
    pub docker_host: Option<String>,
    /// Holds the socket and the log of a service that is started here.
    pub data_dir: PathBuf,
    /// Holds the base tree that the image is made of.
    pub cache_dir: PathBuf,
    /// The network of containers that are reached by address.
    pub network: NetworkSettings,
    /// How containers are reached.
    pub reach: Reach,
    /// An image of the operator's, which the engine has; none: the base tree.
    pub image: Option<String>,
    /// The database's id. Containers of other installations are never touched.
    pub installation: String,
    /// What each container may use; its disk is not limited.
    pub limits: MachineLimits,
    /// After how many days the base tree is made again.
    pub base_tree_days: u32,
}

/// How this host reaches containers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// By address where the engine runs as root, else by ports.
    Auto,
    /// By their own addresses in the engine's network.
    Address,
    /// By ports of 127.0.0.1.
    Ports,
}

/// The engine, as it is known after it has answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selected {
    /// Its name and version.
    pub engine: String,
    /// The path of its socket.
    pub socket: PathBuf,
    /// Whether it runs as an ordinary user.
    pub is_rootless: bool,
    /// The image of new machines.
    pub image: String,
}

/// Creates and removes containers.
#[derive(Debug)]
pub struct ContainersProvider {
    config: ContainersConfig,
    images: Images,
    pace: Pace,
    link: Mutex<Option<Link>>,
    /// What the engine said of itself, the last time it was found.
    info: OnceLock<Info>,
    /// Held from the choice of an address until its container is created.
    placing: Mutex<()>,
    /// One operation at a time on each server.
    locks: Locks,
    /// Public host keys by the containers' ids: the first one that is read counts.
    host_keys: std::sync::Mutex<BTreeMap<String, String>>,
    /// Whether the engine has refused the usual limits of processes and open files.
    has_low_ceilings: AtomicBool,
}

/// An engine that has answered, and what it says of itself.
#[derive(Debug, Clone)]
struct Link {
    engine: Engine,
    info: Info,
}

impl ContainersProvider {
    /// Opens the provider. Sends no request, so that an engine that does not answer prevents no start: see [`Self::check`].
    #[must_use]
    pub fn open(config: ContainersConfig) -> Self {
        Self::open_with(config, Pace::default())
    }

    fn open_with(mut config: ContainersConfig, pace: Pace) -> Self {
        // The service that is started here has another working directory.
        config.data_dir = std::path::absolute(&config.data_dir).unwrap_or(config.data_dir);
        let images = Images::new(config.image.clone(), config.cache_dir.clone(), config.base_tree_days);
        Self {
            config,
            images,
            pace,
            link: Mutex::default(),
            info: OnceLock::new(),
            placing: Mutex::default(),
            locks: Locks::default(),
            host_keys: std::sync::Mutex::default(),
            has_low_ceilings: AtomicBool::new(false),
        }
    }

    /// Finds or starts the engine, and makes the image where it is missing. `progress` gets a line for each step.
    ///
    /// # Errors
    /// [`ContainersError`]: what cannot be used first, and what to do.
    pub async fn check(&self, progress: &(dyn Fn(&str) + Sync)) -> Result<Selected, ContainersError> {
        let Link { engine, info } = self.link().await?;
        let image = self.images.ensure(&engine, progress).await?;
        let socket = engine.socket().to_owned();
        Ok(Selected { engine: engine.name, socket, is_rootless: info.is_rootless(), image })
    }

    /// Finds or starts the engine, and gives its name and version.
    ///
    /// # Errors
    /// [`ContainersError`]: why there is none, and what to do.
    pub async fn engine(&self) -> Result<String, ContainersError> {
        Ok(self.link().await?.engine.name)
    }

    /// Starts every container of ours that should run and does not, as after a restart of this host. Gives the failures.
    ///
    /// # Errors
    /// [`ContainersError`] if the containers cannot be listed.
    pub async fn start_all(&self) -> Result<Vec<(ServerId, ContainersError)>, ContainersError> {
        let link = self.link().await?;
        let mut failures = Vec::new();
        for (server_id, container) in self.all(&link.engine).await? {
            if let Err(error) = self.describe(&link.engine, &container, true).await {
                failures.push((server_id, error));
            }
        }
        Ok(failures)
    }

    /// The engine. One that has ended is looked for again, and started where that is this program's part.
    async fn link(&self) -> Result<Link, ContainersError> {
        let mut held = self.link.lock().await;
        if let Some(link) = held.as_ref()
            && UnixStream::connect(link.engine.socket()).await.is_ok()
        {
            return Ok(link.clone());
        }
        *held = None;
        let engine = socket::find(&self.config, self.pace).await?;
        let info: Info = engine.read(Ask::new(Method::GET, "Ask what the engine can do", ["info"])).await?;
        let _ = self.info.set(info.clone());
        Ok(held.insert(Link { engine, info }).clone())
    }

    /// The containers with our installation's id, and those with this server id of them, the oldest first.
    async fn listed(&self, engine: &Engine, server_id: Option<ServerId>) -> Result<Vec<Own>, ContainersError> {
        let installation = &self.config.installation;
        let mut labels = vec![format!("{INSTALLATION_LABEL}={installation}")];
        labels.extend(server_id.map(|id| format!("{SERVER_LABEL}={id}")));
        let filters = json!({ "label": labels }).to_string();
        let ask = Ask::new(Method::GET, "List containers", ["containers", "json"]);
        let mut found: Vec<Listed> = engine.read(ask.query("all", "true").query("filters", filters)).await?;
        found.sort_by(|one, other| (one.created, &one.id).cmp(&(other.created, &other.id)));
        let own = found.into_iter().filter_map(|one| {
            Some(Own { server_id: container::server_id(one.labels.as_ref(), installation)?, id: one.id })
        });
        Ok(own.filter(|own| server_id.is_none_or(|id| id == own.server_id)).collect())
    }

    /// Looks at a container by its id; none: it is gone, or not ours.
    async fn inspect(&self, engine: &Engine, own: &Own) -> Result<Option<Inspected>, ContainersError> {
        let what = format!("Look at the container of server {}", own.server_id);
        let ask = Ask::new(Method::GET, &what, ["containers", &own.id, "json"]);
        match engine.read::<Inspected>(ask).await {
            Ok(found) => {
                let id = container::server_id(found.labels(), &self.config.installation);
                Ok(Some(found).filter(|_| id == Some(own.server_id)))
            }
            Err(error) if error.is_missing() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The container of a server; none if it has none. If there are several, the oldest counts.
    async fn own(&self, engine: &Engine, server_id: ServerId) -> Result<Option<Inspected>, ContainersError> {
        for own in self.listed(engine, Some(server_id)).await? {
            if let Some(found) = self.inspect(engine, &own).await? {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    /// Every container of ours.
    async fn all(&self, engine: &Engine) -> Result<Vec<(ServerId, Inspected)>, ContainersError> {
        let listed = self.listed(engine, None).await?;
        let looks = listed.into_iter().map(async |own| Ok((own.server_id, self.inspect(engine, &own).await?)));
        let found: Vec<_> = futures::stream::iter(looks).buffered(AT_ONCE).try_collect().await?;
        let mut all: Vec<(ServerId, Inspected)> =
            found.into_iter().filter_map(|(id, container)| Some((id, container?))).collect();
        // The oldest of each server, as `own` gives it.
        let mut seen = std::collections::BTreeSet::new();
        all.retain(|(id, _)| seen.insert(*id));
        Ok(all)
    }

    fn known_host_key(&self, id: &str) -> Option<String> {
        self.host_keys.lock().unwrap_or_else(PoisonError::into_inner).get(id).cloned()
    }

    /// The host key of a container that runs; none until it has made one.
    async fn host_key(&self, engine: &Engine, id: &str) -> Result<Option<String>, ContainersError> {
        if let Some(known) = self.known_host_key(id) {
            return Ok(Some(known));
        }
        let Some(key) = host_key::read(engine, id).await? else { return Ok(None) };
        let mut keys = self.host_keys.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(Some(keys.entry(id.to_owned()).or_insert(key).clone()))
    }
}

/// A container with our labels.
#[derive(Debug, Clone)]
struct Own {
    server_id: ServerId,
    /// The engine's id of it.
    id: String,
}

#[async_trait]
impl Provider for ContainersProvider {
    fn kind(&self) -> ProviderKind {
        ProviderKind::Containers
    }

    /// Memory is what is set, if the engine enforces that.
    fn offers(&self) -> MachineOffer {
        let bytes = self.config.limits.of_group().memory_bytes.unwrap_or_default();
        let is_limited = self.info.get().is_some_and(Info::limits_memory);
        let memory_mb = u32::try_from(bytes >> 20).ok().filter(|megabytes| is_limited && *megabytes > 0);
        MachineOffer { has_own_kernel: false, memory_mb, disk_gb: None }
    }

    fn ssh_user(&self) -> &str {
        container::SSH_USER
    }

    async fn protections(&self) -> Vec<Protection> {
        match self.link().await {
            Ok(link) => protections::of(&link.info, &self.config.limits),
            Err(error) => {
                vec![Protection { name: "containers".to_owned(), is_active: false, detail: error.to_string() }]
            }
        }
    }

    /// A container that should run and does not is started: a create or a restart that was cut off is finished here.
    async fn find(&self, machine: &MachineRef) -> Result<Option<Machine>, ProviderError> {
        let link = self.link().await?;
        let _held = self.locks.take(machine.server_id).await;
        match self.own(&link.engine, machine.server_id).await? {
            Some(container) => Ok(self.describe(&link.engine, &container, true).await?),
            None => Ok(None),
        }
    }

    async fn create(&self, spec: &MachineSpec) -> Result<Machine, ProviderError> {
        let link = self.link().await?;
        let _held = self.locks.take(spec.server_id).await;
        Ok(self.make(&link, spec).await?)
    }

    async fn reboot(&self, machine: &MachineRef) -> Result<(), ProviderError> {
        let link = self.link().await?;
        let _held = self.locks.take(machine.server_id).await;
        Ok(self.restart(&link.engine, machine.server_id).await?)
    }

    async fn terminate(&self, machine: &MachineRef) -> Result<(), ProviderError> {
        let link = self.link().await?;
        let _held = self.locks.take(machine.server_id).await;
        Ok(self.remove_all(&link.engine, machine.server_id).await?)
    }

    async fn list(&self) -> Result<Vec<(ServerId, Machine)>, ProviderError> {
        let link = self.link().await?;
        let all = self.all(&link.engine).await?;
        let machines = all.into_iter().map(|(id, container)| {
            let host_key = self.known_host_key(&container.id);
            (id, machine(&container, state(&container), host_key))
        });
        Ok(machines.collect())
    }
}

/// What is known of a container without asking more.
fn machine(container: &Inspected, state: MachineState, host_key: Option<String>) -> Machine {
    let (provider_id, endpoint) = (container.id.clone(), container.endpoint());
    Machine { provider_id, state, endpoint, host_key, made_from: MadeFrom::default() }
}

/// The state of a container that may have to be started.
fn state(container: &Inspected) -> MachineState {
    match container.state.status.as_str() {
        "running" => MachineState::Active,
        "paused" => MachineState::Failed(format!(
            "container {} is paused, not by ocim: unpause it (podman unpause)",
            container.short_id()
        )),
        "removing" | "dead" => {
            MachineState::Failed("the removal of its container was cut off: terminate it again".to_owned())
        }
        _ => MachineState::Building,
    }
}

impl Inspected {
    /// The beginning of its id, as engines show it.
    fn short_id(&self) -> &str {
        self.id.get(..12).unwrap_or(&self.id)
    }
}

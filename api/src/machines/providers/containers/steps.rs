//! The operations on one container. Each may have been cut off at any point before, and goes on from what there is.

use std::sync::atomic::Ordering;
use std::time::Instant;

use reqwest::Method;
use shared_types::ServerId;
use tokio::time::sleep;

use super::answers::{Created, Inspected};
use super::container::{self, Ceilings, Place, Plan, STOP_SECONDS, UNUSABLE_IMAGE};
use super::engine::{Ask, Engine};
use super::error::ContainersError;
use super::{ContainersProvider, Link, Reach, machine, network, state};
use crate::machines::provider::{Machine, MachineSpec, MachineState};
use crate::machines::providers::local::check_identity;
use crate::machines::providers::openstack::words::line;

/// How often a container is created again with other limits or another address.
const ATTEMPTS: u32 = 4;

/// What became of a start.
enum Started {
    Yes,
    /// The container can never be started as it is, and has been removed.
    Removed(ContainersError),
}

impl ContainersProvider {
    /// Creates and starts the container of a server, unless there is one.
    pub(super) async fn make(&self, link: &Link, spec: &MachineSpec) -> Result<Machine, ContainersError> {
        check_identity(&spec.name, &spec.authorized_key)
            .map_err(|error| ContainersError::Settings(error.to_string()))?;
        let engine = &link.engine;
        let mut last = None;
        for attempt in 0..ATTEMPTS {
            let container = match self.own(engine, spec.server_id).await? {
                Some(container) => container,
                None => self.create_container(link, spec, attempt).await?,
            };
            if let MachineState::Failed(words) = state(&container) {
                return Err(ContainersError::NotDone(words));
            }
            if container.has_ended_within(self.pace.ended) {
                let host_key = self.known_host_key(&container.id);
                return Ok(machine(&container, MachineState::Building, host_key));
            }
            match self.start(engine, &container, spec.server_id).await? {
                Started::Removed(error) => last = Some(error),
                Started::Yes => {
                    let made = self.own(engine, spec.server_id).await?;
                    let Some(made) = made else { break };
                    if let Some(machine) = self.describe(engine, &made, false).await? {
                        return Ok(machine);
                    }
                }
            }
        }
        let gone = || ContainersError::NotDone(format!("the new container of server {} is gone", spec.server_id));
        Err(last.unwrap_or_else(gone))
    }

    /// Sends the create call. After an error, the container may be there all the same.
    async fn create_container(
        &self,
        link: &Link,
        spec: &MachineSpec,
        attempt: u32,
    ) -> Result<Inspected, ContainersError> {
        let engine = &link.engine;
        let image = self.images.ensure(engine, &|step| tracing::info!("containers: {step}")).await?;
        let _placing = self.placing.lock().await;
        let place = self.place(link, spec.server_id, attempt).await?;
        let name = container::name(&self.config.installation, spec.server_id);
        let plan = Plan {
            installation: &self.config.installation,
            spec,
            image: &image,
            place,
            limits: &self.config.limits,
            ceilings: self.ceilings(),
        };
        let what = format!("Create container {name}");
        let ask = Ask::new(Method::POST, &what, ["containers", "create"]).query("name", &name).json(plan.body());
        let answer = engine.change::<Created>(ask).await;
        // Also after an answer, so that nothing is believed of it. An earlier call may still be at work on this name.
        let begun = Instant::now();
        loop {
            if let Some(container) = self.own(engine, spec.server_id).await? {
                return Ok(container);
            }
            match &answer {
                Err(error @ ContainersError::Refused { status: 409 | 500.., .. }) if is_conflict(error) => {}
                Err(error) => return Err(error.clone()),
                Ok(created) => {
                    let id = created.id.get(..12).unwrap_or(&created.id);
                    let words = format!("{what}: {} says that it made {}, and does not list it", engine.name, line(id));
                    return Err(ContainersError::NotDone(words));
                }
            }
            if begun.elapsed() > self.pace.settle {
                let words = format!(
                    "{what}: a container that is not ocim's has this name at {}. Rename or remove it",
                    engine.socket().display()
                );
                return Err(ContainersError::Settings(words));
            }
            sleep(self.pace.poll).await;
        }
    }

    async fn place(&self, link: &Link, server_id: ServerId, attempt: u32) -> Result<Place, ContainersError> {
        let by_address = match self.config.reach {
            Reach::Auto => !link.info.is_rootless(),
            Reach::Address => true,
            Reach::Ports => false,
        };
        if by_address {
            network::free_place(&link.engine, &self.config.network, server_id, attempt).await
        } else {
            Ok(Place::Ports)
        }
    }

    fn ceilings(&self) -> Ceilings {
        if self.has_low_ceilings.load(Ordering::Relaxed) { Ceilings::LOWEST } else { Ceilings::usual() }
    }

    /// Starts a container, unless it runs. One that has never run and cannot is removed, so that it is made otherwise.
    async fn start(
        &self,
        engine: &Engine,
        container: &Inspected,
        server_id: ServerId,
    ) -> Result<Started, ContainersError> {
        let what = format!("Start container {} of server {server_id}", container.short_id());
        if container.is_running() {
            return Ok(Started::Yes);
        }
        match engine.act(Ask::new(Method::POST, &what, ["containers", &container.id, "start"])).await {
            Ok(()) => Ok(Started::Yes),
            Err(error) if error.is_about_limits() || error.is_about_address() => {
                if error.is_about_limits() {
                    tracing::info!(%error, "the engine refuses the usual limits; containers get lower ones");
                    self.has_low_ceilings.store(true, Ordering::Relaxed);
                }
                let is_new = matches!(container.state.status.as_str(), "created" | "initialized" | "configured");
                if !is_new {
                    return Err(error);
                }
                self.remove(engine, &container.id, server_id).await?;
                Ok(Started::Removed(error))
            }
            Err(error) => Err(error),
        }
    }

    /// The machine that a container is. `is_to_run`: it is started if it does not run. None: it was removed, because it
    /// could not be started as it was created.
    pub(super) async fn describe(
        &self,
        engine: &Engine,
        container: &Inspected,
        is_to_run: bool,
    ) -> Result<Option<Machine>, ContainersError> {
        let found = state(container);
        if found == MachineState::Active {
            let host_key = match self.host_key(engine, &container.id).await {
                Ok(host_key) => host_key,
                // It has ended since; the next look finds that.
                Err(ContainersError::Refused { .. }) if !self.still_runs(engine, container).await? => None,
                Err(error) => return Err(error),
            };
            // Until it has made its key, no client can know it by that.
            let is_complete = host_key.is_some() && container.endpoint().is_some();
            let state = if is_complete { found } else { MachineState::Building };
            return Ok(Some(machine(container, state, host_key)));
        }
        let host_key = self.known_host_key(&container.id);
        if found != MachineState::Building {
            return Ok(Some(machine(container, found, host_key)));
        }
        if container.state.exit_code == UNUSABLE_IMAGE {
            let failed = MachineState::Failed(self.unusable(engine, container).await);
            return Ok(Some(machine(container, failed, host_key)));
        }
        let server_id = container::server_id(container.labels(), &self.config.installation);
        let is_to_run = is_to_run && !container.has_ended_within(self.pace.ended);
        if let (true, Some(server_id)) = (is_to_run, server_id)
            && let Started::Removed(_) = self.start(engine, container, server_id).await?
        {
            return Ok(None);
        }
        Ok(Some(machine(container, found, host_key)))
    }

    async fn still_runs(&self, engine: &Engine, container: &Inspected) -> Result<bool, ContainersError> {
        let what = format!("Look at container {}", container.short_id());
        let ask = Ask::new(Method::GET, &what, ["containers", &container.id, "json"]);
        match engine.read::<Inspected>(ask).await {
            Ok(now) => Ok(now.is_running()),
            Err(error) if error.is_missing() => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Why a container's image cannot be used, as its first process has printed.
    async fn unusable(&self, engine: &Engine, container: &Inspected) -> String {
        let ask = Ask::new(Method::GET, "Read what a container printed", ["containers", &container.id, "logs"]);
        let logs = engine.send(ask.query("stderr", "true").query("stdout", "false").query("tail", "1"), self.pace.read);
        let printed = logs.await.unwrap_or_default();
        // Each line has a header of eight bytes.
        let said = line(&String::from_utf8_lossy(printed.get(8..).unwrap_or_default()));
        let image = self.config.image.as_deref().unwrap_or("of the containers");
        let said =
            if said.is_empty() { "it does not say what is missing".to_owned() } else { format!("it has {said}") };
        format!(
            "the image {image} cannot be used: {said}. It needs sshd, ssh-keygen and the user {}",
            container::SSH_USER
        )
    }

    pub(super) async fn restart(&self, engine: &Engine, server_id: ServerId) -> Result<(), ContainersError> {
        let Some(container) = self.own(engine, server_id).await? else {
            let words = format!("there is no container of server {server_id} to reboot");
            return Err(ContainersError::Settings(words));
        };
        let what = format!("Restart container {} of server {server_id}", container.short_id());
        let ask = Ask::new(Method::POST, &what, ["containers", &container.id, "restart"]);
        engine.act(ask.query("t", STOP_SECONDS.to_string())).await
    }

    pub(super) async fn remove_all(&self, engine: &Engine, server_id: ServerId) -> Result<(), ContainersError> {
        for own in self.listed(engine, Some(server_id)).await? {
            // The labels once more, from the container itself.
            if self.inspect(engine, &own).await?.is_some() {
                self.remove(engine, &own.id, server_id).await?;
            }
        }
        Ok(())
    }

    /// Removes a container with its files, and returns when the engine does not have it any more.
    async fn remove(&self, engine: &Engine, id: &str, server_id: ServerId) -> Result<(), ContainersError> {
        let what = format!("Remove container {} of server {server_id}", id.get(..12).unwrap_or(id));
        let begun = Instant::now();
        loop {
            let ask = Ask::new(Method::DELETE, &what, ["containers", id]);
            // At once: nothing of it is to be kept. Only Podman knows the last one; Docker never waits.
            let ask = ask.query("force", "true").query("v", "true").query("timeout", "0");
            let refused = match engine.act(ask).await {
                Ok(()) => None,
                Err(error) if error.is_missing() => None,
                Err(error @ ContainersError::Refused { .. }) => Some(error),
                Err(error) => return Err(error),
            };
            let ask = Ask::new(Method::GET, &what, ["containers", id, "json"]);
            match engine.read::<Inspected>(ask).await {
                Err(error) if error.is_missing() => break,
                Err(error) => return Err(error),
                Ok(_) if begun.elapsed() > self.pace.settle => {
                    let late = || ContainersError::NotDone(format!("{what}: {} still has it", engine.name));
                    return Err(refused.unwrap_or_else(late));
                }
                // Another removal is at work, or it has just been started.
                Ok(_) => sleep(self.pace.poll).await,
            }
        }
        self.host_keys.lock().unwrap_or_else(std::sync::PoisonError::into_inner).remove(id);
        Ok(())
    }
}

/// Whether the name is taken, in Docker's words or Podman's.
fn is_conflict(error: &ContainersError) -> bool {
    matches!(error, ContainersError::Refused { words, .. } if words.contains("already in use"))
}

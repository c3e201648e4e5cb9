//! Servers of the cloud without guests, for builds: SSH seems to be answered for each, and one site answers HTTP.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use ocim::machines::key::KeyPair;
use ocim::machines::probe::{Login, Probe, SshError};
use ocim::machines::provider::{Endpoint, Machine, MachineOffer, MachineRef, MachineSpec, Provider, ProviderError};
use ocim::machines::providers::openstack::OpenStack;
use shared_types::{ProviderKind, ServerId};

#[derive(Debug)]
pub(super) struct Reached {
    pub(super) cloud: OpenStack,
    pub(super) site: SocketAddr,
    /// The reboots that Nova has accepted.
    pub(super) boots: AtomicU32,
}

impl Reached {
    pub(super) fn new(cloud: OpenStack, site: SocketAddr) -> Self {
        Self { cloud, site, boots: AtomicU32::new(0) }
    }

    fn at_site(&self, machine: Machine) -> Machine {
        Machine { endpoint: machine.endpoint.map(|endpoint| Endpoint { http: self.site, ..endpoint }), ..machine }
    }
}

#[async_trait]
impl Provider for Reached {
    fn kind(&self) -> ProviderKind {
        self.cloud.kind()
    }

    fn offers(&self) -> MachineOffer {
        self.cloud.offers()
    }

    fn pace(&self) -> Duration {
        self.cloud.pace()
    }

    fn ssh_user(&self) -> &str {
        self.cloud.ssh_user()
    }

    async fn find(&self, machine: &MachineRef) -> Result<Option<Machine>, ProviderError> {
        Ok(self.cloud.find(machine).await?.map(|machine| self.at_site(machine)))
    }

    async fn create(&self, spec: &MachineSpec) -> Result<Machine, ProviderError> {
        Ok(self.at_site(self.cloud.create(spec).await?))
    }

    async fn reboot(&self, machine: &MachineRef) -> Result<(), ProviderError> {
        self.cloud.reboot(machine).await?;
        self.boots.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    async fn terminate(&self, machine: &MachineRef) -> Result<(), ProviderError> {
        self.cloud.terminate(machine).await
    }

    async fn list(&self) -> Result<Vec<(ServerId, Machine)>, ProviderError> {
        let all = self.cloud.list().await?;
        Ok(all.into_iter().map(|(id, machine)| (id, self.at_site(machine))).collect())
    }

    async fn release_leftovers(&self) -> Result<Vec<String>, ProviderError> {
        self.cloud.release_leftovers().await
    }
}

#[async_trait]
impl Probe for Reached {
    async fn answers_ssh(&self, _: SocketAddr) -> bool {
        true
    }

    async fn boot_marker(&self, _: &Login) -> Result<String, SshError> {
        Ok(format!("boot {}", self.boots.load(Ordering::Relaxed)))
    }

    async fn replace_key(&self, _: &Login, _: &KeyPair) -> Result<(), SshError> {
        Ok(())
    }

    async fn install_people(&self, _: &Login, _: &str) -> Result<(), SshError> {
        Ok(())
    }
}

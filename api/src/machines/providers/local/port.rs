//! The port to machines, implemented by local ones.

use std::net::{IpAddr, SocketAddr};

use async_trait::async_trait;
use shared_types::system::Protection;
use shared_types::{ProviderKind, ServerId};

use super::lock::Lock;
use super::record::{Desired, Record};
use super::{LocalProvider, OFFER, boot, firewall, identity, network, process};
use crate::machines::provider::{
    Endpoint, Machine, MachineOffer, MachineRef, MachineSpec, MachineState, Provider, ProviderError,
};

const SSH_PORT: u16 = 22;
const HTTP_PORT: u16 = 80;

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
        let has_way_out = self.walls.outbound().is_some();
        let has_rules = !network::has_bridge(&self.site) || firewall::is_up(&self.site, has_way_out).await;
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

impl LocalProvider {
    pub(super) fn describe(&self, record: &Record) -> Machine {
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
            made_from: self.made_from(record),
        }
    }
}

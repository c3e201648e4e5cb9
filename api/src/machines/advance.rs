//! The life of a machine as single steps (requested, created, booted, ready), each of them idempotent.

use std::path::Path;

use shared_types::{ServerId, ServerStatus};

use super::key;
use super::probe::Probe;
use super::provider::{Machine, MachineSpec, MachineState, Provider, ProviderError};
use super::registry::Providers;
use super::store::{self, MachineRow, Owner};
use crate::platform::db::{Db, DbError};
use crate::platform::vault::Keyring;

/// State of a machine after a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// sshd answers; after a reboot only once the boot marker has changed.
    Ready,
    /// Poll again in a moment.
    NotYet,
    /// It lets the manager in, and playbooks must wait for its first boot: for this part of it. Poll again in a moment.
    FirstBoot(&'static str),
}

/// Why a machine cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum MachineError {
    /// The provider refused permanently, with its message.
    #[error("{0}")]
    Refused(String),
    /// The provider failed to create it, with its message. A retry may succeed.
    #[error("{0}")]
    Broken(String),
    /// The provider or the machine does not answer. Retry later.
    #[error("{0}")]
    Away(String),
    /// The provider makes no machine until others are gone, with its message.
    #[error("{0}")]
    Full(String),
    /// The machine is terminated, failed or without an address.
    #[error("VM {name} is {status}; it must be ready")]
    Gone {
        name: String,
        /// A status, or `without address`.
        status: &'static str,
    },
    /// A statement failed, or the machine's row is missing.
    #[error(transparent)]
    Db(#[from] DbError),
}

impl From<ProviderError> for MachineError {
    fn from(error: ProviderError) -> Self {
        match error {
            ProviderError::Transient(words) => Self::Away(words),
            ProviderError::Permanent(words) => Self::Refused(words),
            ProviderError::Quota(words) => Self::Full(words),
        }
    }
}

/// Drives machines through their states.
#[derive(Debug, Clone, Copy)]
pub struct Machines<'a> {
    pub db: &'a Db,
    /// Creates and deletes the machines.
    pub providers: &'a Providers,
    /// Tests whether machines answer SSH and which boot they run, and replaces their keys.
    pub probe: &'a dyn Probe,
    /// Decrypts the machines' keys.
    pub keyring: &'a Keyring,
    /// The private key of all machines that have none of their own; a file that may be missing.
    pub shared_key: &'a Path,
}

impl Machines<'_> {
    /// Takes a machine one step towards ready.
    ///
    /// # Errors
    /// [`MachineError`]: the machine has ended or was refused, or the provider or the database does not answer.
    pub async fn advance(&self, owner: Owner, id: ServerId) -> Result<Progress, MachineError> {
        let row = self.row(id).await?;
        match row.status {
            ServerStatus::Pending => {
                self.transition(owner, id, ServerStatus::Pending, ServerStatus::Building).await?;
                Ok(Progress::NotYet)
            }
            ServerStatus::Building => self.build(owner, row).await,
            ServerStatus::Booting => self.boot(owner, row).await,
            ServerStatus::Ready => Ok(Progress::Ready),
            ServerStatus::Unknown => self.look_again(owner, row).await,
            status @ (ServerStatus::Terminated | ServerStatus::Failed) => {
                Err(MachineError::Gone { name: row.name, status: status.as_str() })
            }
        }
    }

    /// Restarts a machine. Afterwards [`Machines::advance`] gives [`Progress::Ready`] only once it has restarted.
    ///
    /// # Errors
    /// [`MachineError::Away`] if the present boot cannot be read over SSH; otherwise the provider's or database error.
    pub async fn reboot(&self, owner: Owner, id: ServerId) -> Result<(), MachineError> {
        let row = self.row(id).await?;
        // Of a machine whose provider did not answer, it is not known whether a reboot was accepted.
        let is_new = row.status == ServerStatus::Unknown && row.boot_marker.is_none();
        if row.status == ServerStatus::Ready || is_new {
            let marker = self.probe.boot_marker(&self.login(&row).await?).await.map_err(MachineError::Away)?;
            let mut conn = self.db.conn().await?;
            store::keep_boot_marker(&mut conn, id, Some(&marker)).await?;
            drop(conn);
            self.transition(owner, id, row.status, ServerStatus::Booting).await?;
        }
        self.provider(&row)?.reboot(&row.machine()).await?;
        Ok(())
    }

    /// Deletes a machine at its provider. Idempotent.
    ///
    /// # Errors
    /// [`MachineError`] of the provider or the database.
    pub async fn terminate(&self, owner: Owner, id: ServerId) -> Result<(), MachineError> {
        let row = self.row(id).await?;
        if row.status == ServerStatus::Terminated {
            return Ok(());
        }
        // A pending machine was never requested: the move to `building` is committed before the first request.
        if row.status != ServerStatus::Pending {
            self.provider(&row)?.terminate(&row.machine()).await?;
        }
        self.transition(owner, id, row.status, ServerStatus::Terminated).await?;
        Ok(())
    }

    async fn build(&self, owner: Owner, row: MachineRow) -> Result<Progress, MachineError> {
        let provider = self.provider(&row)?;
        let machine = match self.look(owner, &row).await? {
            Some(machine) => machine,
            None => provider.create(&self.spec(&row).await?).await?,
        };
        self.keep(&row, &machine).await?;
        match machine.state {
            MachineState::Building => {}
            MachineState::Active => {
                self.transition(owner, row.id, ServerStatus::Building, ServerStatus::Booting).await?;
            }
            MachineState::Failed(words) => {
                self.transition(owner, row.id, ServerStatus::Building, ServerStatus::Failed).await?;
                return Err(MachineError::Broken(words));
            }
        }
        Ok(Progress::NotYet)
    }

    async fn boot(&self, owner: Owner, row: MachineRow) -> Result<Progress, MachineError> {
        let Some(machine) = self.look(owner, &row).await? else {
            self.transition(owner, row.id, ServerStatus::Booting, ServerStatus::Terminated).await?;
            return Err(MachineError::Gone { name: row.name, status: ServerStatus::Terminated.as_str() });
        };
        self.keep(&row, &machine).await?;
        let Some(endpoint) = machine.endpoint else {
            return Ok(Progress::NotYet);
        };
        if !self.probe.answers_ssh(endpoint.ssh).await {
            return Ok(Progress::NotYet);
        }
        if row.boot_marker.is_none() && self.provider(&row)?.has_first_boot() {
            let fresh = self.row(row.id).await?;
            match self.probe.first_boot(&self.login(&fresh).await?).await {
                Ok(None) => {}
                Ok(Some(what)) => return Ok(Progress::FirstBoot(what)),
                // sshd is not ready for a login.
                Err(_) => return Ok(Progress::NotYet),
            }
        }
        if let Some(before) = &row.boot_marker {
            let fresh = self.row(row.id).await?;
            match self.probe.boot_marker(&self.login(&fresh).await?).await {
                Ok(now) if now != *before => {}
                // Still the old boot, or sshd is not ready for a login.
                Ok(_) | Err(_) => return Ok(Progress::NotYet),
            }
        }
        self.transition(owner, row.id, ServerStatus::Booting, ServerStatus::Ready).await?;
        Ok(Progress::Ready)
    }

    /// The machine as its provider sees it. Records that its state is unknown if the provider does not answer.
    async fn look(&self, owner: Owner, row: &MachineRow) -> Result<Option<Machine>, MachineError> {
        let seen = self.provider(row)?.find(&row.machine()).await;
        if matches!(seen, Err(ProviderError::Transient(_))) {
            self.transition(owner, row.id, row.status, ServerStatus::Unknown).await?;
        }
        Ok(seen?)
    }

    /// Finds out the present state of a machine whose provider did not answer for a while.
    async fn look_again(&self, owner: Owner, row: MachineRow) -> Result<Progress, MachineError> {
        let had_address = row.ssh_address.is_some();
        let to = match self.provider(&row)?.find(&row.machine()).await? {
            Some(machine) if machine.state == MachineState::Active && had_address => ServerStatus::Booting,
            Some(_) => ServerStatus::Building,
            None if had_address => ServerStatus::Terminated,
            // The provider may never have been asked for it.
            None => ServerStatus::Building,
        };
        self.transition(owner, row.id, ServerStatus::Unknown, to).await?;
        Ok(Progress::NotYet)
    }

    /// The provider that the machine's row names, and no other: another one would say that it does not exist.
    pub(super) fn provider(&self, row: &MachineRow) -> Result<&dyn Provider, MachineError> {
        match self.providers.get(&row.provider) {
            Some(named) => Ok(named.provider.as_ref()),
            None => Err(MachineError::Away(format!(
                "VM {} is of the provider `{}`, which the settings do not have ({}); nothing is done with it until they do",
                row.name,
                row.provider,
                self.providers.names()
            ))),
        }
    }

    async fn spec(&self, row: &MachineRow) -> Result<MachineSpec, MachineError> {
        let authorized_key = match &row.ssh_key {
            Some(document) => key::public_of(document)?,
            // An earlier version launched it.
            None => self.shared_key(row).await?.public().to_owned(),
        };
        Ok(MachineSpec { server_id: row.id, name: row.name.clone(), authorized_key })
    }

    async fn row(&self, id: ServerId) -> Result<MachineRow, MachineError> {
        let mut conn = self.db.conn().await?;
        let row = store::find(&mut conn, id).await?;
        row.ok_or_else(|| DbError::Corrupt(format!("server {id} is missing")).into())
    }

    async fn keep(&self, row: &MachineRow, machine: &Machine) -> Result<(), MachineError> {
        let mut conn = self.db.conn().await?;
        Ok(store::keep_machine(&mut conn, row.id, machine).await?)
    }

    async fn transition(
        &self,
        owner: Owner,
        id: ServerId,
        from: ServerStatus,
        to: ServerStatus,
    ) -> Result<bool, MachineError> {
        use diesel_async::AsyncConnection;
        let mut conn = self.db.conn().await?;
        Ok(conn.transaction(async |conn| store::transition(conn, owner, id, from, to).await).await?)
    }
}

//! One step of a machine's life: asked for, made, booted, ready. Each step may be repeated.

use std::net::SocketAddr;

use shared_types::{ServerId, ServerStatus};

use super::probe::{Login, Probe};
use super::provider::{Machine, MachineSpec, MachineState, Provider, ProviderError};
use super::store::{self, MachineRow, Owner};
use crate::platform::db::{Db, DbError};

/// Where a machine is after a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// It answers SSH.
    Ready,
    /// Not yet; ask again in a moment.
    NotYet,
}

/// Why there will be no machine.
#[derive(Debug, thiserror::Error)]
pub enum MachineError {
    /// The provider says so, in its words.
    #[error("{0}")]
    Refused(String),
    /// The provider could not make it, in its words; it may another time.
    #[error("{0}")]
    Broken(String),
    /// The provider does not answer; it may a moment later.
    #[error("{0}")]
    Away(String),
    /// It was there and is not any more.
    #[error("VM {name} is {status}; it must be ready")]
    Gone {
        /// Its name.
        name: String,
        /// The status.
        status: &'static str,
    },
    /// The database.
    #[error(transparent)]
    Db(#[from] DbError),
}

impl From<ProviderError> for MachineError {
    fn from(error: ProviderError) -> Self {
        match error {
            ProviderError::Transient(words) => Self::Away(words),
            ProviderError::Permanent(words) => Self::Refused(words),
        }
    }
}

/// What machines are made with.
#[derive(Debug, Clone, Copy)]
pub struct Machines<'a> {
    /// The database.
    pub db: &'a Db,
    /// Who makes them.
    pub provider: &'a dyn Provider,
    /// Who asks them.
    pub probe: &'a dyn Probe,
    /// The public key that may log in.
    pub authorized_key: &'a str,
}

impl Machines<'_> {
    /// Takes a machine one step towards ready.
    ///
    /// # Errors
    /// When there will be no machine, or the provider or the database does not answer.
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

    /// Restarts a machine. It is ready again when [`Machines::advance`] says so, and never before it has restarted.
    ///
    /// # Errors
    /// When it cannot be asked for its present boot, or the provider refuses.
    pub async fn reboot(&self, owner: Owner, id: ServerId) -> Result<(), MachineError> {
        let row = self.row(id).await?;
        if row.status == ServerStatus::Ready {
            let marker = self.probe.boot_marker(&self.login(&row)?).await.map_err(MachineError::Away)?;
            let mut conn = self.db.conn().await?;
            store::keep_boot_marker(&mut conn, id, Some(&marker)).await?;
            drop(conn);
            self.transition(owner, id, ServerStatus::Ready, ServerStatus::Booting).await?;
        }
        self.provider.reboot(&row.machine()).await?;
        Ok(())
    }

    /// Takes a machine away.
    ///
    /// # Errors
    /// When the provider does not do it.
    pub async fn terminate(&self, owner: Owner, id: ServerId) -> Result<(), MachineError> {
        let row = self.row(id).await?;
        if row.status == ServerStatus::Terminated {
            return Ok(());
        }
        // One that was never asked for is not there; the move to `building` is written down before the first request.
        if row.status != ServerStatus::Pending {
            self.provider.terminate(&row.machine()).await?;
        }
        self.transition(owner, id, row.status, ServerStatus::Terminated).await?;
        Ok(())
    }

    async fn build(&self, owner: Owner, row: MachineRow) -> Result<Progress, MachineError> {
        let machine = match self.provider.find(&row.machine()).await? {
            Some(machine) => machine,
            None => self.provider.create(&self.spec(&row)).await?,
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
        let Some(machine) = self.provider.find(&row.machine()).await? else {
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
        if let Some(before) = &row.boot_marker {
            let fresh = self.row(row.id).await?;
            match self.probe.boot_marker(&self.login(&fresh)?).await {
                Ok(now) if now != *before => {}
                // Still the old boot, or sshd is not ready for a login.
                Ok(_) | Err(_) => return Ok(Progress::NotYet),
            }
        }
        self.transition(owner, row.id, ServerStatus::Booting, ServerStatus::Ready).await?;
        Ok(Progress::Ready)
    }

    /// The provider did not answer for a while; sees what has become of the machine.
    async fn look_again(&self, owner: Owner, row: MachineRow) -> Result<Progress, MachineError> {
        let to = match self.provider.find(&row.machine()).await? {
            Some(_) => ServerStatus::Building,
            None => ServerStatus::Terminated,
        };
        self.transition(owner, row.id, ServerStatus::Unknown, to).await?;
        Ok(Progress::NotYet)
    }

    fn spec(&self, row: &MachineRow) -> MachineSpec {
        MachineSpec { server_id: row.id, name: row.name.clone(), authorized_key: self.authorized_key.to_owned() }
    }

    /// How to log in to a machine whose address is known.
    ///
    /// # Errors
    /// When it is not known.
    pub fn login(&self, row: &MachineRow) -> Result<Login, MachineError> {
        let address: Option<SocketAddr> = row.ssh_address.as_ref().and_then(|address| address.parse().ok());
        let address =
            address.ok_or_else(|| MachineError::Gone { name: row.name.clone(), status: "without address" })?;
        Ok(Login { address, user: self.provider.ssh_user().to_owned(), host_key: row.host_key.clone() })
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

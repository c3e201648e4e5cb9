//! The life of a machine as single steps (requested, created, booted, ready), each of them idempotent.

use std::path::Path;

use diesel_async::AsyncConnection;
use shared_types::{ServerId, ServerStatus};

use super::host_key::named;
use super::key;
use super::probe::{Probe, SshError};
use super::provider::{Endpoint, Machine, MachineSpec, MachineState, Provider, ProviderError};
use super::registry::Providers;
use super::store::{self, MachineRow, Owner};
use crate::platform::db::{Db, DbError};
use crate::platform::logs::{self, Line};
use crate::platform::vault::Keyring;

/// State of a machine after a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Progress {
    /// sshd answers; after a reboot only once the boot marker has changed.
    Ready,
    /// Poll again in a moment.
    NotYet,
    /// It lets the manager in, and playbooks must wait for its first boot: for this part of it. Poll again in a moment.
    FirstBoot(&'static str),
    /// It answers with another host key than the recorded one, in the words of [`SshError::OtherHostKey`]. Poll again in a
    /// moment: a machine may replace its key before its first boot has ended.
    OtherHostKey(String),
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
    /// The machine answers with another host key than the recorded one, in the words of [`SshError::OtherHostKey`].
    #[error("{0}")]
    OtherHostKey(String),
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

impl From<SshError> for MachineError {
    fn from(error: SshError) -> Self {
        match error {
            SshError::OtherHostKey(words) => Self::OtherHostKey(words),
            SshError::Failed(words) => Self::Away(words),
        }
    }
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
    /// [`MachineError::Away`] or [`MachineError::OtherHostKey`] if the present boot cannot be read over SSH; otherwise the
    /// provider's or database error.
    pub async fn reboot(&self, owner: Owner, id: ServerId) -> Result<(), MachineError> {
        let row = self.row(id).await?;
        // Of a machine whose provider did not answer, it is not known whether a reboot was accepted.
        let is_new = row.status == ServerStatus::Unknown && row.boot_marker.is_none();
        if row.status == ServerStatus::Ready || is_new {
            let marker = self.probe.boot_marker(&self.login(&row).await?).await?;
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
                return self.answers(owner, row.id, machine.endpoint).await;
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
        self.answers(owner, row.id, machine.endpoint).await
    }

    /// Takes a machine that boots to ready if its sshd answers there, and there is nothing more to wait for.
    async fn answers(&self, owner: Owner, id: ServerId, at: Option<Endpoint>) -> Result<Progress, MachineError> {
        let Some(endpoint) = at else { return Ok(Progress::NotYet) };
        if !self.probe.answers_ssh(endpoint.ssh).await {
            return Ok(Progress::NotYet);
        }
        let progress = self.logged_in(owner, id).await?;
        if progress == Progress::Ready {
            self.transition(owner, id, ServerStatus::Booting, ServerStatus::Ready).await?;
        }
        Ok(progress)
    }

    /// What there is to wait for on a machine whose sshd answers. Its first login records its host key if that is not known.
    async fn logged_in(&self, owner: Owner, id: ServerId) -> Result<Progress, MachineError> {
        let row = self.row(id).await?;
        let has_first_boot = row.boot_marker.is_none() && self.provider(&row)?.has_first_boot();
        if row.host_key.is_some() && row.boot_marker.is_none() && !has_first_boot {
            return Ok(Progress::Ready);
        }
        let mut login = self.login_by_row(&row).await?;
        if login.host_key.is_none() {
            login.host_key = match self.record_host_key(&row, &login).await {
                Ok(key) => key,
                // sshd is not ready for a login.
                Err(MachineError::Away(_)) => return Ok(Progress::NotYet),
                Err(error) => return Err(error),
            };
            if let Some(key) = &login.host_key {
                self.tell(owner, id, format!("VM {} has the host key {}", row.name, named(key))).await?;
            }
        }
        let state = match &row.boot_marker {
            Some(before) => {
                let now = self.probe.boot_marker(&login).await;
                now.map(|now| if now == *before { Progress::NotYet } else { Progress::Ready })
            }
            None if has_first_boot => {
                let working = self.probe.first_boot(&login).await;
                working.map(|what| what.map_or(Progress::Ready, Progress::FirstBoot))
            }
            None => Ok(Progress::Ready),
        };
        match state {
            Ok(progress) => Ok(progress),
            Err(SshError::OtherHostKey(words)) => Ok(Progress::OtherHostKey(words)),
            // sshd is not ready for a login.
            Err(SshError::Failed(_)) => Ok(Progress::NotYet),
        }
    }

    /// A line of the app server's log.
    async fn tell(&self, owner: Owner, id: ServerId, words: String) -> Result<(), MachineError> {
        let about = logs::About::Server(owner.instance, owner.app_server, id);
        let mut conn = self.db.conn().await?;
        Ok(conn.transaction(async |conn| logs::append(conn, about, &[Line::info(words)]).await).await?)
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
        let mut conn = self.db.conn().await?;
        Ok(conn.transaction(async |conn| store::transition(conn, owner, id, from, to).await).await?)
    }
}

//! How to log in to a machine, and which keys it lets in.

use std::net::SocketAddr;

use super::advance::{MachineError, Machines};
use super::key::KeyPair;
use super::probe::{Login, SshError};
use super::store::MachineRow;
use crate::platform::db::DbError;
use crate::platform::vault;

impl Machines<'_> {
    /// How to log in to a machine whose address is known. Its keys: the machine's, then the next one if the machine is
    /// about to get it. One query; none if it has no key of its own. If its host key is not known, a first login records it.
    ///
    /// # Errors
    /// [`MachineError::Gone`] if the address is not known; [`MachineError::Away`] if the shared key cannot be read, the
    /// machine's key was replaced meanwhile, or the first login failed; a database error.
    pub async fn login(&self, row: &MachineRow) -> Result<Login, MachineError> {
        let mut login = self.login_by_row(row).await?;
        if login.host_key.is_none() {
            login.host_key = self.record_host_key(row, &login).await?;
        }
        Ok(login)
    }

    /// As [`Machines::login`], with the host key of the row, which may be none.
    pub(super) async fn login_by_row(&self, row: &MachineRow) -> Result<Login, MachineError> {
        let address: Option<SocketAddr> = row.ssh_address.as_ref().and_then(|address| address.parse().ok());
        let address =
            address.ok_or_else(|| MachineError::Gone { name: row.name.clone(), status: "without address" })?;
        let user = self.provider(row)?.ssh_user().to_owned();
        let keys = self.keys(row).await?;
        Ok(Login { name: row.name.clone(), address, user, host_key: row.host_key.clone(), keys })
    }

    /// The Python interpreter that Ansible uses on the machine; none: Ansible looks for one.
    ///
    /// # Errors
    /// [`MachineError::Away`] if the settings do not have its provider.
    pub fn python(&self, row: &MachineRow) -> Result<Option<String>, MachineError> {
        Ok(self.provider(row)?.python().map(str::to_owned))
    }

    /// Has the machine let in its next key instead of the present one, and ends all sessions there. The caller then
    /// records it. No effect if the machine has no next key.
    ///
    /// # Errors
    /// As [`Machines::login`]; [`MachineError::Away`] if the key cannot be replaced, with the reason;
    /// [`MachineError::OtherHostKey`].
    pub async fn install_next_key(&self, row: &MachineRow) -> Result<(), MachineError> {
        if row.next_ssh_key.is_none() {
            return Ok(());
        }
        let login = self.login(row).await?;
        let Some(next) = login.keys.last() else { return Ok(()) };
        let failed = |error| match error {
            SshError::OtherHostKey(words) => MachineError::OtherHostKey(words),
            SshError::Failed(why) => {
                MachineError::Away(format!("The SSH key of VM {} could not be replaced: {why}", row.name))
            }
        };
        self.probe.replace_key(&login, next).await.map_err(failed)
    }

    async fn keys(&self, row: &MachineRow) -> Result<Vec<KeyPair>, MachineError> {
        let open = async |documents| vault::open(self.keyring, &mut *self.db.conn().await?, documents).await;
        let opened = match (&row.ssh_key, &row.next_ssh_key) {
            (None, None) => return Ok(vec![self.shared_key(row).await?]),
            (Some(own), next) => open([own, next.as_ref().unwrap_or(own)]).await,
            (None, Some(next)) => open([next, next]).await,
        };
        if let Err(DbError::Replaced(_)) = &opened {
            return Err(MachineError::Away(format!("The SSH key of VM {} was replaced", row.name)));
        }
        let [first, last] = opened?;
        let last = row.next_ssh_key.is_some().then(|| KeyPair::of_document(&last)).transpose()?;
        let first = match row.ssh_key {
            Some(_) => KeyPair::of_document(&first)?,
            None => self.shared_key(row).await?,
        };
        Ok([first].into_iter().chain(last).collect())
    }

    /// The key pair of the machines that have none of their own.
    pub(super) async fn shared_key(&self, row: &MachineRow) -> Result<KeyPair, MachineError> {
        KeyPair::of_file(self.shared_key).await.map_err(|error| {
            let (name, path) = (&row.name, self.shared_key.display());
            MachineError::Away(format!("VM {name} has no SSH key of its own, and {path} cannot be read: {error}"))
        })
    }
}

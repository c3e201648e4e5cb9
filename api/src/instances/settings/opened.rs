//! Instances and app servers with the secrets of what is stored of them.

use std::fmt;

use diesel_async::AsyncPgConnection;
use serde_json::Value;
use shared_types::{InstanceId, secret};

use super::read::{StoredPlaybook, StoredReference};
use crate::instances::store::app_servers::{self, AppServerRow};
use crate::instances::store::instances::{self, InstanceRow};
use crate::instances::store::pins::PinRow;
use crate::instances::{Manager, Refusal};
use crate::platform::db::DbError;
use crate::platform::vault;

/// How often an instance is read again whose settings were replaced between row and secrets.
const TRIES: usize = 5;

/// What an app server is built from. It never changes.
pub struct Opened {
    /// The settings it was launched with.
    pub settings: Value,
    /// The merged variables.
    pub variables: Value,
    /// What to run.
    pub playbooks: Value,
    /// Git references in the variables.
    pub references: Value,
}

impl fmt::Debug for Opened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // All of it may be secret.
        f.debug_struct("Opened").finish_non_exhaustive()
    }
}

impl Opened {
    /// Of one app server. One query; none when it has no secret.
    ///
    /// # Errors
    /// When the statement fails, or a secret cannot be read.
    pub async fn of(manager: &Manager, conn: &mut AsyncPgConnection, row: &AppServerRow) -> Result<Self, DbError> {
        let stored = [&row.settings, &row.variables, &row.playbooks, &row.variable_references];
        let [settings, variables, playbooks, references] = vault::open(&manager.options.keyring, conn, stored).await?;
        Ok(Self { settings, variables, playbooks, references })
    }

    /// Of two. One query; none when they have no secret.
    ///
    /// # Errors
    /// As [`Opened::of`].
    pub async fn both(
        manager: &Manager,
        conn: &mut AsyncPgConnection,
        (one, other): (&AppServerRow, &AppServerRow),
    ) -> Result<(Self, Self), DbError> {
        let stored = [
            [&one.settings, &one.variables, &one.playbooks, &one.variable_references],
            [&other.settings, &other.variables, &other.playbooks, &other.variable_references],
        ];
        let [[a, b, c, d], [e, f, g, h]] = stored;
        let [a, b, c, d, e, f, g, h] = vault::open(&manager.options.keyring, conn, [a, b, c, d, e, f, g, h]).await?;
        let one = Self { settings: a, variables: b, playbooks: c, references: d };
        Ok((one, Self { settings: e, variables: f, playbooks: g, references: h }))
    }

    /// Where a reference that is to be pinned really is: its row has the repository without a password.
    ///
    /// # Errors
    /// When what is stored cannot be read.
    pub fn repository(&self, reference: &PinRow) -> Result<String, DbError> {
        let playbooks: Vec<StoredPlaybook> = serde_json::from_value(self.playbooks.clone())?;
        let references: Vec<StoredReference> = serde_json::from_value(self.references.clone())?;
        let all = playbooks.into_iter().map(|book| (book.source_repo, book.version));
        let mut all = all.chain(references.into_iter().map(|one| (one.repository, one.version)));
        let found = all.find(|(url, version)| nameable(url) == reference.repository && *version == reference.version);
        Ok(found.map_or_else(|| reference.repository.clone(), |(url, _)| url))
    }
}

/// A repository as it may be named anywhere: without the passwords in its URL.
pub(in crate::instances) fn nameable(repository: &str) -> String {
    secret::without_url_passwords(repository, secret::HIDDEN)
}

/// An instance with its settings, and with those of its active app server where they were asked for.
pub(in crate::instances) struct OpenedInstance {
    pub row: InstanceRow,
    pub settings: Value,
    pub active: Option<(AppServerRow, Value)>,
}

/// Reads an instance. Two queries; three with its active app server; one less when there is no secret.
///
/// # Errors
/// [`Refusal::NotFound`], or when a statement fails or a secret cannot be read.
pub(in crate::instances) async fn instance(
    manager: &Manager,
    conn: &mut AsyncPgConnection,
    id: InstanceId,
    wants_active: bool,
) -> Result<OpenedInstance, Refusal> {
    let mut tries = 1;
    loop {
        match once(manager, conn, id, wants_active).await {
            // Somebody changed the instance after its row was read, and the old secrets went.
            Err(Refusal::Db(DbError::Replaced(_))) if tries < TRIES => tries += 1,
            done => return done,
        }
    }
}

async fn once(
    manager: &Manager,
    conn: &mut AsyncPgConnection,
    id: InstanceId,
    wants_active: bool,
) -> Result<OpenedInstance, Refusal> {
    let row = find(conn, id).await?;
    let keyring = &manager.options.keyring;
    let active = match row.active_app_server_id.filter(|_| wants_active) {
        Some(active) => app_servers::find(conn, active).await?,
        None => None,
    };
    let Some(active) = active else {
        let [settings] = vault::open(keyring, conn, [&row.settings]).await?;
        return Ok(OpenedInstance { row, settings, active: None });
    };
    let [settings, of_active] = vault::open(keyring, conn, [&row.settings, &active.settings]).await?;
    Ok(OpenedInstance { row, settings, active: Some((active, of_active)) })
}

/// An app server, and its instance as it is now. Two queries; one when there is no secret.
///
/// # Errors
/// As [`instance`].
pub(in crate::instances) async fn with_instance(
    manager: &Manager,
    conn: &mut AsyncPgConnection,
    app_server: &AppServerRow,
) -> Result<(Opened, OpenedInstance), Refusal> {
    let AppServerRow { settings, variables, playbooks, variable_references, .. } = app_server;
    let mut tries = 1;
    loop {
        let row = find(conn, app_server.instance_id).await?;
        let stored = [&row.settings, settings, variables, playbooks, variable_references];
        match vault::open(&manager.options.keyring, conn, stored).await {
            Err(DbError::Replaced(_)) if tries < TRIES => tries += 1,
            Err(error) => return Err(error.into()),
            Ok([now, settings, variables, playbooks, references]) => {
                let opened = Opened { settings, variables, playbooks, references };
                return Ok((opened, OpenedInstance { row, settings: now, active: None }));
            }
        }
    }
}

async fn find(conn: &mut AsyncPgConnection, id: InstanceId) -> Result<InstanceRow, Refusal> {
    instances::find(conn, id).await?.ok_or(Refusal::NotFound { what: "instance", id: id.0 })
}

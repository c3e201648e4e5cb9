//! Instances and app servers as stored, with their secrets decrypted.

use std::fmt;

use diesel_async::AsyncPgConnection;
use serde_json::Value;
use shared_types::settings::Schema;
use shared_types::{InstanceHealth, InstanceId, secret};

use super::read::{StoredPlaybook, StoredReference};
use crate::instances::application::{Application, ApplicationError};
use crate::instances::store::app_servers::{self, AppServerRow};
use crate::instances::store::instances::{self, InstanceRow};
use crate::instances::store::pins::PinRow;
use crate::instances::{Manager, Refusal};
use crate::platform::db::DbError;
use crate::platform::vault;

/// How often an instance is read again if its settings were replaced between reading row and secrets.
const TRIES: usize = 5;

/// What an app server is built from. It never changes.
pub struct Opened {
    /// The settings it was launched with, in this program's version; as they are stored if they cannot be upgraded.
    pub settings: Value,
    /// Why the settings cannot be used.
    pub trouble: Option<ApplicationError>,
    /// The schema of the settings.
    pub schema: &'static Schema,
    /// The variables that Ansible gets.
    pub variables: Value,
    /// The playbooks to run, as a list of `StoredPlaybook`.
    pub playbooks: Value,
    /// Git references in the variables, as a list of `StoredReference`.
    pub references: Value,
}

impl fmt::Debug for Opened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Any part of it may be secret.
        f.debug_struct("Opened").finish_non_exhaustive()
    }
}

impl Opened {
    /// Decrypts one app server. One query; none if it has no secret.
    ///
    /// # Errors
    /// [`DbError`] when the statement fails, or a secret cannot be decrypted.
    pub async fn of(manager: &Manager, conn: &mut AsyncPgConnection, row: &AppServerRow) -> Result<Self, DbError> {
        let stored = [&row.settings, &row.variables, &row.playbooks, &row.variable_references];
        let opened = vault::open(&manager.options.keyring, conn, stored).await?;
        Ok(Self::from(manager, row, opened))
    }

    fn from(manager: &Manager, row: &AppServerRow, opened: [Value; 4]) -> Self {
        let [settings, variables, playbooks, references] = opened;
        let (settings, trouble) = upgraded(manager, (&row.instance_type, row.settings_version), settings);
        let schema = manager.schema(&row.instance_type);
        Self { settings, trouble, schema, variables, playbooks, references }
    }

    /// Decrypts two app servers. One query; none if they have no secret.
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
        Ok((Self::from(manager, one, [a, b, c, d]), Self::from(manager, other, [e, f, g, h])))
    }

    /// The real URL of a reference that is to be pinned: its row has the repository without a password.
    ///
    /// # Errors
    /// [`DbError`] when the stored playbooks or references cannot be parsed.
    pub fn repository(&self, reference: &PinRow) -> Result<String, DbError> {
        let playbooks: Vec<StoredPlaybook> = serde_json::from_value(self.playbooks.clone())?;
        let references: Vec<StoredReference> = serde_json::from_value(self.references.clone())?;
        let all = playbooks.into_iter().map(|book| (book.source_repo, book.version));
        let mut all = all.chain(references.into_iter().map(|one| (one.repository, one.version)));
        let found = all.find(|(url, version)| nameable(url) == reference.repository && *version == reference.version);
        Ok(found.map_or_else(|| reference.repository.clone(), |(url, _)| url))
    }
}

/// Settings upgraded to this program's version; if that is impossible, the stored ones and the reason.
fn upgraded(
    manager: &Manager,
    (instance_type, version): (&str, i32),
    stored: Value,
) -> (Value, Option<ApplicationError>) {
    match manager.current(instance_type, version, stored.clone()) {
        Ok((_, settings)) => (settings, None),
        Err(error) => (stored, Some(error)),
    }
}

/// A repository as it may be shown anywhere: without the passwords in its URL.
pub(in crate::instances) fn nameable(repository: &str) -> String {
    secret::without_url_passwords(repository, secret::HIDDEN)
}

/// An instance with its settings, and, if requested, with those of its active app server.
pub(in crate::instances) struct OpenedInstance {
    pub row: InstanceRow,
    /// In this program's version; as they are stored if they cannot be upgraded.
    pub settings: Value,
    /// Why the settings cannot be used.
    pub trouble: Option<ApplicationError>,
    pub active: Option<(AppServerRow, Value)>,
    /// The health of its sites; None: no app server is active.
    pub health: Option<InstanceHealth>,
}

impl OpenedInstance {
    /// The application that its settings are for.
    ///
    /// # Errors
    /// [`ApplicationError`] if the settings cannot be used.
    pub fn application<'m>(&self, manager: &'m Manager) -> Result<&'m dyn Application, ApplicationError> {
        match &self.trouble {
            Some(trouble) => Err(trouble.clone()),
            None => manager.application(&self.row.instance_type),
        }
    }

    fn from(
        manager: &Manager,
        (row, health): (InstanceRow, Option<InstanceHealth>),
        stored: Value,
        active: Option<(AppServerRow, Value)>,
    ) -> Self {
        let (settings, trouble) = upgraded(manager, (&row.instance_type, row.settings_version), stored);
        let active = active.map(|(row, stored)| {
            let (settings, _) = upgraded(manager, (&row.instance_type, row.settings_version), stored);
            (row, settings)
        });
        Self { row, settings, trouble, active, health }
    }
}

/// Reads an instance. Two queries; three with its active app server; one less if there is no secret.
///
/// # Errors
/// [`Refusal::NotFound`]; [`Refusal::Db`] when a statement fails or a secret cannot be decrypted.
pub(in crate::instances) async fn instance(
    manager: &Manager,
    conn: &mut AsyncPgConnection,
    id: InstanceId,
    wants_active: bool,
) -> Result<OpenedInstance, Refusal> {
    let mut tries = 1;
    loop {
        match once(manager, conn, id, wants_active).await {
            // The instance was changed after its row was read, and its old secrets were deleted.
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
    let (row, health) = find(conn, id).await?;
    let keyring = &manager.options.keyring;
    let active = match row.active_app_server_id.filter(|_| wants_active) {
        Some(active) => app_servers::find(conn, active).await?,
        None => None,
    };
    let Some(active) = active else {
        let [settings] = vault::open(keyring, conn, [&row.settings]).await?;
        return Ok(OpenedInstance::from(manager, (row, health), settings, None));
    };
    let [settings, of_active] = vault::open(keyring, conn, [&row.settings, &active.settings]).await?;
    Ok(OpenedInstance::from(manager, (row, health), settings, Some((active, of_active))))
}

/// An app server, and its instance as it is now. Two queries; one if there is no secret.
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
        let (row, health) = find(conn, app_server.instance_id).await?;
        let stored = [&row.settings, settings, variables, playbooks, variable_references];
        match vault::open(&manager.options.keyring, conn, stored).await {
            Err(DbError::Replaced(_)) if tries < TRIES => tries += 1,
            Err(error) => return Err(error.into()),
            Ok([now, settings, variables, playbooks, references]) => {
                let opened = Opened::from(manager, app_server, [settings, variables, playbooks, references]);
                return Ok((opened, OpenedInstance::from(manager, (row, health), now, None)));
            }
        }
    }
}

async fn find(conn: &mut AsyncPgConnection, id: InstanceId) -> Result<(InstanceRow, Option<InstanceHealth>), Refusal> {
    instances::find_with_health(conn, id).await?.ok_or(Refusal::NotFound { what: "instance", id: id.0 })
}

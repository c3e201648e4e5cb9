//! The application type Tutor: a current Open edX, deployed by the playbooks of `ansible/tutor`.
//!
//! Everything here is a pure function of the settings. Out of scope: database, network, and generating the secrets.

mod checks;
mod configured;
mod databases;
mod hooks;
mod machine;
mod names;
mod neutralising;
mod secrets;
mod settings;
mod snapshot;
mod storage;
mod upgrade;
mod vars;

#[cfg(test)]
mod testing;

use serde_json::{Map, Value};
use shared_types::applications::tutor::{self, TutorSettings};
use shared_types::applications::{ApplicationType, MachineNeeds};
use shared_types::{FieldError, FieldWarning};

pub use configured::TutorDefaults;
pub use machine::{LEAST, needs};
pub use snapshot::{Given, snapshot};

use crate::instances::application::{
    Application, ApplicationError, CheckSpec, Hook, PlaybookRepository, ResourceSpec, SchemaChange, SecretSpec, Sites,
    Snapshot, SnapshotInput,
};

/// The version of the settings that this program writes.
const VERSION: i32 = 2;

/// Defaults for settings that are left blank, and the operator's values for all instances.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Defaults {
    /// The domain whose subdomains are the instances' domains.
    pub base_domain: String,
    /// The default contact address of instances.
    pub email: String,
    /// Scheme of the public URLs: `http` or `https`.
    pub protocol: String,
    /// Name of the release of Open edX.
    pub release: String,
    /// The repository with the playbooks: URL or absolute path.
    pub playbooks_repository_url: String,
    /// Branch, tag or commit of the playbooks.
    pub playbooks_version: String,
    /// A directory of this host with the wheels of Tutor, its plugins and their requirements; blank: pip asks PyPI. Not
    /// a setting of an instance, because the whole directory is copied to the machine.
    pub wheels: String,
}

/// Open edX deployed by Tutor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tutor {
    /// Defaults for settings that are left blank.
    pub defaults: Defaults,
}

impl Application for Tutor {
    fn kind(&self) -> &'static ApplicationType {
        &tutor::TYPE
    }

    fn version(&self) -> i32 {
        VERSION
    }

    fn settings(&self, current: Option<&Value>, input: &Map<String, Value>) -> Result<Value, Vec<FieldError>> {
        settings::apply(&self.defaults, current, input)
    }

    fn upgrade(&self, _version: i32, mut stored: Value) -> Result<Value, ApplicationError> {
        // Version 1 had databases on the machine, or the keys of others in `databases`.
        if let Some(fields) = stored.as_object_mut() {
            fields.entry("persistent_databases").or_insert(Value::Bool(false));
        }
        Ok(stored)
    }

    fn defaults(&self) -> Map<String, Value> {
        settings::defaults(&self.defaults)
    }

    fn secrets(&self) -> &'static [SecretSpec] {
        secrets::SPECS
    }

    fn machine(&self, settings: &Value) -> Result<MachineNeeds, ApplicationError> {
        Ok(machine::needs(&read(settings)?))
    }

    fn depends_on_previous(&self, settings: &Value) -> bool {
        read(settings).is_ok_and(|settings| upgrade::has_shared_databases(&settings))
    }

    fn resources(&self, settings: &Value) -> Result<Vec<ResourceSpec>, ApplicationError> {
        let settings = read(settings)?;
        Ok(databases::specs(&settings).into_iter().chain(storage::specs(&settings)).collect())
    }

    fn migrates(&self, last: &Value, next: &Value) -> Result<Option<SchemaChange>, ApplicationError> {
        Ok(upgrade::migrates(&read(last)?, &read(next)?))
    }

    fn neutralising(
        &self,
        _settings: &Value,
        variables: &Map<String, Value>,
    ) -> Result<Map<String, Value>, ApplicationError> {
        Ok(neutralising::variables(variables))
    }

    fn snapshot(&self, input: SnapshotInput<'_>) -> Result<Snapshot, ApplicationError> {
        let (settings, previous) = (read(input.settings)?, input.previous.map(read).transpose()?);
        let migrated_by = previous.as_ref().and_then(|previous| upgrade::migrated_by(previous, &settings));
        let (databases, storage) = (databases::keys(input.resources), storage::keys(input.resources));
        let (secrets, wheels) = (input.secrets, self.defaults.wheels.as_str());
        let given = Given { secrets, databases: &databases, storage: &storage, migrated_by, wheels };
        snapshot::snapshot(input.name, &settings, given)
    }

    fn playbook_repositories(&self, settings: &Value) -> Result<Vec<PlaybookRepository>, ApplicationError> {
        let repository = read(settings)?.playbooks_repository_url;
        Ok(vec![PlaybookRepository { pointer: "/playbooks_repository_url".to_owned(), repository }])
    }

    fn hooks(&self, settings: &Value) -> Result<Vec<Hook>, ApplicationError> {
        Ok(hooks::hooks(&read(settings)?))
    }

    fn warnings(&self, settings: &Value) -> Vec<FieldWarning> {
        settings.as_object().map(tutor::warnings).unwrap_or_default()
    }

    fn sites(&self, settings: &Value) -> Result<Sites, ApplicationError> {
        let settings = read(settings)?;
        let protocol = if settings.protocol == "http" { "http" } else { "https" };
        Ok(Sites { sites: names::sites(&settings), protocol })
    }

    fn checks(&self, settings: &Value) -> Result<Vec<CheckSpec>, ApplicationError> {
        Ok(checks::checks(&read(settings)?))
    }
}

/// Reads stored settings.
///
/// # Errors
/// [`ApplicationError`] if they are not those of an instance of this type.
pub fn read(settings: &Value) -> Result<TutorSettings, ApplicationError> {
    serde::Deserialize::deserialize(settings).map_err(|error| {
        ApplicationError(format!("The stored settings are not those of a Tutor instance: {error}. Save them again."))
    })
}

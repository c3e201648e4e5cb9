//! The application type Tutor: a current Open edX, deployed by the playbooks of `ansible/tutor`.
//!
//! Everything here is a pure function of the settings. Not here: the database, the network, and making the secrets.

mod checks;
mod configured;
mod hooks;
mod machine;
mod names;
mod secrets;
mod settings;
mod snapshot;
pub mod source;
pub mod upgrade;
mod vars;

#[cfg(test)]
mod testing;

use serde_json::{Map, Value};
use shared_types::applications::tutor::{self, TutorSettings};
use shared_types::applications::{ApplicationType, MachineNeeds};
use shared_types::{FieldError, FieldWarning};

pub use machine::{LEAST, needs};
pub use snapshot::{Given, snapshot};

use crate::instances::application::{
    Application, ApplicationError, CheckSpec, Hook, SecretSpec, Sites, Snapshot, SnapshotInput,
};

/// The version of the settings that this program writes.
const VERSION: i32 = 1;

/// What is written into an instance's settings where they are left blank, and what the operator decides for all instances.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Defaults {
    /// The domain below which instances live.
    pub base_domain: String,
    /// The contact address.
    pub email: String,
    /// `http` or `https`.
    pub protocol: String,
    /// The release of Open edX.
    pub release: String,
    /// The repository with the playbooks: URL or absolute path.
    pub playbooks_repository_url: String,
    /// Its branch, tag or commit.
    pub playbooks_version: String,
    /// A directory of this host with the wheels of Tutor, its plugins and what they need; blank: pip asks PyPI. Not a setting of
    /// an instance: the directory is copied to the machine, whatever it holds.
    pub wheels: String,
}

/// Open edX by Tutor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tutor {
    /// For settings that are left blank.
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

    fn upgrade(&self, _version: i32, stored: Value) -> Result<Value, ApplicationError> {
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

    fn snapshot(&self, input: SnapshotInput<'_>) -> Result<Snapshot, ApplicationError> {
        let given = Given { secrets: input.secrets, migrated_by: None, wheels: &self.defaults.wheels };
        snapshot::snapshot(input.name, &read(input.settings)?, given)
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
/// They are not those of an instance of this type.
pub fn read(settings: &Value) -> Result<TutorSettings, ApplicationError> {
    serde::Deserialize::deserialize(settings).map_err(|error| {
        ApplicationError(format!("The stored settings are not those of a Tutor instance: {error}. Save them again."))
    })
}

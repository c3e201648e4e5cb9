//! The application type Open edX: an instance's settings, and what an app server is built from.
//!
//! Everything here is a pure function of the settings. Out of scope: the database, the network, and the pinning of git
//! references to commits, which is the build's first step.

pub mod names;

mod addresses;
mod code;
mod configured;
mod databases;
mod migrates;
mod neutralising;
mod previews;
mod releases;
mod settings;
mod snapshot;
mod spellings;
mod storage;
mod upgrade;
mod vars;
mod warnings;

#[cfg(test)]
mod testing;

use serde_json::{Map, Value};
use shared_types::applications::ApplicationType;
use shared_types::applications::openedx::OpenEdxSettings;
use shared_types::applications::openedx::{self, Protocol};
use shared_types::{FieldError, FieldWarning};

pub use configured::{OpenEdxDefaults, configuration_repository};
pub use previews::PREVIEWS;

use crate::instances::application::{
    Application, ApplicationError, CheckSpec, PlaybookRepository, ResourceSpec, SchemaChange, Sites, Snapshot,
    SnapshotInput, Team,
};
use crate::instances::previews::Previews;

/// The version of the settings that this module writes.
const VERSION: i32 = 2;
/// The team that the original asked for: GitHub gave one of this name to every organization.
const OWNERS: &str = "owners";

/// Defaults for settings that are left blank.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Defaults {
    /// The domain whose subdomains are the instances' domains.
    pub base_domain: String,
    /// The default contact address of instances.
    pub email: String,
    /// The protocol of the public URLs.
    pub protocol: Protocol,
    /// The repository with the playbooks: URL or absolute path.
    pub configuration_source_repo_url: String,
    /// The branch, tag or commit of the playbooks.
    pub configuration_version: String,
    /// Path of the playbook in that repository.
    pub configuration_playbook: String,
    /// Path of its Python requirements there, or the requirements themselves.
    pub configuration_requirements: String,
    /// The repository of edx-platform: URL or absolute path.
    pub edx_platform_repository_url: String,
    /// The release; also the default for edx-platform's commit.
    pub openedx_release: String,
    /// Whether databases run on the app server's machine.
    pub use_ephemeral_databases: bool,
    /// The GitHub organization whose team members get SSH access; blank for none.
    pub github_admin_organization_name: String,
}

/// The variables for an instance's resources outside its machines. Both override the generated variables; the extra
/// settings override both.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct OwnedVariables {
    /// How to connect to its databases.
    pub databases: Map<String, Value>,
    /// How to connect to its file storage.
    pub storage: Map<String, Value>,
}

/// Open edX, configured by Ansible from a repository with edx/configuration's entry points.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenEdx {
    /// Defaults for settings that are left blank.
    pub defaults: Defaults,
    /// Values that all instances share.
    pub installation: Installation,
}

/// Values besides the settings that the variables of every instance depend on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Installation {
    /// GitHub names of the users who get SSH access to the machines.
    pub github_admins: Vec<String>,
    /// The slug of the team in an instance's GitHub organization whose members may log in to its machines; blank: `owners`.
    pub github_admin_team: String,
    /// The scheme of all public URLs; `None`: each instance's own.
    pub public_scheme: Option<Protocol>,
}

impl Installation {
    /// Scheme of an instance's public URLs.
    fn scheme(&self, settings: &OpenEdxSettings) -> Protocol {
        self.public_scheme.unwrap_or(settings.protocol)
    }
}

impl Application for OpenEdx {
    fn kind(&self) -> &'static ApplicationType {
        &openedx::TYPE
    }

    fn version(&self) -> i32 {
        VERSION
    }

    fn settings(&self, current: Option<&Value>, input: &Map<String, Value>) -> Result<Value, Vec<FieldError>> {
        settings::apply(&self.defaults, current, input)
    }

    fn upgrade(&self, version: i32, stored: Value) -> Result<Value, ApplicationError> {
        upgrade::upgrade(version, stored)
    }

    fn defaults(&self) -> Map<String, Value> {
        settings::defaults(&self.defaults)
    }

    fn resources(&self, settings: &Value) -> Result<Vec<ResourceSpec>, ApplicationError> {
        let settings = read(settings)?;
        Ok([databases::specs(&settings), storage::specs(&settings)].concat())
    }

    fn migrates(&self, last: &Value, next: &Value) -> Result<Option<SchemaChange>, ApplicationError> {
        Ok(migrates::migrates(&read(last)?, &read(next)?))
    }

    fn neutralising(
        &self,
        settings: &Value,
        variables: &Map<String, Value>,
    ) -> Result<Map<String, Value>, ApplicationError> {
        Ok(neutralising::variables(&read(settings)?, variables))
    }

    fn snapshot(&self, input: SnapshotInput<'_>) -> Result<Snapshot, ApplicationError> {
        let owned = OwnedVariables {
            databases: databases::variables(input.resources),
            storage: storage::variables(input.resources),
        };
        self.snapshot_with(input.name, input.settings, owned)
    }

    fn playbook_repositories(&self, settings: &Value) -> Result<Vec<PlaybookRepository>, ApplicationError> {
        let repository = read(settings)?.configuration_source_repo_url;
        Ok(vec![PlaybookRepository { pointer: "/configuration_source_repo_url".to_owned(), repository }])
    }

    fn previews(&self) -> Option<&'static Previews> {
        Some(&PREVIEWS)
    }

    fn team(&self, settings: &Value) -> Option<Team> {
        let organization = read(settings).ok()?.github_admin_organization_name;
        let team = Some(self.installation.github_admin_team.as_str()).filter(|team| !team.is_empty());
        (!organization.is_empty()).then(|| Team::new(&organization, team.unwrap_or(OWNERS)))
    }

    fn warnings(&self, settings: &Value) -> Vec<FieldWarning> {
        warnings::warnings(self, settings)
    }

    fn sites(&self, settings: &Value) -> Result<Sites, ApplicationError> {
        Ok(addresses::sites(&read(settings)?))
    }

    fn checks(&self, settings: &Value) -> Result<Vec<CheckSpec>, ApplicationError> {
        Ok(addresses::checks(&read(settings)?))
    }
}

impl OpenEdx {
    /// Determines what an app server is built from, with the instance's resources outside its machines.
    ///
    /// # Errors
    /// [`ApplicationError`] if the settings cannot be read, or ask for persistent databases when there are none: the
    /// data would then be on the app server's machine, and be deleted with it.
    pub fn snapshot_with(
        &self,
        instance_name: &str,
        settings: &Value,
        owned: OwnedVariables,
    ) -> Result<Snapshot, ApplicationError> {
        snapshot::snapshot(instance_name, &read(settings)?, &self.installation, owned)
    }
}

fn read(settings: &Value) -> Result<OpenEdxSettings, ApplicationError> {
    serde::Deserialize::deserialize(settings).map_err(|error| {
        ApplicationError(format!(
            "The stored settings are not those of an Open edX instance: {error}. Save them again."
        ))
    })
}

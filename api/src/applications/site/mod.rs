//! The application type `site`: any site that one or several Ansible playbooks deploy, run one after another.
//!
//! Everything here is a pure function of the settings. Out of scope: the database, the network, and the wheels of a
//! playbook, which are found by the checkout's `wheels.txt`.

mod checks;
mod migrates;
mod resources;
mod settings;
mod snapshot;
mod templates;

#[cfg(test)]
mod testing;

use std::path::PathBuf;

use serde_json::{Map, Value};
use shared_types::applications::site::{self, PlaybookSource, SiteSettings};
use shared_types::applications::{ApplicationType, MachineNeeds};
use shared_types::instance_type::InstanceTemplate;
use shared_types::{FieldError, FieldWarning, secret};

use crate::applications::{PROTOCOL, Repositories};
use crate::config::Settings;
use crate::config::gateway::GatewaySettings;
use crate::instances::application::{
    Application, ApplicationError, CheckSpec, Hook, PlaybookRepository, ResourceSpec, SchemaChange, Sites, Snapshot,
    SnapshotInput,
};
use crate::routing::public::PublicUrls;

/// The version of the settings that this module writes.
const VERSION: i32 = 2;

/// Defaults for settings that are left blank.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Defaults {
    /// The domain that is appended to a label to make a host name.
    pub base_domain: String,
    /// The protocol of the public URLs: `http` or `https`.
    pub protocol: String,
}

/// Sites deployed by Ansible playbooks.
#[derive(Debug, Clone)]
pub struct Site {
    /// Defaults for settings that are left blank.
    pub defaults: Defaults,
    /// Makes the public URLs in the variables.
    pub urls: PublicUrls,
    /// The directory with the templates' repositories, each under the template's name.
    pub examples: PathBuf,
}

impl Site {
    /// The type with the operator's settings.
    ///
    /// # Errors
    /// A message that names the invalid setting and the reason.
    pub fn configured(settings: &Settings, repositories: &Repositories) -> Result<Self, String> {
        let base_domain = settings.instances.instances_base_domain.clone();
        Ok(Self {
            defaults: Defaults { base_domain, protocol: PROTOCOL.to_owned() },
            urls: PublicUrls::new(&GatewaySettings::new(settings)?),
            examples: repositories.examples.clone(),
        })
    }
}

impl Application for Site {
    fn kind(&self) -> &'static ApplicationType {
        &site::TYPE
    }

    fn version(&self) -> i32 {
        VERSION
    }

    fn settings(&self, current: Option<&Value>, input: &Map<String, Value>) -> Result<Value, Vec<FieldError>> {
        settings::apply(&self.defaults, current, input)
    }

    fn upgrade(&self, _version: i32, mut stored: Value) -> Result<Value, ApplicationError> {
        // Version 1 had no databases outside the machine.
        if let Some(fields) = stored.as_object_mut() {
            fields.entry("resources").or_insert_with(|| Value::Array(Vec::new()));
        }
        Ok(stored)
    }

    fn defaults(&self) -> Map<String, Value> {
        settings::defaults(&self.defaults)
    }

    fn templates(&self) -> Vec<InstanceTemplate> {
        templates::templates(&self.examples)
    }

    fn machine(&self, settings: &Value) -> Result<MachineNeeds, ApplicationError> {
        let SiteSettings { memory_mb, disk_gb, .. } = read(settings)?;
        Ok(MachineNeeds { memory_mb, disk_gb, has_own_kernel: false })
    }

    fn resources(&self, settings: &Value) -> Result<Vec<ResourceSpec>, ApplicationError> {
        Ok(resources::specs(&read(settings)?))
    }

    fn migrates(&self, last: &Value, next: &Value) -> Result<Option<SchemaChange>, ApplicationError> {
        Ok(migrates::migrates(&read(last)?, &read(next)?))
    }

    fn neutralising(
        &self,
        _settings: &Value,
        _variables: &Map<String, Value>,
    ) -> Result<Map<String, Value>, ApplicationError> {
        // What is to be turned off, only the playbooks know.
        Ok(Map::from_iter([("ocim_neutralised".to_owned(), Value::Bool(true))]))
    }

    fn snapshot(&self, input: SnapshotInput<'_>) -> Result<Snapshot, ApplicationError> {
        snapshot::snapshot(input.name, &read(input.settings)?, self.urls, input.resources)
    }

    fn playbook_repositories(&self, settings: &Value) -> Result<Vec<PlaybookRepository>, ApplicationError> {
        let playbooks = read(settings)?.playbooks.into_iter().enumerate();
        let named = |(index, playbook): (usize, PlaybookSource)| PlaybookRepository {
            pointer: format!("/playbooks/{index}/repository"),
            repository: playbook.repository,
        };
        Ok(playbooks.map(named).collect())
    }

    fn hooks(&self, settings: &Value) -> Result<Vec<Hook>, ApplicationError> {
        Ok(read(settings)?.hooks)
    }

    fn warnings(&self, settings: &Value) -> Vec<FieldWarning> {
        let Some(fields) = settings.as_object() else { return Vec::new() };
        let text = fields.get("variables").and_then(Value::as_str).unwrap_or_default();
        // If secrets are masked, the user sees other line numbers.
        let is_rewritten = secret::masked_yaml(text) != text;
        let shown = |warning: FieldWarning| FieldWarning { line: warning.line.filter(|_| !is_rewritten), ..warning };
        (site::TYPE.warnings)(fields).into_iter().map(shown).collect()
    }

    fn sites(&self, settings: &Value) -> Result<Sites, ApplicationError> {
        let settings = read(settings)?;
        let protocol = if settings.protocol == "http" { "http" } else { "https" };
        Ok(Sites { sites: site::sites_of(&settings.hostnames), protocol })
    }

    fn checks(&self, settings: &Value) -> Result<Vec<CheckSpec>, ApplicationError> {
        checks::checks(&read(settings)?)
    }
}

/// Reads stored settings.
///
/// # Errors
/// [`ApplicationError`] if they are not those of a site.
pub fn read(settings: &Value) -> Result<SiteSettings, ApplicationError> {
    serde::Deserialize::deserialize(settings).map_err(|error| {
        ApplicationError(format!("The stored settings are not those of a site: {error}. Save them again."))
    })
}

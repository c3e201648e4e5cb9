//! What an app server is built from: the playbook, the merged variables, the git references to pin.
//!
//! The later layer of variables wins: generated, databases, storage, extra settings.
//!
//! # References
//! A reference is handed out for pinning only while the merged variables still say what the settings say, of the version
//! and of its repository alike. Where an extra setting overrides either, it wins as it is: it goes to Ansible unchanged, and
//! this program asks no repository that only an extra setting names, since those may come from people outside. An app server
//! without the reference of its code ([`code::REFERENCE`]) runs a commit that is not known here.

use serde_json::{Map, Value};
use shared_types::{OpenEdxSettings, yaml};

use super::names::machine_name_prefix;
use super::{OwnedVariables, code, vars};
use crate::instances::application::{ApplicationError, GENERATED, Layer, Playbook, Reference, Snapshot};

/// The playbook that makes a whole Open edX on one machine.
const PLAYBOOK: &str = "playbooks/edx_sandbox.yml";
/// What Ansible needs to run it.
const REQUIREMENTS: &str = "requirements.txt";

/// Decides what an app server is built from.
pub(super) fn snapshot(
    name: &str,
    settings: &OpenEdxSettings,
    github_admins: &[String],
    owned: OwnedVariables,
) -> Result<Snapshot, ApplicationError> {
    if !settings.use_ephemeral_databases && owned.databases.is_empty() {
        return Err(ApplicationError(
            "The instance is set to persistent databases, and it has none: its data would go with the app server. Set up \
             databases for it, or set use_ephemeral_databases."
                .into(),
        ));
    }
    let extra = yaml::parse_map(&settings.configuration_extra_settings)
        .map_err(|error| ApplicationError(format!("The extra settings cannot be read. {error}.")))?;
    let layers = vec![
        Layer { origin: GENERATED, variables: vars::generated(name, settings, github_admins) },
        Layer { origin: "databases", variables: owned.databases },
        Layer { origin: "storage", variables: owned.storage },
        Layer { origin: "extra settings", variables: extra },
    ];
    let variables = layers.iter().map(|layer| layer.variables.clone()).fold(Map::new(), yaml::merge);
    Ok(Snapshot {
        playbooks: vec![Playbook {
            source_repo: settings.configuration_source_repo_url.clone(),
            version: settings.configuration_version.clone(),
            playbook_path: PLAYBOOK.to_owned(),
            requirements_path: REQUIREMENTS.to_owned(),
        }],
        references: references(settings, &variables),
        machine_name_prefix: machine_name_prefix(&settings.sub_domain),
        variables,
        layers,
    })
}

fn references(settings: &OpenEdxSettings, variables: &Map<String, Value>) -> Vec<Reference> {
    let says = |variable: &str, setting: &str| variables.get(variable).and_then(Value::as_str) == Some(setting);
    [
        (
            code::REFERENCE,
            (code::REPOSITORY, &settings.edx_platform_repository_url),
            (code::VERSION, &settings.edx_platform_commit),
        ),
        (
            "configuration",
            ("edx_ansible_source_repo", &settings.configuration_source_repo_url),
            ("configuration_version", &settings.configuration_version),
        ),
    ]
    .into_iter()
    .filter(|(_, repository, version)| says(repository.0, repository.1) && says(version.0, version.1))
    .filter(|(name, ..)| *name != code::REFERENCE || !code::is_contested(settings, variables))
    .map(|(name, (_, repository), (variable, version))| Reference {
        name: name.to_owned(),
        repository: repository.clone(),
        version: version.clone(),
        variable: variable.to_owned(),
    })
    .collect()
}

#[cfg(test)]
#[path = "snapshot_tests.rs"]
mod tests;

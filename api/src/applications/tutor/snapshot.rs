//! What an app server is built from: the playbook, its variables, and the reference to pin.
//!
//! Later layers of variables override earlier ones: generated, secrets, databases, storage, extra configuration.

use serde_json::{Map, Value, json};
use shared_types::applications::tutor::{TutorSettings, lists, releases};
use shared_types::yaml;

use super::{checks, hooks, names, secrets, upgrade, vars};
use crate::instances::application::{ApplicationError, GENERATED, Layer, Playbook, Reference, Requirements, Snapshot};

/// The playbook for the whole deployment.
const DEPLOY: &str = "playbooks/deploy.yml";
/// Its Python requirements, including Ansible.
const REQUIREMENTS: &str = "requirements.txt";
/// Name of the code's git reference, if the image is built.
const CODE: &str = "edx-platform";
/// The variable with the code's branch, tag or commit.
const CODE_VERSION: &str = "tutor_platform_version";

/// Inputs of an instance besides its settings.
#[derive(Debug, Clone, Copy)]
pub struct Given<'a> {
    /// The instance's secrets, by name.
    pub secrets: &'a Map<String, Value>,
    /// Tutor's keys of the databases that the instance has outside its machines; empty for none.
    pub databases: &'a Map<String, Value>,
    /// The keys of the plugin `s3` for the buckets that the instance has; empty for none.
    pub storage: &'a Map<String, Value>,
    /// The release that last migrated its databases; none: no app server did.
    pub migrated_by: Option<&'a str>,
    /// The directory of wheels on this host; blank for none.
    pub wheels: &'a str,
}

/// Determines what an app server is built from.
///
/// # Errors
/// [`ApplicationError`] if the settings are not valid, a secret is missing, or a later release migrated the databases.
pub fn snapshot(name: &str, settings: &TutorSettings, given: Given<'_>) -> Result<Snapshot, ApplicationError> {
    let mut layers = vec![
        Layer { origin: GENERATED, variables: generated(name, settings, given)? },
        Layer { origin: "secrets", variables: below("tutor_config", secrets::config(given.secrets)?) },
        Layer { origin: "databases", variables: below("tutor_config", vars::databases(databases(settings, given)?)) },
        Layer {
            origin: "extra configuration",
            variables: below("tutor_extra_config", read_yaml("extra_config", &settings.extra_config)?),
        },
    ];
    if !given.storage.is_empty() {
        let variables = below("tutor_config", given.storage.clone());
        layers.insert(layers.len() - 1, Layer { origin: "storage", variables });
    }
    let variables = layers.iter().map(|layer| layer.variables.clone()).fold(Map::new(), yaml::merge);
    Ok(Snapshot {
        playbooks: vec![playbook(settings)],
        references: references(settings, &variables),
        machine_name_prefix: names::machine_name_prefix(&settings.sub_domain),
        variables,
        layers,
    })
}

/// The keys of databases outside the machine: those of the instance's resources, or of the setting.
fn databases(settings: &TutorSettings, given: Given<'_>) -> Result<Map<String, Value>, ApplicationError> {
    if settings.persistent_databases {
        return Ok(given.databases.clone());
    }
    read_yaml("databases", &settings.databases)
}

fn playbook(settings: &TutorSettings) -> Playbook {
    Playbook {
        source_repo: settings.playbooks_repository_url.clone(),
        version: settings.playbooks_version.clone(),
        playbook_path: DEPLOY.to_owned(),
        requirements: Requirements::File(REQUIREMENTS.to_owned()),
    }
}

fn generated(name: &str, settings: &TutorSettings, given: Given<'_>) -> Result<Map<String, Value>, ApplicationError> {
    let no_release = || ApplicationError(format!("There is no release {}: choose another one.", settings.release));
    let release = releases::named(&settings.release).ok_or_else(no_release)?;
    let variables = [
        ("tutor_requirements", json!(lists::requirements(release, &settings.requirements))),
        ("tutor_wheels", json!(given.wheels)),
        ("tutor_config", vars::config(name, settings).into()),
        ("tutor_databases_are_given", json!(upgrade::has_shared_databases(settings))),
        ("tutor_hold_workers", json!(hooks::holds_workers(settings))),
        ("tutor_images_to_build", json!(lists::words(&settings.images_to_build))),
        (CODE_VERSION, json!(vars::platform_version(settings, release).unwrap_or_default())),
        ("tutor_upgrade_from", json!(upgrade::upgrades_from(given.migrated_by, settings)?.unwrap_or_default())),
        ("tutor_checks", checks::at_the_end_of_a_build(settings)),
    ];
    Ok(variables.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

fn below(name: &str, variables: Map<String, Value>) -> Map<String, Value> {
    if variables.is_empty() { variables } else { Map::from_iter([(name.to_owned(), variables.into())]) }
}

fn read_yaml(field: &str, text: &str) -> Result<Map<String, Value>, ApplicationError> {
    yaml::parse_map(text).map_err(|error| ApplicationError(format!("The setting {field} cannot be read. {error}.")))
}

/// The code, if its image is built on the machine; a pulled image contains its code.
fn references(settings: &TutorSettings, variables: &Map<String, Value>) -> Vec<Reference> {
    let version = variables.get(CODE_VERSION).and_then(Value::as_str).filter(|version| !version.is_empty());
    let reference = |version: &str| Reference {
        name: CODE.to_owned(),
        repository: settings.edx_platform_repository_url.clone(),
        version: version.to_owned(),
        variables: vec![CODE_VERSION.to_owned()],
    };
    version.map(reference).into_iter().collect()
}

#[cfg(test)]
#[path = "snapshot_tests.rs"]
mod tests;

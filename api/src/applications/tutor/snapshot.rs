//! What an app server is built from: the playbook, its variables, and the reference to pin.
//!
//! The later layer of variables wins: generated, secrets, databases, extra configuration.

use serde_json::{Map, Value, json};
use shared_types::applications::tutor::{TutorSettings, lists, releases};
use shared_types::yaml;

use super::{checks, hooks, names, secrets, upgrade, vars};
use crate::instances::application::{ApplicationError, GENERATED, Layer, Playbook, Reference, Requirements, Snapshot};

/// The playbook that deploys everything.
const DEPLOY: &str = "playbooks/deploy.yml";
/// What Ansible needs to run it.
const REQUIREMENTS: &str = "requirements.txt";
/// The name of the reference of the code, when it is built.
const CODE: &str = "edx-platform";
/// The variable with its branch, tag or commit.
const CODE_VERSION: &str = "tutor_platform_version";

/// What an instance has besides its settings.
#[derive(Debug, Clone, Copy)]
pub struct Given<'a> {
    /// Its secrets, by name.
    pub secrets: &'a Map<String, Value>,
    /// The release that last migrated its databases; none: no app server has.
    pub migrated_by: Option<&'a str>,
    /// The directory of wheels on this host; blank for none.
    pub wheels: &'a str,
}

/// Decides what an app server is built from.
///
/// # Errors
/// The stored settings cannot be used, a secret is missing, or a later release has migrated the databases.
pub fn snapshot(name: &str, settings: &TutorSettings, given: Given<'_>) -> Result<Snapshot, ApplicationError> {
    let layers = vec![
        Layer { origin: GENERATED, variables: generated(name, settings, given)? },
        Layer { origin: "secrets", variables: below("tutor_config", secrets::config(given.secrets)?) },
        Layer {
            origin: "databases",
            variables: below("tutor_config", vars::databases(read_yaml("databases", &settings.databases)?)),
        },
        Layer {
            origin: "extra configuration",
            variables: below("tutor_extra_config", read_yaml("extra_config", &settings.extra_config)?),
        },
    ];
    let variables = layers.iter().map(|layer| layer.variables.clone()).fold(Map::new(), yaml::merge);
    Ok(Snapshot {
        playbooks: vec![playbook(settings)],
        references: references(settings, &variables),
        machine_name_prefix: names::machine_name_prefix(&settings.sub_domain),
        variables,
        layers,
    })
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

/// The code, where its image is built on the machine; an image that is pulled names its own.
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

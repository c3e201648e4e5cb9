//! What an app server is built from: the playbook, the merged variables, the git references to pin.
//!
//! Later layers of variables override earlier ones: generated, databases, storage, extra settings. If a variable has
//! two spellings and a layer sets one, the layer sets both ([`spellings`]).
//!
//! # References
//! A reference is pinned only if the merged variables agree with the settings, in version and repository. If an extra
//! setting overrides either, its value goes to Ansible unchanged, and ocim contacts no repository that only an extra
//! setting names, since those may come from outside. An app server without the reference of its code
//! ([`code::REFERENCE`]) runs an unknown commit.

use serde_json::{Map, Value};
use shared_types::applications::openedx::OpenEdxSettings;
use shared_types::settings::requirements_path;
use shared_types::yaml;

use super::names::machine_name_prefix;
use super::spellings::{CONFIGURATION_VERSION, PLATFORM_REPOSITORY, PLATFORM_VERSION};
use super::{Installation, OwnedVariables, code, releases, spellings, vars};
use crate::instances::application::{ApplicationError, GENERATED, Layer, Playbook, Reference, Requirements, Snapshot};

/// Determines what an app server is built from.
pub(super) fn snapshot(
    name: &str,
    settings: &OpenEdxSettings,
    installation: &Installation,
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
    let features = releases::recognise(&settings.openedx_release).features;
    let layer = |origin, variables| Layer { origin, variables: spellings::complete(variables, features) };
    let layers = vec![
        Layer { origin: GENERATED, variables: vars::generated(name, settings, installation) },
        layer("databases", owned.databases),
        layer("storage", owned.storage),
        layer("extra settings", extra),
    ];
    let variables = layers.iter().map(|layer| layer.variables.clone()).fold(Map::new(), yaml::merge);
    Ok(Snapshot {
        playbooks: vec![Playbook {
            source_repo: settings.configuration_source_repo_url.clone(),
            version: settings.configuration_version.clone(),
            playbook_path: settings.configuration_playbook.clone(),
            requirements: requirements(&settings.configuration_requirements),
        }],
        references: references(settings, &variables),
        machine_name_prefix: machine_name_prefix(&settings.sub_domain),
        variables,
        layers,
    })
}

fn requirements(text: &str) -> Requirements {
    match requirements_path(text) {
        Some(path) => Requirements::File(path.to_owned()),
        None => Requirements::Text(text.to_owned()),
    }
}

fn references(settings: &OpenEdxSettings, variables: &Map<String, Value>) -> Vec<Reference> {
    let say = |names: &[&str], setting: &str| {
        names.iter().all(|name| variables.get(*name).and_then(Value::as_str) == Some(setting))
    };
    [
        (
            code::REFERENCE,
            (&PLATFORM_REPOSITORY[..], &settings.edx_platform_repository_url),
            (PLATFORM_VERSION, &settings.edx_platform_commit),
        ),
        (
            "configuration",
            (&["edx_ansible_source_repo"][..], &settings.configuration_source_repo_url),
            (CONFIGURATION_VERSION, &settings.configuration_version),
        ),
    ]
    .into_iter()
    .filter(|(_, repository, version)| say(repository.0, repository.1) && say(&version.0, version.1))
    .filter(|(name, ..)| *name != code::REFERENCE || !code::is_contested(settings, variables))
    .map(|(name, (_, repository), (names, version))| Reference {
        name: name.to_owned(),
        repository: repository.clone(),
        version: version.clone(),
        variables: names.map(str::to_owned).into(),
    })
    .collect()
}

#[cfg(test)]
#[path = "snapshot_tests.rs"]
mod tests;

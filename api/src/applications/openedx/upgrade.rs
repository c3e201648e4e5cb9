//! Upgrades stored settings of all earlier versions.
//!
//! | version | ocim | what changed |
//! |---|---|---|
//! | 1 | 0.1 | first version |
//! | 2 | 0.2 | `configuration_playbook` and `configuration_requirements`, which were fixed before |
//!
//! Documents of each version are in `api/tests/documents`; a test upgrades them all.

use serde_json::{Map, Value};

use super::VERSION;
use crate::instances::application::ApplicationError;

/// Playbook and requirements of every instance of version 1.
const FIRST_PLAYBOOK: &str = "playbooks/edx_sandbox.yml";
const FIRST_REQUIREMENTS: &str = "requirements.txt";

/// Upgrades a document of an earlier version to the present one.
///
/// # Errors
/// [`ApplicationError`] if it is not a map, or the version is unknown.
pub(super) fn upgrade(version: i32, stored: Value) -> Result<Value, ApplicationError> {
    let Value::Object(mut settings) = stored else {
        return Err(ApplicationError("The stored settings are no JSON object.".into()));
    };
    match version {
        1 => from_1(&mut settings),
        VERSION => {}
        _ => {
            let words = format!("There are no settings of version {version}: the versions are 1 to {VERSION}.");
            return Err(ApplicationError(words));
        }
    }
    Ok(Value::Object(settings))
}

fn from_1(settings: &mut Map<String, Value>) {
    for (name, value) in
        [("configuration_playbook", FIRST_PLAYBOOK), ("configuration_requirements", FIRST_REQUIREMENTS)]
    {
        settings.entry(name).or_insert_with(|| value.into());
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]

    use serde_json::json;

    use super::*;
    use crate::applications::openedx::read;

    #[test]
    fn documents_of_version_1_keep_their_playbook() {
        for text in [
            include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/documents/0.1/openedx_instance.json")),
            include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/documents/0.1/openedx_preview.json")),
        ] {
            let stored: Value = serde_json::from_str(text).unwrap();
            let upgraded = upgrade(1, stored.clone()).unwrap();
            assert_eq!(upgraded["configuration_playbook"], "playbooks/edx_sandbox.yml");
            assert_eq!(upgraded["configuration_requirements"], "requirements.txt");
            for (name, value) in stored.as_object().unwrap() {
                assert_eq!(&upgraded[name], value, "{name}");
            }
            read(&upgraded).unwrap();
        }
    }

    #[test]
    fn documents_of_version_2_are_read_as_they_are() {
        let text = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/documents/0.2/openedx_instance.json"));
        let stored: Value = serde_json::from_str(text).unwrap();
        assert_eq!(upgrade(2, stored.clone()).unwrap(), stored);
        assert_eq!(read(&stored).unwrap().configuration_requirements, "ansible==8.7.0\nboto\nboto3\n");
    }

    #[test]
    fn documents_of_no_known_version_are_refused() {
        for version in [0, -1, 3] {
            assert!(upgrade(version, json!({})).unwrap_err().0.contains("the versions are 1 to 2"));
        }
        assert!(upgrade(1, json!([])).unwrap_err().0.contains("no JSON object"));
    }
}

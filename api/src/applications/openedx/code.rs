//! Which settings and variables decide the code that an instance runs. Who asks for a certain commit, or says which commit
//! runs, asks here.

use serde_json::{Map, Value};
use shared_types::OpenEdxSettings;

use super::spellings::{PLATFORM_REPOSITORY, PLATFORM_VERSION};

/// What the git reference of the code is called among those of an app server.
pub const REFERENCE: &str = "edx-platform";

/// The names by which playbooks and settings choose the code, in lower case.
const NAMES: &[&str] =
    &["edx_platform_repo", "edx_platform_version", "edx_platform_repository_url", "edx_platform_commit"];

/// Whether a variable of this name chooses the code in some release of the playbooks, or looks as if it did.
pub fn decides(variable: &str) -> bool {
    NAMES.contains(&variable.to_ascii_lowercase().as_str())
}

/// The settings for the code at this commit of this repository.
pub fn settings(repository_url: &str, commit: &str) -> Map<String, Value> {
    let pairs = [("edx_platform_repository_url", repository_url), ("edx_platform_commit", commit)];
    pairs.into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect()
}

/// The branch, tag or commit that an instance's settings name.
pub fn version_of(settings: &Value) -> Option<&str> {
    settings.get("edx_platform_commit").and_then(Value::as_str)
}

/// Whether the variables name other code than the settings by a name that no release is known to read: which of both a
/// playbook takes is not known then. The names that releases read are not among these; they have to say what the settings
/// say.
pub(super) fn is_contested(settings: &OpenEdxSettings, variables: &Map<String, Value>) -> bool {
    let known = [settings.edx_platform_repository_url.as_str(), settings.edx_platform_commit.as_str()];
    let is_read = |name: &str| PLATFORM_REPOSITORY.contains(&name) || PLATFORM_VERSION.contains(&name);
    variables.iter().any(|(name, value)| {
        decides(name) && !is_read(name) && value.as_str().is_none_or(|value| !known.contains(&value))
    })
}

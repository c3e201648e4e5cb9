//! The settings and variables that decide which code an instance runs: to request a certain commit, or to find out
//! which commit runs.

use serde_json::{Map, Value};
use shared_types::applications::openedx::OpenEdxSettings;

use super::spellings::{PLATFORM_REPOSITORY, PLATFORM_VERSION};

/// Name of the code's git reference among those of an app server.
pub(super) const REFERENCE: &str = "edx-platform";

/// Lower-case names by which playbooks and settings choose the code.
const NAMES: &[&str] =
    &["edx_platform_repo", "edx_platform_version", "edx_platform_repository_url", "edx_platform_commit"];

/// Whether a variable of this name chooses the code in some release of the playbooks, or may do so.
pub(super) fn decides(variable: &str) -> bool {
    NAMES.contains(&variable.to_ascii_lowercase().as_str())
}

/// The settings that choose this commit of this repository.
pub(super) fn settings(repository_url: &str, commit: &str) -> Map<String, Value> {
    let pairs = [("edx_platform_repository_url", repository_url), ("edx_platform_commit", commit)];
    pairs.into_iter().map(|(name, value)| (name.to_owned(), value.into())).collect()
}

/// The branch, tag or commit in an instance's settings.
pub(super) fn version_of(settings: &Value) -> Option<&str> {
    settings.get("edx_platform_commit").and_then(Value::as_str)
}

/// Whether the variables name other code than the settings, under a name that no known release reads: then it is
/// unknown which of both a playbook uses. The names that releases read are not among these; they must agree with the
/// settings.
pub(super) fn is_contested(settings: &OpenEdxSettings, variables: &Map<String, Value>) -> bool {
    let known = [settings.edx_platform_repository_url.as_str(), settings.edx_platform_commit.as_str()];
    let is_read = |name: &str| PLATFORM_REPOSITORY.contains(&name) || PLATFORM_VERSION.contains(&name);
    variables.iter().any(|(name, value)| {
        decides(name) && !is_read(name) && value.as_str().is_none_or(|value| !known.contains(&value))
    })
}

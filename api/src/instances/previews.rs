//! How pull requests become instances of an application type. Part of the port to applications: pure functions.

use serde_json::{Map, Value};
use shared_types::applications::PreviewChoices;
use shared_types::settings::Schema;
use shared_types::yaml::Advice;

/// What an application type knows about instances that preview a pull request.
#[derive(Debug)]
pub struct Previews {
    /// The settings of its instances; what a description chooses is checked by them.
    pub schema: &'static Schema,
    /// The setting with the part of the host name before the base domain.
    pub address: &'static str,
    /// The settings that deploy a commit, given the repository's URL and the commit.
    pub source: fn(&str, &str) -> Map<String, Value>,
    /// The branch, tag or commit of the deployed code in stored settings.
    pub version_of: fn(&Value) -> Option<&str>,
    /// The setting that takes the variables of a description, as YAML.
    pub variables: &'static str,
    /// The flag that keeps the databases on the machine, to be deleted with it.
    pub ephemeral_databases: &'static str,
    /// Variables of a description that choose the playbooks.
    pub choices: &'static PreviewChoices,
    /// Whether a variable of this name may choose the deployed code; a description may not set it, because the commit
    /// that runs must be the one that was approved.
    pub decides_code: fn(&str) -> bool,
    /// Unexpected effects of variables, a YAML text, on an instance at a domain.
    pub advice: fn(domain: &str, variables: &str) -> Vec<Advice>,
}

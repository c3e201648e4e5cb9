//! The settings of an instance of type `site`: any site that has an Ansible playbook.
//!
//! Lists hold records, whose blank fields get their defaults, too, when the settings are stored.

mod fields;
mod rules;
mod statuses;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{ApplicationType, DataPlace, MachineNeeds, SiteAddress};
use crate::hook::Hook;
use crate::resource::ResourceKind;
use crate::settings::{HOSTNAME_MAX, Schema, check_hostname};
use crate::warning::FieldWarning;
use crate::yaml;

pub use fields::record_default;
pub use rules::errors;
pub use statuses::{ParseStatusesError, Statuses};

/// A site that playbooks configure.
pub static TYPE: ApplicationType = ApplicationType {
    word: "site",
    label: "Site (Ansible playbook)",
    description: "Any site that an Ansible playbook, or several, make on one machine. It needs a git repository with the playbook.",
    schema: Schema { fields: fields::FIELDS },
    machine: MachineNeeds { memory_mb: 0, disk_gb: 0, has_own_kernel: false },
    address_field: "hostnames",
    headline: None,
    code_reference: None,
    previews: None,
    common_values: &[],
    site_labels: &[],
    sites,
    persistence: None,
    data,
    warnings,
};

/// The settings of a site as they are stored, with every default written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SiteSettings {
    /// The host names of the site, the main one first; whole names.
    pub hostnames: Vec<String>,
    /// The domain that a given host name without a dot was completed with.
    pub base_domain: String,
    /// The protocol of the public URLs: `http` or `https`.
    pub protocol: String,
    /// The playbooks that configure a machine, in the order of the runs.
    pub playbooks: Vec<PlaybookSource>,
    /// YAML; its variables override those that ocim gives.
    pub variables: String,
    /// The databases and buckets that it has outside its machines.
    pub resources: Vec<SiteResource>,
    /// The checks of an app server. Empty: `/` of each host name must answer with one of [`Statuses::DEFAULT`].
    pub checks: Vec<SiteCheck>,
    /// Playbooks that run when traffic moves or a machine ends.
    pub hooks: Vec<Hook>,
    /// The memory that a machine must have, in MB; 0: any.
    pub memory_mb: u32,
    /// The disk that a machine must have, in GB; 0: any.
    pub disk_gb: u32,
}

/// A playbook in a git repository.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlaybookSource {
    /// The git repository: a URL or an absolute path.
    pub repository: String,
    /// The branch, tag or commit.
    pub version: String,
    /// The path of the playbook in the repository.
    pub path: String,
    /// The path of the Python requirements in the repository, which must install `ansible-playbook`.
    pub requirements: String,
}

/// A database or bucket outside the machine, which outlives app servers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SiteResource {
    /// The kind of its server.
    pub kind: ResourceKind,
    /// The name that the playbooks know it by.
    pub name: String,
}

/// A request to the site that the app server's web server must answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SiteCheck {
    /// One of the instance's host names; blank: the main one.
    pub host: String,
    /// The path, with its query.
    pub path: String,
    /// The statuses that pass, as [`Statuses`] reads them.
    pub statuses: String,
    /// Text that the body must contain; blank: anything.
    pub text: String,
    /// How long the answer may take, in seconds.
    pub timeout_seconds: u32,
}

impl SiteSettings {
    /// The main host name.
    pub fn domain(&self) -> &str {
        self.hostnames.first().map(String::as_str).unwrap_or_default()
    }

    /// The host name that a check is sent to: its own, or the main one.
    pub fn host_of<'a>(&'a self, check: &'a SiteCheck) -> &'a str {
        if check.host.is_empty() { self.domain() } else { &check.host }
    }
}

impl SiteCheck {
    /// The check of a host name for which the settings give none.
    pub fn of(hostname: &str) -> Self {
        Self {
            host: hostname.to_owned(),
            path: "/".to_owned(),
            statuses: Statuses::DEFAULT.to_owned(),
            text: String::new(),
            timeout_seconds: fields::CHECK_TIMEOUT,
        }
    }
}

/// A host name as it is stored: one without a dot is a label below the base domain. Blank stays blank.
pub fn whole_hostname(given: &str, base_domain: &str) -> String {
    if given.is_empty() || given.contains('.') { given.to_owned() } else { format!("{given}.{base_domain}") }
}

/// The sites at these host names, the main one first. Each has the first label of its host name as its name, or the whole host
/// name where another one has the same first label.
pub fn sites_of(hostnames: &[String]) -> Vec<SiteAddress> {
    let site = |hostname: &String| {
        let name = site_name(hostnames, hostname).to_owned();
        SiteAddress { label: name.clone(), name, hostname: hostname.clone() }
    };
    hostnames.iter().map(site).collect()
}

/// The name of the site at one of these host names.
pub fn site_name<'a>(hostnames: &[String], hostname: &'a str) -> &'a str {
    let label = first_label(hostname);
    let alike = hostnames.iter().filter(|other| first_label(other) == label).count();
    if alike > 1 { hostname } else { label }
}

/// A host name up to its first dot.
pub fn first_label(hostname: &str) -> &str {
    hostname.split('.').next().unwrap_or(hostname)
}

/// A site for each host name that is valid.
fn sites(settings: &Map<String, Value>) -> Vec<SiteAddress> {
    let base_domain = settings.get("base_domain").and_then(Value::as_str).unwrap_or_default().trim().to_lowercase();
    let given = settings.get("hostnames").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
    let whole = given.map(|name| whole_hostname(&name.trim().to_lowercase(), &base_domain));
    let is_valid = |name: &String| name.len() <= HOSTNAME_MAX && check_hostname(name).is_ok();
    sites_of(&whole.filter(is_valid).collect::<Vec<_>>())
}

/// Without databases outside, the playbooks decide where they keep what they keep.
fn data(settings: &Map<String, Value>) -> DataPlace {
    let resources = settings.get("resources").and_then(Value::as_array);
    if resources.is_some_and(|list| !list.is_empty()) { DataPlace::Outside } else { DataPlace::Playbooks }
}

fn warnings(settings: &Map<String, Value>) -> Vec<FieldWarning> {
    let text = settings.get("variables").and_then(Value::as_str).unwrap_or_default();
    let warning = |advice: yaml::Advice| FieldWarning {
        pointer: "/variables".to_owned(),
        line: u32::try_from(advice.line).ok(),
        detail: advice.detail,
    };
    yaml::advice(text).into_iter().map(warning).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use serde_json::json;

    use super::*;

    fn found(settings: &Value) -> Vec<(String, String)> {
        let sites = (TYPE.sites)(settings.as_object().unwrap());
        sites.into_iter().map(|site| (site.name, site.hostname)).collect()
    }

    #[test]
    fn sites_are_known_while_a_person_types() {
        let typed =
            json!({ "hostnames": ["School", "shop.example.org", "not valid"], "base_domain": "campus.example" });
        let row = |name: &str, host: &str| (name.to_owned(), host.to_owned());
        assert_eq!(found(&typed), [row("school", "school.campus.example"), row("shop", "shop.example.org")]);
        assert_eq!(found(&json!({ "hostnames": ["school"] })), [], "without a base domain");
    }

    #[test]
    fn a_host_name_is_called_by_its_first_label_unless_two_begin_alike() {
        let hostnames =
            ["school.campus.example", "school-content.campus.example", "school.example.org"].map(str::to_owned);
        let names: Vec<_> = sites_of(&hostnames).into_iter().map(|site| site.name).collect();
        assert_eq!(names, ["school.campus.example", "school-content", "school.example.org"]);
    }

    #[test]
    fn every_stored_setting_is_described() {
        let settings = rules::tests::right();
        let stored = serde_json::to_value(settings).unwrap();
        let mut stored: Vec<_> = stored.as_object().unwrap().keys().map(String::as_str).collect();
        let mut described: Vec<_> = TYPE.schema.fields.iter().map(|field| field.name).collect();
        stored.sort_unstable();
        described.sort_unstable();
        assert_eq!(stored, described);
    }
}

//! The application types: their settings and rules, for the server, the browser and the client alike. One file or
//! folder for each type, and one line in [`ALL`].
//!
//! Not here: what a type makes of its settings (variables, playbooks, checks), which only the server knows.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::settings::Schema;
use crate::warning::FieldWarning;

mod data;
mod domain;
pub mod openedx;
mod outline;
mod previews;
pub mod site;
pub mod tutor;

pub use data::{DataPlace, Persistence};
pub use outline::{Outline, outline, site_label};
pub use previews::{Choice, PreviewChoices};

/// The name of the setting with the part of the host name before the base domain, in types that have one.
pub const SUBDOMAIN: &str = domain::SUB_DOMAIN.name;

/// An application type, as the form, the server and the client see it.
#[derive(Debug)]
pub struct ApplicationType {
    /// The word in the API, at most 20 lower-case letters.
    pub word: &'static str,
    /// The name shown to people.
    pub label: &'static str,
    /// What it deploys and what it needs: whole sentences.
    pub description: &'static str,
    /// The settings of its instances, in the order of the form.
    pub schema: Schema,
    /// What the machine of each app server must have, unless the instance's settings say otherwise.
    pub machine: MachineNeeds,
    /// The field that decides the host names; an error about a host name that is taken points to it.
    pub address_field: &'static str,
    /// The field that lists and lanes show as the version; none: there is no such field.
    pub headline: Option<&'static str>,
    /// The name of the git reference whose commit is what is deployed; none: there is no such reference.
    pub code_reference: Option<&'static str>,
    /// What the description of a pull request may choose; none: there are no instances for pull requests.
    pub previews: Option<&'static PreviewChoices>,
    /// Short values of its variables that are frequent in logs and no secrets, in lower case.
    pub common_values: &'static [&'static str],
    /// Labels of its sites, by site name. A site that is not listed is labelled with its name.
    pub site_labels: &'static [(&'static str, &'static str)],
    /// The sites of an instance with these settings, the main one first. Settings that are missing or not valid give
    /// fewer sites.
    pub sites: fn(&Map<String, Value>) -> Vec<SiteAddress>,
    /// The setting that asks for databases which outlive app servers; none: there is no such setting.
    pub persistence: Option<Persistence>,
    /// Where the databases of an app server with these settings are.
    pub data: fn(&Map<String, Value>) -> DataPlace,
    /// Warnings about settings, given as a form or the database holds them. Settings that are missing or not valid are
    /// ignored.
    pub warnings: fn(&Map<String, Value>) -> Vec<FieldWarning>,
}

/// What the machine of an app server must have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
pub struct MachineNeeds {
    /// Memory in MB; 0: any.
    pub memory_mb: u32,
    /// Disk in GB; 0: any.
    pub disk_gb: u32,
    /// Whether it must have a kernel of its own, as containers inside it need.
    pub has_own_kernel: bool,
}

/// One site of an instance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SiteAddress {
    /// The word in the API and the name of its check: `lms`.
    pub name: String,
    /// The name shown to people: `LMS`.
    pub label: String,
    /// The host name, without scheme and port.
    pub hostname: String,
}

/// Every type, in the order that a person is offered them.
pub static ALL: &[&ApplicationType] = &[&openedx::TYPE, &tutor::TYPE, &site::TYPE];

/// The type of an instance that is created without `instance_type`.
pub static DEFAULT: &ApplicationType = &openedx::TYPE;

/// The type with this word; none if this program does not have it.
pub fn of(word: &str) -> Option<&'static ApplicationType> {
    ALL.iter().find(|one| one.word == word).copied()
}

/// The schema of the type that has most of these fields, for records that do not name their type.
pub fn schema_with<'a>(names: impl Iterator<Item = &'a str> + Clone) -> &'static Schema {
    let count = |kind: &&&ApplicationType| names.clone().filter(|name| kind.schema.field(name).is_some()).count();
    ALL.iter().rev().max_by_key(count).map_or(&DEFAULT.schema, |kind| &kind.schema)
}

/// The type with this word; if there is none, a type without settings and sites.
pub fn named(word: &str) -> &'static ApplicationType {
    of(word).unwrap_or(&UNKNOWN)
}

/// The schema of the type with this word; an unknown type has no fields.
pub fn schema_of(word: &str) -> &'static Schema {
    &named(word).schema
}

/// Stands for a type that this program does not have, so that its instances can be shown.
static UNKNOWN: ApplicationType = ApplicationType {
    word: "unknown",
    label: "Unknown type",
    description: "This program does not have the application type of this instance.",
    schema: Schema { fields: &[] },
    machine: MachineNeeds { memory_mb: 0, disk_gb: 0, has_own_kernel: false },
    address_field: "name",
    headline: None,
    code_reference: None,
    previews: None,
    common_values: &[],
    site_labels: &[],
    sites: |_| Vec::new(),
    persistence: None,
    data: |_| DataPlace::Playbooks,
    warnings: |_| Vec::new(),
};

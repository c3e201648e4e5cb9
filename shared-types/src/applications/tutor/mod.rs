//! The settings of an Open edX instance that Tutor deploys, and their rules, used by browser and server alike.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::{ApplicationType, DataPlace, MachineNeeds, Persistence, SiteAddress, domain};
use crate::resource::ResourceKind;
use crate::settings::{Field, FieldKind, Schema};

pub mod keys;
pub mod lists;
pub mod releases;
mod rules;
pub mod text;
mod warnings;

pub use rules::errors;
pub use warnings::warnings;

/// The settings as they are stored: every default is written when the instance is made, so that a later change of a default
/// changes no instance. Lists are words between spaces.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TutorSettings {
    /// The part of the domain before the base domain; unique together with it.
    #[schema(max_length = 50, example = "astro")]
    pub sub_domain: String,
    /// The rest of the domain.
    #[schema(max_length = 190, example = "campus.example")]
    pub base_domain: String,
    /// `http` or `https`: what the public URLs begin with.
    #[schema(example = "https")]
    pub protocol: String,
    /// The contact address of the platform.
    #[schema(max_length = 254, example = "contact@example.com")]
    pub email: String,
    /// The release of Open edX, by name.
    #[schema(example = "verawood")]
    pub release: String,
    /// The code of the default language.
    #[schema(max_length = 20, example = "en")]
    pub language: String,
    /// Tutor's plugins to enable, in their order.
    #[schema(max_length = 500, example = "mfe indigo notes")]
    pub plugins: String,
    /// Packages that pip installs beside Tutor's, each of one exact version; they may replace a version of the release.
    #[schema(max_length = 2000, example = "tutor-notes==22.0.0")]
    pub requirements: String,
    /// Images to build on the machine; blank: all are pulled.
    #[schema(max_length = 500, example = "openedx")]
    pub images_to_build: String,
    /// The Docker image of LMS and Studio; blank for Tutor's.
    #[schema(max_length = 255, example = "registry.example/openedx:1")]
    pub openedx_image: String,
    /// The Docker image of the micro-frontends; blank for Tutor's.
    #[schema(max_length = 255, example = "registry.example/mfe:1")]
    pub mfe_image: String,
    /// The repository of edx-platform that the image `openedx` is built from; blank for Tutor's.
    #[schema(max_length = 500, example = "https://github.com/openedx/openedx-platform.git")]
    pub edx_platform_repository_url: String,
    /// Its branch, tag or commit; blank for the tag of the release.
    #[schema(max_length = 250, example = "release/verawood.1")]
    pub edx_platform_commit: String,
    /// Whether MySQL, MongoDB and Redis are outside the machine, at servers that ocim knows or that were entered at the instance.
    pub persistent_databases: bool,
    /// YAML with Tutor's keys for MySQL, MongoDB and Redis elsewhere; blank: they run on the app server's machine and end with it.
    #[schema(max_length = 10_000, example = "MYSQL_HOST: mysql.example\n")]
    pub databases: String,
    /// YAML; further keys of Tutor's configuration.
    #[schema(max_length = 100_000, example = "SMTP_HOST: mail.example\n")]
    pub extra_config: String,
    /// The repository with the playbooks: a URL or an absolute path.
    #[schema(max_length = 500)]
    pub playbooks_repository_url: String,
    /// Its branch, tag or commit.
    #[schema(max_length = 250, example = "main")]
    pub playbooks_version: String,
}

/// Open edX by Tutor.
pub static TYPE: ApplicationType = ApplicationType {
    word: "tutor",
    label: "Open edX (Tutor)",
    description: "Open edX, a current release, deployed by Tutor with Docker: LMS, Studio, micro-frontends and search on one \
                  machine. The machine needs a kernel of its own, 8 GB of memory and 40 GB of disk.",
    schema: Schema { fields: FIELDS },
    machine: MachineNeeds { memory_mb: 8192, disk_gb: 40, has_own_kernel: true },
    address_field: "sub_domain",
    headline: Some("release"),
    code_reference: Some("edx-platform"),
    previews: None,
    common_values: &[],
    site_labels: &[
        ("lms", "LMS"),
        ("studio", "Studio"),
        ("apps", "Micro-frontends"),
        ("mfe-config", "Configuration of the micro-frontends"),
        ("meilisearch", "Search"),
        ("preview", "Preview of courses"),
    ],
    sites,
    persistence: Some(PERSISTENCE),
    data,
    warnings,
};

const PERSISTENCE: Persistence =
    Persistence { field: "persistent_databases", ephemeral: false, kind: ResourceKind::Mysql };

/// Databases are outside, too, if Tutor's keys for them were entered.
fn data(settings: &Map<String, Value>) -> DataPlace {
    let is_entered = settings.get("databases").and_then(Value::as_str).is_some_and(|text| !text.trim().is_empty());
    if is_entered { DataPlace::Outside } else { PERSISTENCE.place(settings).unwrap_or(DataPlace::Machine) }
}

/// Every setting, in the order of the form.
const FIELDS: &[Field] = &[
    domain::SUB_DOMAIN,
    domain::BASE_DOMAIN,
    domain::PROTOCOL,
    domain::EMAIL,
    Field::new("release", "Open edX release", "Decides the version of Tutor", FieldKind::Choice(releases::NAMES), 20)
        .basic(),
    Field::new("language", "Language", "The code of the default language; blank for en", FieldKind::Line, 20),
    Field::new("plugins", "Plugins", "Names, separated by spaces; blank for mfe indigo", FieldKind::Line, 500),
    Field::new(
        "requirements",
        "Packages",
        "From PyPI, with exact versions, separated by spaces: tutor-notes==22.0.0",
        FieldKind::Line,
        2000,
    ),
    Field::new(
        "openedx_image",
        "Image of LMS and Studio",
        "A Docker image, best with its digest; blank for Tutor's",
        FieldKind::Line,
        255,
    ),
    Field::new("mfe_image", "Image of the micro-frontends", "As above; blank for Tutor's", FieldKind::Line, 255),
    Field::new(
        "images_to_build",
        "Images to build",
        "Names, separated by spaces, such as openedx; blank to pull all. About 20 minutes each",
        FieldKind::Line,
        500,
    ),
    Field::new(
        "edx_platform_repository_url",
        "edx-platform repository",
        "An https URL, for an image that is built; blank for Tutor's",
        FieldKind::Repository,
        500,
    ),
    Field::new(
        "edx_platform_commit",
        "edx-platform commit",
        "Branch, tag or commit; blank for the tag of the release",
        FieldKind::GitRef,
        250,
    ),
    Field::new(
        "persistent_databases",
        "Persistent databases",
        "MySQL, MongoDB and Redis outside the machine, made by ocim or entered at the instance",
        FieldKind::Flag,
        0,
    ),
    Field::new(
        "databases",
        "Databases",
        "YAML: Tutor's keys of MySQL, MongoDB and Redis elsewhere. Blank: on the machine, and deleted with it",
        FieldKind::Yaml,
        10_000,
    ),
    Field::new(
        "extra_config",
        "Extra configuration",
        "YAML: further keys of Tutor's configuration",
        FieldKind::Yaml,
        100_000,
    ),
    Field::new(
        "playbooks_repository_url",
        "Playbook repository",
        "URL or absolute path; blank for the playbooks of this program",
        FieldKind::Repository,
        500,
    ),
    Field::new("playbooks_version", "Playbook version", "Hash, branch or tag", FieldKind::GitRef, 250),
];

/// The LMS first; empty while the domain is not known.
fn sites(settings: &Map<String, Value>) -> Vec<SiteAddress> {
    let part = |name: &str| settings.get(name).and_then(Value::as_str).map(str::trim).filter(|text| !text.is_empty());
    let (Some(sub_domain), Some(base_domain)) = (part("sub_domain"), part("base_domain")) else { return Vec::new() };
    let plugins = part("plugins").unwrap_or(DEFAULT_PLUGINS);
    sites_of(&format!("{sub_domain}.{base_domain}"), part("release").unwrap_or(releases::NEWEST), plugins)
}

/// The plugins of an instance that names none.
pub const DEFAULT_PLUGINS: &str = "mfe indigo";

/// The sites of an instance at this domain.
pub fn sites_of(domain: &str, release: &str, plugins: &str) -> Vec<SiteAddress> {
    let mut names = vec![("lms", "")];
    names.push(("studio", "studio."));
    if lists::words(plugins).contains(&"mfe") {
        names.push(("apps", "apps."));
    }
    names.push(("meilisearch", "meilisearch."));
    if releases::named(release).is_some_and(|release| release.has_preview) {
        names.push(("preview", "preview."));
    }
    let label = |name: &str| {
        let found = TYPE.site_labels.iter().find(|(known, _)| *known == name);
        found.map_or(name, |(_, label)| *label).to_owned()
    };
    let site = |(name, below): (&str, &str)| SiteAddress {
        name: name.to_owned(),
        label: label(name),
        hostname: format!("{below}{domain}"),
    };
    names.into_iter().map(site).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]

    use serde_json::json;

    use super::*;

    fn hosts(settings: Value) -> Vec<(String, String)> {
        sites(settings.as_object().unwrap()).into_iter().map(|site| (site.name, site.hostname)).collect()
    }

    #[test]
    fn the_sites_are_the_host_names_that_tutor_s_caddy_serves() {
        let pair = |(name, host): (&str, &str)| (name.to_owned(), host.to_owned());
        let current = [
            ("lms", "demo.example.org"),
            ("studio", "studio.demo.example.org"),
            ("apps", "apps.demo.example.org"),
            ("meilisearch", "meilisearch.demo.example.org"),
        ]
        .map(pair);
        let mut settings = json!({"sub_domain": "demo", "base_domain": "example.org", "release": "verawood"});
        assert_eq!(hosts(settings.clone()), current);
        settings["release"] = "teak".into();
        let preview = pair(("preview", "preview.demo.example.org"));
        assert_eq!(hosts(settings.clone()), [current.to_vec(), vec![preview]].concat());
        settings["plugins"] = "indigo".into();
        assert!(!hosts(settings).iter().any(|(name, _)| name == "apps"));
        assert_eq!(hosts(json!({"sub_domain": "demo"})), []);
    }

    #[test]
    fn every_stored_setting_is_described() {
        let is_flag = |field: &Field| field.kind == FieldKind::Flag;
        let blank = |field| if is_flag(field) { Value::Bool(false) } else { Value::String(String::new()) };
        let names = TYPE.schema.fields.iter().map(|field| (field.name.to_owned(), blank(field)));
        let blank: Map<String, Value> = names.collect();
        let settings: TutorSettings = serde_json::from_value(blank.clone().into()).unwrap();
        let Value::Object(stored) = serde_json::to_value(settings).unwrap() else { return };
        assert_eq!(stored.len(), blank.len());
        assert!(blank.keys().all(|name| stored.contains_key(name)));
    }
}

//! The settings of an Open edX instance and their rules, used by browser and server alike.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::{ApplicationType, Choice, DataPlace, MachineNeeds, Persistence, PreviewChoices, SiteAddress, domain};
use crate::resource::ResourceKind;
use crate::settings::{Field, FieldKind, REQUIREMENTS_MAX, Schema, check_hostname};

mod warnings;

pub use warnings::{unrouted, warnings};

/// The settings of an Open edX instance as they are stored: every default is written when the instance is created, so
/// that a later change of a default changes no instance.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct OpenEdxSettings {
    /// The part of the domain before the base domain; unique together with it.
    #[schema(max_length = 50, example = "astro")]
    pub sub_domain: String,
    /// The rest of the domain.
    #[schema(max_length = 190, example = "campus.example")]
    pub base_domain: String,
    /// The contact address, also the sender of the mails the server sends.
    #[schema(max_length = 254, example = "contact@example.com")]
    pub email: String,
    /// The protocol of the public URLs.
    pub protocol: Protocol,
    /// The repository with the Ansible playbooks: a URL or an absolute path.
    #[schema(max_length = 500, example = "https://github.com/openedx-unsupported/configuration.git")]
    pub configuration_source_repo_url: String,
    /// The branch, tag or commit of the playbooks.
    #[schema(max_length = 250, example = "open-release/quince.3")]
    pub configuration_version: String,
    /// The path, in the repository with the playbooks, of the one that is run.
    #[schema(max_length = 250, example = "playbooks/openedx_native.yml")]
    pub configuration_playbook: String,
    /// What the playbook's virtualenv is made of. One line that is a relative path ending in `.txt`, like
    /// `requirements.txt`: that file of the repository with the playbooks. Anything else: the requirements themselves, as
    /// lines of a requirements file.
    #[schema(max_length = 20_000, example = "ansible==8.7.0\nboto3\n")]
    pub configuration_requirements: String,
    /// YAML; its variables override all others.
    #[schema(max_length = 100_000, example = "EDXAPP_FEATURES:\n  ENABLE_NOTES: true\n")]
    pub configuration_extra_settings: String,
    /// The repository of edx-platform: a URL or an absolute path.
    #[schema(max_length = 500, example = "https://github.com/openedx/openedx-platform.git")]
    pub edx_platform_repository_url: String,
    /// The branch, tag or commit of edx-platform.
    #[schema(max_length = 250, example = "open-release/quince.3")]
    pub edx_platform_commit: String,
    /// The release: the version of every component that has none of its own.
    #[schema(max_length = 250, example = "open-release/quince.3")]
    pub openedx_release: String,
    /// Whether the databases live on the app server's machine and go with it.
    pub use_ephemeral_databases: bool,
    /// The GitHub organization whose team members get SSH access; blank for none.
    #[schema(max_length = 39, example = "open-craft")]
    pub github_admin_organization_name: String,
}

/// The protocol of the public URLs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Protocol {
    /// Plain HTTP, without TLS.
    Http,
    /// HTTPS; a proxy in front of the gateway ends TLS.
    Https,
}

impl Protocol {
    /// The word in URLs and in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }
}

/// Open edX by the playbooks of edx/configuration.
pub static TYPE: ApplicationType = ApplicationType {
    word: "openedx",
    label: "Open edX (configuration repository)",
    description: "Open edX, deployed by a repository with the entry points of edx/configuration: LMS and Studio on one machine. \
                  It makes the releases up to Quince.",
    schema: Schema { fields: FIELDS },
    machine: MachineNeeds { memory_mb: 0, disk_gb: 0, has_own_kernel: false },
    address_field: "sub_domain",
    headline: Some("openedx_release"),
    code_reference: Some("edx-platform"),
    previews: Some(&PREVIEW_CHOICES),
    common_values: &["edxapp"],
    site_labels: &[("lms", "LMS"), ("studio", "Studio")],
    sites,
    persistence: Some(PERSISTENCE),
    data: |settings| PERSISTENCE.place(settings).unwrap_or(DataPlace::Machine),
    warnings,
};

const PERSISTENCE: Persistence =
    Persistence { field: "use_ephemeral_databases", ephemeral: true, kind: ResourceKind::Mysql };

/// What the description of a pull request against edx-platform may choose.
pub static PREVIEW_CHOICES: PreviewChoices = PreviewChoices {
    playbooks_repository: Choice { variable: "edx_ansible_source_repo", setting: "configuration_source_repo_url" },
    playbooks_version: Choice { variable: "configuration_version", setting: "configuration_version" },
    example: "EDXAPP_FEATURES:\n  ENABLE_GRADE_DOWNLOADS: true\nconfiguration_version: open-release/quince.3\n",
};

/// Every setting, in the order of the form.
const FIELDS: &[Field] = &[
    domain::SUB_DOMAIN,
    domain::BASE_DOMAIN,
    domain::PROTOCOL,
    domain::EMAIL,
    Field::new("openedx_release", "Open edX release", "Default version of all components", FieldKind::GitRef, 250)
        .basic(),
    Field::new(
        "edx_platform_repository_url",
        "edx-platform repository",
        "URL or absolute path of a git repository",
        FieldKind::Repository,
        500,
    ),
    Field::new(
        "edx_platform_commit",
        "edx-platform commit",
        "Branch, tag or commit; blank for the release",
        FieldKind::GitRef,
        250,
    ),
    Field::new(
        "configuration_source_repo_url",
        "Configuration repository",
        "Where the Ansible playbooks are: URL or absolute path",
        FieldKind::Repository,
        500,
    ),
    Field::new(
        "configuration_version",
        "Configuration version",
        "Hash, branch or tag of the configuration repository",
        FieldKind::GitRef,
        250,
    ),
    Field::new(
        "configuration_playbook",
        "Playbook",
        "Its path in the configuration repository; blank for the default",
        FieldKind::Path,
        250,
    ),
    Field::new(
        "configuration_requirements",
        "Python requirements",
        "One line that is a relative path ending in .txt names a file of the configuration repository; anything else is the \
         requirements themselves, like ansible==8.7.0, one a line",
        FieldKind::Requirements,
        REQUIREMENTS_MAX,
    ),
    Field::new(
        "configuration_extra_settings",
        "Extra settings",
        "Ansible variables in YAML, which override all other settings",
        FieldKind::Yaml,
        100_000,
    ),
    Field::new(
        "use_ephemeral_databases",
        "Ephemeral databases",
        "The databases are on the app server's machine and are deleted with it",
        FieldKind::Flag,
        0,
    ),
    Field::new(
        "github_admin_organization_name",
        "GitHub admin organization",
        "The members of its team get SSH access",
        FieldKind::Organization,
        39,
    ),
];

/// The LMS, then Studio; empty while a part of the domain is missing or not valid.
fn sites(settings: &Map<String, Value>) -> Vec<SiteAddress> {
    let part = |name: &str| {
        let text = settings.get(name)?.as_str()?.trim().to_lowercase();
        check_hostname(&text).is_ok().then_some(text)
    };
    let (Some(sub_domain), Some(base_domain)) = (part("sub_domain"), part("base_domain")) else { return Vec::new() };
    sites_of(&format!("{sub_domain}.{base_domain}"))
}

/// The sites of an instance at this domain.
pub fn sites_of(domain: &str) -> Vec<SiteAddress> {
    let site = |name: &str, label: &str, hostname: String| SiteAddress {
        name: name.to_owned(),
        label: label.to_owned(),
        hostname,
    };
    let studio = format!("studio.{domain}");
    vec![site("lms", "LMS", domain.to_owned()), site("studio", "Studio", studio)]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(name: &str, text: &str) -> bool {
        TYPE.schema.field(name).is_some_and(|field| field.check_text(text).is_ok())
    }

    #[test]
    fn hostnames() {
        assert!(check("sub_domain", "demo"));
        assert!(check("sub_domain", "pr12.sandbox"));
        for wrong in ["", " ", "Demo", "a..b", ".a", "-a", "a-", "a_b", "ä", "a b"] {
            assert!(!check("sub_domain", wrong), "{wrong}");
        }
        assert!(!check("sub_domain", &"a".repeat(51)));
    }

    #[test]
    fn sites_are_known_once_both_parts_of_the_domain_are_valid() {
        let sites = |sub_domain: &str| {
            let settings = serde_json::json!({ "sub_domain": sub_domain, "base_domain": "campus.example" });
            let sites = settings.as_object().map(|settings| (TYPE.sites)(settings)).unwrap_or_default();
            sites.into_iter().map(|site| site.hostname).collect::<Vec<_>>()
        };
        assert_eq!(sites(" Astro "), ["astro.campus.example", "studio.astro.campus.example"]);
        for wrong in ["", "First Academy", "a..b"] {
            assert_eq!(sites(wrong), Vec::<String>::new(), "{wrong}");
        }
    }

    #[test]
    fn git_references_never_look_like_options() {
        for right in ["master", "open-release/quince.3", "8f2c1d7", "v1.0"] {
            assert!(check("edx_platform_commit", right), "{right}");
        }
        for wrong in ["--upload-pack=x", "a b", "a..b", "x^", "HEAD~1", "a:b", "/x", "x/"] {
            assert!(!check("edx_platform_commit", wrong), "{wrong}");
        }
    }

    #[test]
    fn repositories() {
        for right in ["https://example.com/a.git", "git@example.com:a/b.git", "/srv/repo", "file:///srv/repo"] {
            assert!(check("configuration_source_repo_url", right), "{right}");
        }
        for wrong in ["ext::sh -c x", "-x", "relative/path", "https://", "ext::x", "https://a b"] {
            assert!(!check("configuration_source_repo_url", wrong), "{wrong}");
        }
    }

    #[test]
    fn every_stored_setting_is_described() {
        let settings = OpenEdxSettings {
            sub_domain: String::new(),
            base_domain: String::new(),
            email: String::new(),
            protocol: Protocol::Http,
            configuration_source_repo_url: String::new(),
            configuration_version: String::new(),
            configuration_playbook: String::new(),
            configuration_requirements: String::new(),
            configuration_extra_settings: String::new(),
            edx_platform_repository_url: String::new(),
            edx_platform_commit: String::new(),
            openedx_release: String::new(),
            use_ephemeral_databases: true,
            github_admin_organization_name: String::new(),
        };
        let stored = serde_json::to_value(settings).unwrap_or_default();
        let mut stored: Vec<_> = stored.as_object().into_iter().flatten().map(|(name, _)| name.as_str()).collect();
        let mut described: Vec<_> = TYPE.schema.fields.iter().map(|field| field.name).collect();
        stored.sort_unstable();
        described.sort_unstable();
        assert_eq!(stored, described);
    }
}

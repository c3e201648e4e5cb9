//! The settings of an Open edX instance, and what each may be. Browser and server ask the same functions.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use crate::yaml;

mod rules;
mod warnings;

pub use rules::check_number;
use rules::{check_email, check_git_ref, check_hostname, check_organization, check_repository, number_words};
pub use warnings::{unrouted, warnings};

/// The settings of an Open edX instance as they are stored: every default is written when the instance is made, so that a
/// later change of a default changes no instance.
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
    #[schema(max_length = 500, example = "https://github.com/edx/configuration.git")]
    pub configuration_source_repo_url: String,
    /// The branch, tag or commit of the playbooks.
    #[schema(max_length = 250, example = "open-release/teak.2")]
    pub configuration_version: String,
    /// YAML; its variables override all others.
    #[schema(max_length = 100_000, example = "EDXAPP_FEATURES:\n  ENABLE_NOTES: true\n")]
    pub configuration_extra_settings: String,
    /// The repository of edx-platform: a URL or an absolute path.
    #[schema(max_length = 500, example = "https://github.com/edx/edx-platform.git")]
    pub edx_platform_repository_url: String,
    /// The branch, tag or commit of edx-platform.
    #[schema(max_length = 250, example = "open-release/teak.2")]
    pub edx_platform_commit: String,
    /// The release: the version of every component that has none of its own.
    #[schema(max_length = 250, example = "open-release/teak.2")]
    pub openedx_release: String,
    /// Whether the databases live on the app server's machine and go with it.
    pub use_ephemeral_databases: bool,
    /// The GitHub organization whose team members get SSH access; blank: nobody.
    #[schema(max_length = 39, example = "open-craft")]
    pub github_admin_organization_name: String,
}

/// The protocol of the public URLs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Protocol {
    /// Plain.
    Http,
    /// With TLS.
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

/// What a setting may hold, and how a form asks for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FieldKind {
    /// A host name, without a dot at either end.
    Hostname,
    /// A mail address.
    Email,
    /// One of these words.
    Choice(&'static [&'static str]),
    /// A git repository: URL or absolute path.
    Repository,
    /// A git branch, tag or commit.
    GitRef,
    /// A YAML map; blank for none.
    Yaml,
    /// Yes or no.
    Flag,
    /// The name of a GitHub organization; blank for none.
    Organization,
    /// A whole number.
    Whole {
        /// The least it may be.
        least: i32,
        /// The most it may be.
        most: i32,
    },
}

/// One setting: its name in JSON, and what a person is told of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Field {
    /// The name in JSON.
    pub name: &'static str,
    /// The label of the form.
    pub label: &'static str,
    /// The help below the label.
    pub help: &'static str,
    /// What it may hold.
    pub kind: FieldKind,
    /// How many characters at most.
    pub max: usize,
    /// Whether a value must be given; the others have a default that is written when they are left blank.
    pub is_required: bool,
}

/// Every setting, in the order of the form.
pub const FIELDS: &[Field] = &[
    Field {
        name: "sub_domain",
        label: "Sub domain",
        help: "The first part of the instance's address",
        kind: FieldKind::Hostname,
        max: 50,
        is_required: true,
    },
    Field {
        name: "base_domain",
        label: "Base domain",
        help: "The rest of the address; blank for the default",
        kind: FieldKind::Hostname,
        max: 190,
        is_required: false,
    },
    Field {
        name: "protocol",
        label: "Protocol",
        help: "What the public URLs begin with",
        kind: FieldKind::Choice(&["http", "https"]),
        max: 5,
        is_required: false,
    },
    Field {
        name: "email",
        label: "Contact e-mail",
        help: "Also the From address of the mails it sends",
        kind: FieldKind::Email,
        max: 254,
        is_required: false,
    },
    Field {
        name: "openedx_release",
        label: "Open edX release",
        help: "The version of every component that has none of its own",
        kind: FieldKind::GitRef,
        max: 250,
        is_required: false,
    },
    Field {
        name: "edx_platform_repository_url",
        label: "edx-platform repository",
        help: "URL or absolute path of a git repository",
        kind: FieldKind::Repository,
        max: 500,
        is_required: false,
    },
    Field {
        name: "edx_platform_commit",
        label: "edx-platform commit",
        help: "Hash, branch or tag; blank for the release",
        kind: FieldKind::GitRef,
        max: 250,
        is_required: false,
    },
    Field {
        name: "configuration_source_repo_url",
        label: "Configuration repository",
        help: "Where the Ansible playbooks are: URL or absolute path",
        kind: FieldKind::Repository,
        max: 500,
        is_required: false,
    },
    Field {
        name: "configuration_version",
        label: "Configuration version",
        help: "Hash, branch or tag of the configuration repository",
        kind: FieldKind::GitRef,
        max: 250,
        is_required: false,
    },
    Field {
        name: "configuration_extra_settings",
        label: "Extra settings",
        help: "YAML; overrides all others",
        kind: FieldKind::Yaml,
        max: 100_000,
        is_required: false,
    },
    Field {
        name: "use_ephemeral_databases",
        label: "Ephemeral databases",
        help: "The databases live on the app server's machine and go with it",
        kind: FieldKind::Flag,
        max: 0,
        is_required: false,
    },
    Field {
        name: "github_admin_organization_name",
        label: "GitHub admin organization",
        help: "The members of its team get SSH access",
        kind: FieldKind::Organization,
        max: 39,
        is_required: false,
    },
];

impl Field {
    /// The setting with this name.
    pub fn named(name: &str) -> Option<&'static Self> {
        FIELDS.iter().find(|field| field.name == name)
    }

    /// What is wrong with a value for this setting; null and blank ask for the default.
    ///
    /// # Errors
    /// A sentence for the person who typed it.
    pub fn check(&self, value: &Value) -> Result<(), String> {
        match (self.kind, value) {
            (_, Value::Null) if self.is_required => Err("A value is needed.".into()),
            (_, Value::Null) | (FieldKind::Flag, Value::Bool(_)) => Ok(()),
            (FieldKind::Flag, _) => Err("Must be true, false or null.".into()),
            (FieldKind::Whole { .. }, Value::Number(number)) => self.check_text(&number.to_string()),
            (FieldKind::Whole { least, most }, _) => Err(number_words(least, most)),
            (_, Value::String(text)) => self.check_text(text),
            (_, Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_)) => {
                Err("Must be a string.".into())
            }
        }
    }

    /// The same for what a form holds.
    ///
    /// # Errors
    /// A sentence for the person who typed it.
    pub fn check_text(&self, text: &str) -> Result<(), String> {
        let length = text.chars().count();
        // Of a number that is too long the range says more.
        if length > self.max && !matches!(self.kind, FieldKind::Whole { .. }) {
            return Err(format!("At most {} characters; these are {length}.", self.max));
        }
        if text.trim().is_empty() {
            return if self.is_required { Err("A value is needed.".into()) } else { Ok(()) };
        }
        match self.kind {
            FieldKind::Hostname => check_hostname(text),
            FieldKind::Email => check_email(text),
            FieldKind::Choice(words) if words.contains(&text) => Ok(()),
            FieldKind::Choice(words) => Err(format!("Must be one of {}.", words.join(", "))),
            FieldKind::Repository => check_repository(text),
            FieldKind::GitRef => check_git_ref(text),
            FieldKind::Yaml => yaml::parse_map(text).map(drop).map_err(|error| error.to_string()),
            FieldKind::Flag => Err("Must be true, false or null.".into()),
            FieldKind::Organization => check_organization(text),
            FieldKind::Whole { least, most } => check_number(text, least, most).map(drop),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(name: &str, text: &str) -> bool {
        Field::named(name).is_some_and(|field| field.check_text(text).is_ok())
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
    fn git_references_never_look_like_options() {
        for right in ["master", "open-release/teak.2", "8f2c1d7", "v1.0"] {
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
            configuration_extra_settings: String::new(),
            edx_platform_repository_url: String::new(),
            edx_platform_commit: String::new(),
            openedx_release: String::new(),
            use_ephemeral_databases: true,
            github_admin_organization_name: String::new(),
        };
        let stored = serde_json::to_value(settings).unwrap_or_default();
        let mut stored: Vec<_> = stored.as_object().into_iter().flatten().map(|(name, _)| name.as_str()).collect();
        let mut described: Vec<_> = FIELDS.iter().map(|field| field.name).collect();
        stored.sort_unstable();
        described.sort_unstable();
        assert_eq!(stored, described);
    }
}

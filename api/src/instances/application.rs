//! The port between the generic instance and its application. A new application type is one folder that implements the
//! port, one file of shared-types with its settings, and one line in each of the two registries.

#![warn(missing_docs)]

use std::fmt::Debug;
use std::ops::RangeInclusive;
use std::time::Duration;

use serde_json::{Map, Value};
use shared_types::applications::{ApplicationType, MachineNeeds, SiteAddress};
pub use shared_types::hook::{Hook, Moment};
use shared_types::instance_type::InstanceTemplate;
use shared_types::{FieldError, FieldWarning, ResourceKind};

pub use crate::ansible::port::Requirements;
pub use crate::instances::access::team::Team;
use crate::instances::previews::Previews;
use crate::resources::connection::Connection;
use crate::routing::traffic::PATIENCE;

/// A playbook to run on an app server's machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Playbook {
    /// Its git repository: URL or absolute path.
    pub source_repo: String,
    /// The branch, tag or commit.
    pub version: String,
    /// Its path in the repository.
    pub playbook_path: String,
    /// The requirements of its virtualenv.
    pub requirements: Requirements,
}

/// A repository with playbooks that the settings name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlaybookRepository {
    /// The setting, as a JSON pointer (RFC 6901).
    pub pointer: String,
    /// URL or absolute path; may hold a password.
    pub repository: String,
}

/// A git reference in the variables, to be resolved to a commit when the build begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    /// What the repository contains, for users: `edx-platform`.
    pub name: String,
    /// The repository: URL or absolute path.
    pub repository: String,
    /// The branch, tag or commit.
    pub version: String,
    /// The variables that hold the version, and get the commit instead.
    pub variables: Vec<String>,
}

/// Variables of one origin.
#[derive(Debug, Clone, PartialEq)]
pub struct Layer {
    /// The origin, for users: [`GENERATED`], `extra settings`.
    pub origin: &'static str,
    /// Values by name, before they are merged with those of other layers.
    pub variables: Map<String, Value>,
}

/// The origin of variables that are generated from the settings.
pub const GENERATED: &str = "generated";

/// All that an app server is built from, decided at launch.
#[derive(Debug, Clone, PartialEq)]
pub struct Snapshot {
    /// In the order they run.
    pub playbooks: Vec<Playbook>,
    /// Git references in the variables, to be resolved.
    pub references: Vec<Reference>,
    /// The merged variables for Ansible.
    pub variables: Map<String, Value>,
    /// The layers that the variables were merged from; a later one overrides an earlier one.
    pub layers: Vec<Layer>,
    /// Prefix of the machine's name: at most 20 letters, digits and hyphens.
    pub machine_name_prefix: String,
}

/// What a snapshot is made from.
#[derive(Debug, Clone, Copy)]
pub struct SnapshotInput<'a> {
    /// The instance's name as users gave it: any characters, quotes and templates included.
    pub name: &'a str,
    /// The settings, upgraded to this program's version.
    pub settings: &'a Value,
    /// The instance's own secrets, by name, as specified by [`Application::secrets`].
    pub secrets: &'a Map<String, Value>,
    /// The settings of the instance's newest running app server, upgraded: it was the last to migrate data outside the
    /// machines. None: no app server is running, or [`Application::depends_on_previous`] is false.
    pub previous: Option<&'a Value>,
    /// How to connect to what [`Application::resources`] asked for; without the kinds that are not required and have no server.
    /// The databases need not exist yet.
    pub resources: &'a [Connection],
}

impl<'a> SnapshotInput<'a> {
    /// The connection of this kind; none: it was not asked for, or is not there.
    pub fn resource(&self, kind: ResourceKind) -> Option<&'a Connection> {
        self.resources.iter().find(|one| one.kind == kind)
    }
}

/// What an instance is to have outside its machines at servers of one kind: an account, and databases or buckets that it may use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResourceSpec {
    /// The kind of the server.
    pub kind: ResourceKind,
    /// The names that the application knows the databases or buckets by: 1 to 32 small letters, digits and `_`, the first a letter, and
    /// not `account`. A bucket named `public` is publicly readable.
    pub databases: Vec<String>,
    /// Whether a launch is refused without a server of this kind. If not, app servers then use their machine's.
    pub is_required: bool,
}

/// That a build changes the schema of data outside the machine, and from which release to which, in words for users.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SchemaChange {
    /// The release of the app server that last used the data. Contains no secret.
    pub from: String,
    /// The release that is built. Contains no secret.
    pub to: String,
}

/// A secret that is generated once for each instance and shared by all its app servers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SecretSpec {
    /// The name that the application knows it by.
    pub name: &'static str,
    /// How its value is generated.
    pub kind: SecretKind,
}

/// How a secret's value is generated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SecretKind {
    /// That many random letters and digits.
    Letters(usize),
    /// A random UUID (version 4).
    Uuid,
    /// A private RSA key of that many bits, as PEM.
    Rsa(usize),
}

/// A check of the application: an HTTP request to the app server's web server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckSpec {
    /// The check's name in the API, that of a site: `lms`.
    pub name: String,
    /// Sent as the Host header.
    pub hostname: String,
    /// The path, with its query.
    pub path: String,
    /// Statuses that pass the check.
    pub statuses: Vec<RangeInclusive<u16>>,
    /// What the body must contain; None: any body passes.
    pub text: Option<String>,
    /// Limit for the whole answer.
    pub timeout: Duration,
}

impl CheckSpec {
    /// A check that passes only with status 200 within [`PATIENCE`].
    pub fn ok(name: &str, hostname: &str, path: &str) -> Self {
        let statuses = vec![200..=200];
        Self {
            name: name.to_owned(),
            hostname: hostname.to_owned(),
            path: path.to_owned(),
            statuses,
            text: None,
            timeout: PATIENCE,
        }
    }

    /// Whether this status passes the check.
    pub fn accepts(&self, status: u16) -> bool {
        self.statuses.iter().any(|range| range.contains(&status))
    }
}

/// The addresses of an instance for visitors.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sites {
    /// The main one first, never empty. No two instances share a host name.
    pub sites: Vec<SiteAddress>,
    /// The protocol of visitors: `http` or `https`.
    pub protocol: &'static str,
}

impl Sites {
    /// The host name of the main site.
    pub fn domain(&self) -> &str {
        self.sites.first().map(|site| site.hostname.as_str()).unwrap_or_default()
    }

    /// Every host name, the main one first.
    pub fn hostnames(&self) -> Vec<String> {
        self.sites.iter().map(|site| site.hostname.clone()).collect()
    }
}

/// What an application type knows and the generic instance does not. No method uses the database or the network.
///
/// All settings passed in have been upgraded to this program's version by [`Application::upgrade`].
pub trait Application: Debug + Send + Sync {
    /// What server, browser and client know of the type.
    fn kind(&self) -> &'static ApplicationType;

    /// The version of the settings that [`Application::settings`] writes, from 1.
    fn version(&self) -> i32;

    /// Turns a user's input into settings to store: over `current` if given, else over the defaults. Blank and null ask
    /// for the default.
    ///
    /// # Errors
    /// One entry for each field that is unknown or not valid.
    fn settings(&self, current: Option<&Value>, input: &Map<String, Value>) -> Result<Value, Vec<FieldError>>;

    /// Settings of an earlier version as this version would have written them. Every earlier version stays readable.
    /// Secrets may be masked, and stay masked.
    ///
    /// # Errors
    /// [`ApplicationError`] if the document is not of that version.
    fn upgrade(&self, version: i32, stored: Value) -> Result<Value, ApplicationError>;

    /// The defaults of a new instance's blank fields, by name; fields without a default are left out.
    fn defaults(&self) -> Map<String, Value>;

    /// Settings that a new instance may begin with, in the order in which they are offered.
    fn templates(&self) -> Vec<InstanceTemplate> {
        Vec::new()
    }

    /// The secrets to generate for each instance.
    fn secrets(&self) -> &'static [SecretSpec] {
        &[]
    }

    /// The memory, disk and kernel that the machine must have.
    ///
    /// # Errors
    /// [`ApplicationError`] if the settings cannot be used.
    fn machine(&self, _settings: &Value) -> Result<MachineNeeds, ApplicationError> {
        Ok(self.kind().machine)
    }

    /// What instances with these settings have outside their machines; it outlives their app servers. Each kind once. Of several stores of
    /// objects that are not required, an instance gets one.
    ///
    /// # Errors
    /// [`ApplicationError`] if the settings cannot be used.
    fn resources(&self, _settings: &Value) -> Result<Vec<ResourceSpec>, ApplicationError> {
        Ok(Vec::new())
    }

    /// Whether a snapshot with these settings depends on those of the newest running app server, because builds change
    /// data outside the machines. Such builds are launched one after another.
    fn depends_on_previous(&self, _settings: &Value) -> bool {
        false
    }

    /// Whether a build with the settings `next` changes the schema of databases that an app server with the settings `last` used before
    /// it, as far as settings tell. None: it does not. Before such a build, the databases are backed up.
    ///
    /// # Errors
    /// [`ApplicationError`] if the settings cannot be used.
    fn migrates(&self, _last: &Value, _next: &Value) -> Result<Option<SchemaChange>, ApplicationError> {
        Ok(None)
    }

    /// The variables that keep an app server whose data is a copy of another instance's from mailing people and from taking payments. They
    /// override all others: `variables`, which are merged and not masked. Merging keeps what a map of `variables` has besides.
    ///
    /// # Errors
    /// [`ApplicationError`] if the settings cannot be used.
    fn neutralising(
        &self,
        settings: &Value,
        variables: &Map<String, Value>,
    ) -> Result<Map<String, Value>, ApplicationError>;

    /// Decides what an app server is built from.
    ///
    /// # Errors
    /// [`ApplicationError`] if the settings cannot be used.
    fn snapshot(&self, input: SnapshotInput<'_>) -> Result<Snapshot, ApplicationError>;

    /// The repositories that playbooks come from, by the settings that name them.
    ///
    /// # Errors
    /// [`ApplicationError`] if the settings cannot be used.
    fn playbook_repositories(&self, settings: &Value) -> Result<Vec<PlaybookRepository>, ApplicationError>;

    /// The playbooks that run when traffic moves; those of one moment run in this order. Decided at launch.
    ///
    /// # Errors
    /// [`ApplicationError`] if the settings cannot be used.
    fn hooks(&self, _settings: &Value) -> Result<Vec<Hook>, ApplicationError> {
        Ok(Vec::new())
    }

    /// How pull requests become instances of this type. None: it has no code that a pull request could change.
    fn previews(&self) -> Option<&'static Previews> {
        None
    }

    /// The team whose members may log in to the instance's machines, too. Secrets in the settings may be masked. None: users
    /// of this program alone may.
    fn team(&self, _settings: &Value) -> Option<Team> {
        None
    }

    /// Warnings about settings that are stored or, with their defaults, could be. They contain no secrets.
    fn warnings(&self, settings: &Value) -> Vec<FieldWarning>;

    /// The addresses for visitors. Secrets in the settings may be masked: no address depends on one.
    ///
    /// # Errors
    /// [`ApplicationError`] if the settings cannot be used.
    fn sites(&self, settings: &Value) -> Result<Sites, ApplicationError>;

    /// Checks that prove that an app server works; each is named after a site. Secrets in the settings may be masked.
    ///
    /// # Errors
    /// [`ApplicationError`] if the settings cannot be used.
    fn checks(&self, settings: &Value) -> Result<Vec<CheckSpec>, ApplicationError>;
}

/// Stored settings that the application cannot use, or an application type that this program does not have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ApplicationError(pub String);

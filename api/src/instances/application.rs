//! The port between the generic instance and what it runs. Another application type is one folder that implements it, one file
//! of shared-types with its settings, and one line in each of the two registries.

use std::fmt::Debug;
use std::ops::RangeInclusive;
use std::time::Duration;

use serde_json::{Map, Value};
use shared_types::applications::{ApplicationType, MachineNeeds, SiteAddress};
pub use shared_types::hook::{Hook, Moment};
use shared_types::instance_type::InstanceTemplate;
use shared_types::{FieldError, FieldWarning};

pub use crate::ansible::port::Requirements;
use crate::routing::traffic::PATIENCE;

/// A playbook to run on an app server's machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Playbook {
    /// The git repository it is in: URL or absolute path.
    pub source_repo: String,
    /// The branch, tag or commit.
    pub version: String,
    /// Its path in the repository.
    pub playbook_path: String,
    /// What its virtualenv is made of.
    pub requirements: Requirements,
}

/// A git reference that the variables name, to be pinned to a commit when the build begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    /// What it is for, for people: `edx-platform`.
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
    /// Where they come from, in words: [`GENERATED`], `extra settings`.
    pub origin: &'static str,
    /// The variables.
    pub variables: Map<String, Value>,
}

/// The origin of what nobody wrote: made from the settings.
pub const GENERATED: &str = "generated";

/// All that an app server is built from, decided once.
#[derive(Debug, Clone, PartialEq)]
pub struct Snapshot {
    /// In the order they run.
    pub playbooks: Vec<Playbook>,
    /// References in the variables.
    pub references: Vec<Reference>,
    /// The merged variables for Ansible.
    pub variables: Map<String, Value>,
    /// What they were merged from, the later one over the earlier.
    pub layers: Vec<Layer>,
    /// What the machine's name begins with: at most 20 letters, digits and hyphens.
    pub machine_name_prefix: String,
}

/// What a snapshot is made from.
#[derive(Debug, Clone, Copy)]
pub struct SnapshotInput<'a> {
    /// The instance's name.
    pub name: &'a str,
    /// The settings, as this version of the program writes them.
    pub settings: &'a Value,
    /// The instance's own secrets, by name; as [`Application::secrets`] asked for them.
    pub secrets: &'a Map<String, Value>,
}

/// A secret that is made once for each instance and is the same for all its app servers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SecretSpec {
    /// The name that the application knows it by.
    pub name: &'static str,
    /// What is made.
    pub kind: SecretKind,
}

/// What kind of secret is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SecretKind {
    /// So many random letters and digits.
    Letters(usize),
    /// A random UUID (version 4).
    Uuid,
    /// A private RSA key of so many bits, as PEM.
    Rsa(usize),
}

/// A question to the application, asked over HTTP at the app server's web server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckSpec {
    /// The word in the API, the name of a site: `lms`.
    pub name: String,
    /// The Host header.
    pub hostname: String,
    /// The path, with its query.
    pub path: String,
    /// Which statuses are right answers.
    pub statuses: Vec<RangeInclusive<u16>>,
    /// What the body must contain; none: anything.
    pub text: Option<String>,
    /// How long the answer may take.
    pub timeout: Duration,
}

impl CheckSpec {
    /// A check that only a 200 within [`PATIENCE`] passes.
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

    /// Whether this status is a right answer.
    pub fn accepts(&self, status: u16) -> bool {
        self.statuses.iter().any(|range| range.contains(&status))
    }
}

/// Where an instance is found by people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sites {
    /// The main one first, never none. No two instances share a host name.
    pub sites: Vec<SiteAddress>,
    /// `http` or `https`.
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

/// What an application type knows that the generic instance does not. Nothing here touches the database or the network.
///
/// Settings are given as this version of the program writes them: [`Application::upgrade`] comes first.
pub trait Application: Debug + Send + Sync {
    /// What server, browser and client know of the type alike.
    fn kind(&self) -> &'static ApplicationType;

    /// The version of the settings that [`Application::settings`] writes, from 1.
    fn version(&self) -> i32;

    /// Turns what a person sent into settings to store: over `current` when it exists, over the defaults when not. Blank
    /// and null ask for the default.
    ///
    /// # Errors
    /// One entry for each field that is unknown or not valid.
    fn settings(&self, current: Option<&Value>, input: &Map<String, Value>) -> Result<Value, Vec<FieldError>>;

    /// Settings of an earlier version as this version would have written them. Every version is read for ever. Secrets may be
    /// hidden, and stay so.
    ///
    /// # Errors
    /// Why the document is not one of that version.
    fn upgrade(&self, version: i32, stored: Value) -> Result<Value, ApplicationError>;

    /// What a blank field of a new instance becomes, by name; fields without a default are left out.
    fn defaults(&self) -> Map<String, Value>;

    /// Settings that a new instance may begin with, in the order that a person is offered them.
    fn templates(&self) -> Vec<InstanceTemplate> {
        Vec::new()
    }

    /// The secrets that each instance has of its own.
    fn secrets(&self) -> &'static [SecretSpec] {
        &[]
    }

    /// What the machine must have.
    ///
    /// # Errors
    /// Why the settings cannot be used.
    fn machine(&self, _settings: &Value) -> Result<MachineNeeds, ApplicationError> {
        Ok(self.kind().machine)
    }

    /// Decides what an app server is built from.
    ///
    /// # Errors
    /// Why the settings cannot be used.
    fn snapshot(&self, input: SnapshotInput<'_>) -> Result<Snapshot, ApplicationError>;

    /// The playbooks that run when traffic moves, those of one moment in this order. Decided at launch.
    ///
    /// # Errors
    /// Why the settings cannot be used.
    fn hooks(&self, _settings: &Value) -> Result<Vec<Hook>, ApplicationError> {
        Ok(Vec::new())
    }

    /// What may surprise the author of settings that are stored or, with their defaults, could be. Nothing secret is in it.
    fn warnings(&self, settings: &Value) -> Vec<FieldWarning>;

    /// Where people find it. The settings' secrets may be hidden: no address depends on one.
    ///
    /// # Errors
    /// Why the settings cannot be used.
    fn sites(&self, settings: &Value) -> Result<Sites, ApplicationError>;

    /// What proves that an app server works; each has the name of a site. The settings' secrets may be hidden, here too.
    ///
    /// # Errors
    /// Why the settings cannot be used.
    fn checks(&self, settings: &Value) -> Result<Vec<CheckSpec>, ApplicationError>;
}

/// Stored settings that the application cannot use, or an application type that this program does not have.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ApplicationError(pub String);

//! The port between the generic instance and what it runs. A second application type is one folder that implements it and
//! one line that names it.

use std::fmt::Debug;

use serde_json::{Map, Value};
use shared_types::{FieldError, FieldWarning};

/// A playbook to run on an app server's machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Playbook {
    /// The git repository it is in: URL or absolute path.
    pub source_repo: String,
    /// The branch, tag or commit.
    pub version: String,
    /// Its path in the repository.
    pub playbook_path: String,
    /// The path of the Python requirements in the repository.
    pub requirements_path: String,
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
    /// The variable that holds the version, and gets the commit instead.
    pub variable: String,
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

/// A question to the application, asked over HTTP at the app server's web server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckSpec {
    /// The word in the API: `lms`.
    pub name: String,
    /// The Host header.
    pub hostname: String,
    /// The path; a 200 is the right answer.
    pub path: String,
}

/// Where an instance is found by people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Addresses {
    /// Every host name it answers to, the main one first. No two instances share one.
    pub hostnames: Vec<String>,
    /// `http` or `https`.
    pub protocol: &'static str,
}

/// What an application type knows that the generic instance does not. Nothing here touches the database or the network.
pub trait Application: Debug + Send + Sync {
    /// The word in the API: `openedx`.
    fn instance_type(&self) -> &'static str;

    /// Turns what a person sent into settings to store: over `current` when it exists, over the defaults when not. Blank
    /// and null ask for the default.
    ///
    /// # Errors
    /// One entry for each field that is unknown or not valid.
    fn settings(&self, current: Option<&Value>, input: &Map<String, Value>) -> Result<Value, Vec<FieldError>>;

    /// Decides what an app server is built from.
    ///
    /// # Errors
    /// Why the stored settings cannot be used.
    fn snapshot(&self, instance_name: &str, settings: &Value) -> Result<Snapshot, ApplicationError>;

    /// What may surprise the author of settings that are stored or, with their defaults, could be. Nothing secret is in it.
    fn warnings(&self, settings: &Value) -> Vec<FieldWarning>;

    /// Where people find it. The settings' secrets may be hidden: no address depends on one.
    ///
    /// # Errors
    /// Why the stored settings cannot be used.
    fn addresses(&self, settings: &Value) -> Result<Addresses, ApplicationError>;

    /// What proves that an app server works. The settings' secrets may be hidden, here too.
    ///
    /// # Errors
    /// Why the stored settings cannot be used.
    fn checks(&self, settings: &Value) -> Result<Vec<CheckSpec>, ApplicationError>;
}

/// Stored settings that the application cannot use.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ApplicationError(pub String);

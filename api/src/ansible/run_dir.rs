//! A run's directory: the names of its files, written so that only this user can read them.
//!
//! ```text
//! checkout/           the repository at its commit
//! prepared.json       which virtualenv, collections and roles it wants, and whether Ansible has loaded it
//! variables.json      0600, JSON or, where a variable needs it, YAML; gone when the run has ended
//! key                 0600, the machine's private SSH key; gone when the run has ended
//! inventory, known_hosts, empty.cfg, callback_plugins/, loading_plugins/, home/, tmp/
//! events, errors      what the run printed (the spool)
//! process.json        the processes to end and the mark; gone when the run has ended
//! ```

use std::fs::{self, OpenOptions, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use secrecy::{ExposeSecret, SecretString};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use shared_types::yaml;

use super::port::{AnsibleError, RunSpec, Target};
use super::printing::failed_at;
use super::process::{self, Identity};
use super::wheels;
use crate::platform::cache::{self, Hold};
use crate::platform::files::private_dir;
use crate::platform::removal::remove_tree;
use crate::platform::sandbox;

const CALLBACK: &str = include_str!("../../../ansible/callback_plugins/ocim_jsonl.py");

/// The callback plugin that has Ansible load what it would load for a run.
const LOADING_CALLBACK: &str = include_str!("../../../ansible/loading_plugins/ocim_loading.py");

/// What `prepare` leaves for `run`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Prepared {
    /// The virtualenv with `ansible-playbook`.
    pub virtualenv: PathBuf,
    /// Directory of the collections and roles of `requirements.yml` files; none if there is no such file.
    #[serde(default)]
    pub installed: Option<PathBuf>,
    /// The tar with the wheels of `wheels.txt`; none if there is no such file, or the variables name a tar.
    #[serde(default)]
    pub wheels: Option<PathBuf>,
    /// None until Ansible has loaded the playbook.
    #[serde(default)]
    pub loaded: Option<Loaded>,
}

impl Prepared {
    /// Keeps what is used out of the cache's cleaning, as far as it is there.
    pub(super) fn hold(&self) -> Result<Vec<Hold>, AnsibleError> {
        let entries = [Some(&self.virtualenv), self.installed.as_ref(), self.wheels.as_ref()];
        let mut held = Vec::new();
        for entry in entries.into_iter().flatten() {
            match cache::hold(entry) {
                Ok(hold) => held.push(hold),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(failed_at(entry, &error)),
            }
        }
        Ok(held)
    }
}

/// A playbook that Ansible has loaded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Loaded {
    /// Hash of the inputs of the loading.
    pub fingerprint: String,
    /// Number of tasks that `--list-tasks` listed.
    pub tasks: u32,
}

/// What `run` leaves for `recover`.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Record {
    /// The outermost process of the run.
    pub process: Identity,
    /// The mark in the environment of all its processes.
    pub mark: String,
    /// Prefix of the callback's lines; none in the record of an earlier version.
    #[serde(default)]
    pub key: Option<String>,
}

/// The paths in a run's directory.
#[derive(Debug, Clone)]
pub(super) struct RunDir(PathBuf);

impl RunDir {
    /// The directory, which may not exist.
    pub(super) fn at(dir: &Path) -> Self {
        Self(dir.to_owned())
    }

    /// Creates the directory, or makes it private to this user.
    pub(super) fn create(dir: &Path) -> Result<Self, AnsibleError> {
        let made = private_dir(dir).and_then(|()| fs::set_permissions(dir, Permissions::from_mode(0o700)));
        made.map_err(|error| failed_at(dir, &error))?;
        // Absolute, because the playbook has another working directory than this program.
        dir.canonicalize().map(Self).map_err(|error| failed_at(dir, &error))
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }

    pub(super) fn join(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    pub(super) fn checkout(&self) -> PathBuf {
        self.join("checkout")
    }

    pub(super) fn variables(&self) -> PathBuf {
        self.join("variables.json")
    }

    pub(super) fn key(&self) -> PathBuf {
        self.join("key")
    }

    /// The key of an earlier run; empty if there is none any more.
    pub(super) fn private_key(&self) -> Result<SecretString, AnsibleError> {
        let path = self.key();
        match fs::read_to_string(&path) {
            Ok(key) => Ok(key.into()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(String::new().into()),
            Err(error) => Err(failed_at(&path, &error)),
        }
    }

    pub(super) fn inventory(&self) -> PathBuf {
        self.join("inventory")
    }

    pub(super) fn empty_configuration(&self) -> PathBuf {
        self.join("empty.cfg")
    }

    pub(super) fn known_hosts(&self) -> PathBuf {
        self.join("known_hosts")
    }

    /// Where ssh finds the machine's host key; where it keeps the first one that it gets, if none is known.
    pub(super) fn known_hosts_of(&self, target: &Target) -> PathBuf {
        if target.host_key.is_some() { self.known_hosts() } else { self.join("home/known_hosts") }
    }

    /// Creates the directories that Ansible writes to, and the configuration of a repository that has none.
    pub(super) fn make_home(&self) -> Result<(), AnsibleError> {
        for dir in [&self.join("home"), &self.join("tmp")] {
            private_dir(dir).map_err(|error| failed_at(dir, &error))?;
        }
        self.write("empty.cfg", b"")
    }

    /// Writes all files that Ansible reads, except the checkout.
    pub(super) fn write_inputs(&self, spec: &RunSpec) -> Result<(), AnsibleError> {
        self.make_home()?;
        let plugins = self.plugins();
        private_dir(&plugins).map_err(|error| failed_at(&plugins, &error))?;
        self.write("callback_plugins/ocim_jsonl.py", CALLBACK.as_bytes())?;
        sandbox::take_back(&plugins).map_err(|error| failed_at(&plugins, &error))?;
        self.write("inventory", inventory(&spec.target).as_bytes())?;
        self.write("known_hosts", known_hosts(&spec.target)?.as_bytes())?;
        self.write("key", spec.target.private_key.expose_secret().as_bytes())?;
        self.write("variables.json", yaml::for_ansible(&self.variables_of(spec)?).as_bytes())
    }

    /// The run's variables, and the path of its wheels.
    fn variables_of(&self, spec: &RunSpec) -> Result<Map<String, Value>, AnsibleError> {
        let mut variables = spec.variables.clone();
        if let Some(wheels) = self.prepared()?.and_then(|prepared| prepared.wheels) {
            variables.insert(wheels::VARIABLE.to_owned(), wheels.display().to_string().into());
        }
        Ok(variables)
    }

    /// Writes the callback plugin that loads.
    pub(super) fn write_loading_callback(&self) -> Result<(), AnsibleError> {
        let plugins = self.loading_plugins();
        private_dir(&plugins).map_err(|error| failed_at(&plugins, &error))?;
        self.write("loading_plugins/ocim_loading.py", LOADING_CALLBACK.as_bytes())?;
        sandbox::take_back(&plugins).map_err(|error| failed_at(&plugins, &error))
    }

    /// The directory of the callback plugin that loads.
    pub(super) fn loading_plugins(&self) -> PathBuf {
        self.join("loading_plugins")
    }

    /// The directory of the callback plugin of a run.
    pub(super) fn plugins(&self) -> PathBuf {
        self.join("callback_plugins")
    }

    /// Removes the variables and the private key; they are gone when it returns Ok.
    pub(super) fn remove_variables(&self) -> Result<(), AnsibleError> {
        self.remove("key")?;
        self.remove("variables.json")
    }

    pub(super) fn write_prepared(&self, prepared: &Prepared) -> Result<(), AnsibleError> {
        self.write_json("prepared.json", prepared)
    }

    pub(super) fn prepared(&self) -> Result<Option<Prepared>, AnsibleError> {
        self.read_json("prepared.json")
    }

    pub(super) fn write_record(&self, record: &Record) -> Result<(), AnsibleError> {
        self.write_json("process.json", record)
    }

    pub(super) fn record(&self) -> Result<Option<Record>, AnsibleError> {
        self.read_json("process.json")
    }

    /// Removes the record and the sockets of the run with this mark.
    pub(super) fn remove_record(&self, mark: &str) -> Result<(), AnsibleError> {
        drop(remove_tree(&process::control_dir(mark)));
        self.remove("process.json")
    }

    /// A path given by a user, which must be inside the checkout.
    pub(super) fn in_checkout(&self, what: &str, path: &str) -> Result<PathBuf, AnsibleError> {
        let checkout = self.checkout();
        let root = checkout.canonicalize().map_err(|error| failed_at(&checkout, &error))?;
        match root.join(path).canonicalize() {
            Ok(found) if found.starts_with(&root) && found.is_file() => Ok(found),
            Ok(_) => Err(AnsibleError::Permanent(format!("the {what} «{path}» is no file of the repository"))),
            Err(_) => Err(AnsibleError::Permanent(format!("the repository has no {what} «{path}» at this version"))),
        }
    }

    fn write_json(&self, name: &str, value: &impl Serialize) -> Result<(), AnsibleError> {
        let bytes = serde_json::to_vec(value).map_err(|error| AnsibleError::Permanent(error.to_string()))?;
        self.write(name, &bytes)
    }

    /// Writes a file atomically: a reader sees the old file or the new one.
    fn write(&self, name: &str, bytes: &[u8]) -> Result<(), AnsibleError> {
        let (path, temporary) = (self.join(name), self.join(&format!("{name}.new")));
        let write = || -> io::Result<()> {
            remove_if_there(&temporary)?;
            let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&temporary)?;
            file.write_all(bytes)?;
            fs::rename(&temporary, &path)
        };
        write().map_err(|error| failed_at(&path, &error))
    }

    fn read_json<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, AnsibleError> {
        let path = self.join(name);
        match fs::read(&path) {
            Ok(bytes) => serde_json::from_slice(&bytes).map(Some).map_err(|error| failed_at(&path, &error.into())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(failed_at(&path, &error)),
        }
    }

    fn remove(&self, name: &str) -> Result<(), AnsibleError> {
        let path = self.join(name);
        remove_if_there(&path).map_err(|error| failed_at(&path, &error))
    }
}

fn remove_if_there(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        Ok(()) | Err(_) => Ok(()),
    }
}

fn inventory(target: &Target) -> String {
    let python = target.python.as_ref().map_or_else(String::new, |path| format!(" ansible_python_interpreter={path}"));
    format!("[app]\n{} ansible_port={}{python}\n", target.ssh.ip(), target.ssh.port())
}

fn known_hosts(target: &Target) -> Result<String, AnsibleError> {
    let Some(key) = &target.host_key else { return Ok(String::new()) };
    let fields: Vec<_> = key.split_whitespace().take(2).collect();
    if fields.len() != 2 || key.trim().contains('\n') {
        let message = "the machine's host key must be one line such as «ssh-ed25519 AAAA…»";
        return Err(AnsibleError::Permanent(message.to_owned()));
    }
    let (address, port) = (target.ssh.ip(), target.ssh.port());
    let name = if port == 22 { address.to_string() } else { format!("[{address}]:{port}") };
    Ok(format!("{name} {}\n", fields.join(" ")))
}

//! Installs the collections and roles of a repository's `requirements.yml` files, once for each content of these files.
//!
//! The files are searched where `ansible-galaxy`'s users keep them: `requirements.yml`, `collections/requirements.yml`
//! and `roles/requirements.yml`, at the top of the repository and beside the playbook. The installed ones come first in
//! Ansible's search paths, before those of the repository's own configuration.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value;
use sha2::{Digest as _, Sha256};
use tokio::process::Command;
use tokio_util::sync::CancellationToken;

use super::inside::{self, Inside, is_made, set_made, unset_made};
use super::port::AnsibleError;
use super::printing::{self, Printer, failed_at};
use super::run_dir::RunDir;
use super::{faults, sentence};
use crate::platform::files::{self, private_dir, read_plain};
use crate::platform::sandbox::{self, Network, Wall};

/// Timeout of the installation of one file.
const LIMIT: Duration = Duration::from_secs(20 * 60);

/// Limit for a file in bytes; a longer one is not a requirements file.
const LONGEST: u64 = 1 << 20;

/// Paths of the files, relative to the top of the repository and to the playbook's directory.
const FILES: &[&str] = &[
    "requirements.yml",
    "requirements.yaml",
    "collections/requirements.yml",
    "collections/requirements.yaml",
    "roles/requirements.yml",
    "roles/requirements.yaml",
];

/// Ansible's default search paths.
const COLLECTIONS_PATH: &str = "~/.ansible/collections:/usr/share/ansible/collections";
const ROLES_PATH: &str = "~/.ansible/roles:/usr/share/ansible/roles:/etc/ansible/roles";

/// What a file lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Collection,
    Role,
}

impl Kind {
    const ALL: &[Self] = &[Self::Collection, Self::Role];

    const fn verb(self) -> &'static str {
        match self {
            Self::Collection => "collection",
            Self::Role => "role",
        }
    }

    const fn directory(self) -> &'static str {
        match self {
            Self::Collection => "collections",
            Self::Role => "roles",
        }
    }
}

/// A requirements file of the checkout.
#[derive(Debug, PartialEq, Eq)]
struct File {
    /// Path in the repository.
    path: PathBuf,
    /// Relative sources are relative to this directory.
    base: PathBuf,
    text: String,
    kinds: Vec<Kind>,
    /// Whether it refers to files of the repository itself.
    is_local: bool,
}

/// What to install for a run.
pub(super) struct Wanted<'a> {
    pub inside: &'a Inside<'a>,
    pub virtualenv: &'a Path,
    pub cache_dir: &'a Path,
    /// The playbook's path in the repository.
    pub playbook_path: &'a str,
    pub commit: &'a str,
    /// The repository's own configuration, or an empty one.
    pub configuration: &'a Path,
}

/// Installs the requirements unless they are installed; none if there are no requirements.
pub(super) async fn ensure(
    wanted: &Wanted<'_>,
    dir: &RunDir,
    cancel: &CancellationToken,
    printer: &mut Printer<'_>,
) -> Result<Option<PathBuf>, AnsibleError> {
    let files = files(&dir.checkout(), wanted.playbook_path)?;
    if files.is_empty() {
        return Ok(None);
    }
    let parent = wanted.cache_dir.join("galaxy");
    make_dir(&parent)?;
    let installed = parent.join(key(wanted, &files));
    let _lock = files::lock(&installed.with_extension("lock"), cancel).await?;
    if is_made(&installed) && installed.is_dir() {
        return Ok(Some(installed));
    }
    unset_made(&installed)?;
    remove_dir(&installed)?;
    for kind in Kind::ALL {
        make_dir(&installed.join(kind.directory()))?;
    }
    for file in &files {
        for kind in &file.kinds {
            if let Err(error) = install(wanted, file, *kind, &installed, dir, cancel, printer).await {
                // Only to free space: without the marker it is never used.
                drop(remove_dir(&installed));
                return Err(error);
            }
        }
    }
    sandbox::take_back(&installed).map_err(|error| failed_at(&installed, &error))?;
    set_made(&installed, None)?;
    Ok(Some(installed))
}

/// Adds the installed collections and roles to the environment of `ansible-playbook`.
pub(super) fn environment(command: &mut Command, dir: &RunDir, configuration: &Path) -> Result<(), AnsibleError> {
    let Some(installed) = dir.prepared()?.and_then(|prepared| prepared.installed) else { return Ok(()) };
    let text = read_plain(configuration, LONGEST).unwrap_or_default();
    let base = configuration.parent().unwrap_or(configuration);
    for (kind, variable, keys, usual) in [
        (Kind::Collection, "ANSIBLE_COLLECTIONS_PATH", ["collections_path", "collections_paths"], COLLECTIONS_PATH),
        (Kind::Role, "ANSIBLE_ROLES_PATH", ["roles_path", "roles_path"], ROLES_PATH),
    ] {
        let configured = keys.iter().find_map(|key| configured_path(&text, key, base));
        let ours = installed.join(kind.directory());
        command.env(variable, format!("{}:{}", ours.display(), configured.unwrap_or_else(|| usual.to_owned())));
    }
    Ok(())
}

/// A search path of `[defaults]`. Relative directories in it are relative to the configuration's directory, but an
/// environment variable has none: so they are made absolute.
fn configured_path(configuration: &str, key: &str, base: &Path) -> Option<String> {
    let mut is_within = false;
    let mut found = None;
    for line in configuration.lines().map(str::trim) {
        if let Some(section) = line.strip_prefix('[') {
            is_within = section.trim_end_matches(']').trim() == "defaults";
        }
        let Some((name, value)) = line.split_once(['=', ':']).filter(|_| is_within) else { continue };
        if name.trim().eq_ignore_ascii_case(key) {
            found = Some(value.split(" ;").next().unwrap_or(value).trim());
        }
    }
    let absolute = |path: &str| {
        let is_free = !path.starts_with(['/', '~', '$', '{']);
        if is_free { base.join(path).display().to_string() } else { path.to_owned() }
    };
    Some(found?.split(':').map(str::trim).filter(|path| !path.is_empty()).map(absolute).collect::<Vec<_>>().join(":"))
}

async fn install(
    wanted: &Wanted<'_>,
    file: &File,
    kind: Kind,
    installed: &Path,
    dir: &RunDir,
    cancel: &CancellationToken,
    printer: &mut Printer<'_>,
) -> Result<(), AnsibleError> {
    let bin = wanted.virtualenv.join("bin");
    let checkout = dir.checkout();
    let wall = inside::run_dir(Wall::new(checkout.join(&file.base)), dir).write(installed).reach(Network::Public);
    let wall = wall.show_all(inside::virtualenv(wanted.virtualenv)).copy(dir.empty_configuration()).with_scratch();
    let mut cell = wanted.inside.cell(bin.join("python"), &wall).await?;
    let command = &mut cell.command;
    command.arg(bin.join("ansible-galaxy")).args([kind.verb(), "install", "-r"]).arg(checkout.join(&file.path));
    command.arg("-p").arg(installed.join(kind.directory()));
    let (home, temporary) = (dir.join("home/.ansible"), dir.join("tmp"));
    command.env("ANSIBLE_CONFIG", wanted.configuration).env("ANSIBLE_HOME", &home);
    command.env("ANSIBLE_LOCAL_TEMP", &temporary).env("ANSIBLE_NOCOLOR", "1");
    command.env("ANSIBLE_GALAXY_CACHE_DIR", home.join("galaxy_cache"));
    // Otherwise it warns that a run would not find them.
    command.env("ANSIBLE_COLLECTIONS_PATH", installed.join(Kind::Collection.directory()));
    command.env("GIT_TERMINAL_PROMPT", "0").env("GIT_SSH_COMMAND", "ssh -o BatchMode=yes -o ConnectTimeout=20");
    printer.say(format!("Installing the {} of {}", kind.directory(), file.path.display())).await?;
    let output = printing::print(cell, &dir.join("galaxy.log"), LIMIT, cancel, printer).await?;
    if output.success {
        return Ok(());
    }
    let said = role_failure(&sentence::shorten_paths(&output.stdout, dir))
        .unwrap_or_else(|| sentence::find(&output.stdout, dir));
    let words = format!("the {} of {} cannot be installed: {said}", kind.directory(), file.path.display());
    let may_go_better = faults::is_ours(&output) || faults::is_unreached(&output);
    Err(if may_go_better { AnsibleError::Transient(words) } else { AnsibleError::Permanent(words) })
}

/// For a role the reason is in a warning, wrapped over lines; the error only names an option.
fn role_failure(said: &str) -> Option<String> {
    let text = said.get(said.find("[WARNING]: - ")?..)?.strip_prefix("[WARNING]: - ")?;
    let ends = ["ERROR! ", "[ERROR]: ", "[WARNING]: ", "[DEPRECATION WARNING]: "];
    let lines = text.lines().map(str::trim).take_while(|line| !ends.iter().any(|end| line.starts_with(end)));
    let sentence = lines.filter(|line| !line.is_empty()).collect::<Vec<_>>().join(" ");
    sentence.contains("NOT installed successfully").then(|| sentence.chars().take(600).collect())
}

/// The requirements files of a checkout.
fn files(checkout: &Path, playbook_path: &str) -> Result<Vec<File>, AnsibleError> {
    let root = checkout.canonicalize().map_err(|error| failed_at(checkout, &error))?;
    let beside = Path::new(playbook_path).parent().unwrap_or_else(|| Path::new("")).to_owned();
    let bases = if beside == Path::new("") { vec![beside] } else { vec![PathBuf::new(), beside] };
    let mut files: Vec<File> = Vec::new();
    for base in bases {
        for name in FILES {
            let path = base.join(name);
            let Ok(found) = root.join(&path).canonicalize() else { continue };
            let is_known = files.iter().any(|file| root.join(&file.path) == found);
            let is_short = found.metadata().is_ok_and(|data| data.is_file() && data.len() <= LONGEST);
            if !found.starts_with(&root) || is_known || !is_short {
                continue;
            }
            let bytes = fs::read(&found).map_err(|error| failed_at(&found, &error))?;
            let text = String::from_utf8_lossy(&bytes).into_owned();
            let (kinds, is_local) = kinds(&text, &root.join(&base));
            if !kinds.is_empty() {
                files.push(File { path, base: base.clone(), text, kinds, is_local });
            }
        }
    }
    Ok(files)
}

/// What a file lists, and whether it refers to files of the repository itself. An unreadable file is taken for both, so
/// that `ansible-galaxy` reports what is wrong with it.
fn kinds(text: &str, base: &Path) -> (Vec<Kind>, bool) {
    let Ok(value) = shared_types::yaml::parse(text) else { return (Kind::ALL.to_vec(), true) };
    let entries = |key: &str| value.get(key).and_then(Value::as_array).filter(|list| !list.is_empty());
    let is_local = |list: &Vec<Value>| list.iter().any(|entry| is_local(entry, base));
    match (&value, entries("collections"), entries("roles")) {
        (Value::Array(list), ..) if !list.is_empty() => (vec![Kind::Role], is_local(list)),
        (_, Some(collections), Some(roles)) => (Kind::ALL.to_vec(), is_local(collections) || is_local(roles)),
        (_, Some(collections), None) => (vec![Kind::Collection], is_local(collections)),
        (_, None, Some(roles)) => (vec![Kind::Role], is_local(roles)),
        (_, None, None) => (Vec::new(), false),
    }
}

fn is_local(entry: &Value, base: &Path) -> bool {
    let texts = ["name", "source", "src", "include"].into_iter().filter_map(|key| entry.get(key)?.as_str());
    let kind = entry.get("type").and_then(Value::as_str);
    let mut texts = texts.chain(entry.as_str());
    matches!(kind, Some("dir" | "subdirs" | "file"))
        || texts.any(|text| text.starts_with(['.', '/', '~']) || text.contains("file://") || base.join(text).exists())
}

fn key(wanted: &Wanted<'_>, files: &[File]) -> String {
    let mut hash = Sha256::new();
    hash.update(wanted.virtualenv.as_os_str().as_encoded_bytes());
    for File { path, text, is_local, base: _, kinds: _ } in files {
        hash.update(path.as_os_str().as_encoded_bytes());
        hash.update([0]);
        hash.update(text);
        hash.update([0]);
        if *is_local {
            hash.update(wanted.commit);
        }
    }
    let hash = hex::encode(hash.finalize());
    hash.get(..32).unwrap_or(&hash).to_owned()
}

fn make_dir(dir: &Path) -> Result<(), AnsibleError> {
    private_dir(dir).map_err(|error| failed_at(dir, &error))
}

fn remove_dir(dir: &Path) -> Result<(), AnsibleError> {
    if dir.exists() { fs::remove_dir_all(dir).map_err(|error| failed_at(dir, &error)) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_asks_for_what_stands_in_it() {
        let none = Path::new("/nonexistent");
        for (text, kinds_of, is_local) in [
            ("collections:\n  - community.general\n", &[Kind::Collection][..], false),
            ("- src: https://git.example/role.git\n", &[Kind::Role], false),
            ("roles:\n  - {src: 'git+file:///srv/role'}\ncollections:\n  - {name: a.b}\n", Kind::ALL, true),
            ("collections:\n  - {name: ./acme.tar.gz, type: file}\n", &[Kind::Collection], true),
            ("collections: []\n", &[], false),
            ("name: my-conda-environment\n", &[], false),
            ("collections: [\n", Kind::ALL, true),
        ] {
            assert_eq!(kinds(text, none), (kinds_of.to_vec(), is_local), "{text}");
        }
    }

    #[test]
    fn the_search_path_of_the_configuration_goes_on_to_count() {
        let text = "[defaults]\n# roles_path = no\nroles_path = roles:../shared/roles:~/x:/etc/roles ; why\n[galaxy]\n\
                    collections_path = no\n";
        let base = Path::new("/checkout/playbooks");
        let roles = "/checkout/playbooks/roles:/checkout/playbooks/../shared/roles:~/x:/etc/roles";
        assert_eq!(configured_path(text, "roles_path", base).as_deref(), Some(roles));
        assert_eq!(configured_path(text, "collections_path", base), None);
    }

    #[test]
    fn the_reason_of_a_role_is_put_together_again() {
        let said = "Starting galaxy role install process\n[WARNING]: - x was NOT installed successfully: - command git\n\
                    clone file:///x failed\nfatal: no repository\nERROR! - you can use --ignore-errors to skip failed roles\n";
        let expected = "x was NOT installed successfully: - command git clone file:///x failed fatal: no repository";
        assert_eq!(role_failure(said).as_deref(), Some(expected));
        assert_eq!(role_failure("ERROR! other"), None);
    }
}

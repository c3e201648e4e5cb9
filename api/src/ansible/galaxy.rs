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
use super::printing::{self, Printer, failed_at, remove_dir};
use super::requirements::{Origin, period};
use super::run_dir::RunDir;
use super::{faults, sentence};
use crate::git::credentials::NO_KEY_SSH;
use crate::platform::cache::{self, Hold};
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
    /// Whether it names only exact versions of collections of Galaxy; else it may mean other things elsewhere or later.
    is_exact: bool,
}

/// What to install for a run.
pub(super) struct Wanted<'a> {
    pub virtualenv: &'a Path,
    pub cache_dir: &'a Path,
    /// The playbook's path in the repository.
    pub playbook_path: &'a str,
    pub origin: Origin<'a>,
    /// The repository's own configuration, or an empty one.
    pub configuration: &'a Path,
}

/// Installs the requirements unless they are installed; none if there are no requirements.
pub(super) async fn ensure(
    wanted: &Wanted<'_>,
    (dir, inside): (&RunDir, &Inside<'_>),
    cancel: &CancellationToken,
    printer: &mut Printer<'_>,
) -> Result<Option<(PathBuf, Hold)>, AnsibleError> {
    let files = files(&dir.checkout(), wanted.playbook_path)?;
    if files.is_empty() {
        return Ok(None);
    }
    let parent = wanted.cache_dir.join("galaxy");
    make_dir(&parent)?;
    let installed = parent.join(name(wanted, &files, period()));
    let held = cache::hold(&installed).map_err(|error| failed_at(&installed, &error))?;
    let _lock = files::lock(&installed.with_extension("lock"), cancel).await?;
    if is_made(&installed) && installed.is_dir() {
        return Ok(Some((installed, held)));
    }
    unset_made(&installed)?;
    remove_dir(&installed)?;
    for kind in Kind::ALL {
        make_dir(&installed.join(kind.directory()))?;
    }
    for file in &files {
        for kind in &file.kinds {
            if let Err(error) = install(wanted, file, *kind, &installed, (dir, inside), cancel, printer).await {
                // Only to free space: without the marker it is never used.
                drop(remove_dir(&installed));
                return Err(error);
            }
        }
    }
    sandbox::take_back_all(&installed).await.map_err(|error| failed_at(&installed, &error))?;
    set_made(&installed, None)?;
    Ok(Some((installed, held)))
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
    (dir, inside): (&RunDir, &Inside<'_>),
    cancel: &CancellationToken,
    printer: &mut Printer<'_>,
) -> Result<(), AnsibleError> {
    let bin = wanted.virtualenv.join("bin");
    let checkout = dir.checkout();
    let wall = inside::run_dir(Wall::new(checkout.join(&file.base)), dir).write(installed).reach(Network::Public);
    let wall = wall.show_all(inside::virtualenv(wanted.virtualenv)).copy(dir.empty_configuration()).with_scratch();
    let log = dir.join("galaxy.log");
    let mut cell = inside.cell(bin.join("python"), &wall.watch(&log)).await?;
    let command = &mut cell.command;
    command.arg(bin.join("ansible-galaxy")).args([kind.verb(), "install", "-r"]).arg(checkout.join(&file.path));
    command.arg("-p").arg(installed.join(kind.directory()));
    let (home, temporary) = (dir.join("home/.ansible"), dir.join("tmp"));
    command.env("ANSIBLE_CONFIG", wanted.configuration).env("ANSIBLE_HOME", &home);
    command.env("ANSIBLE_LOCAL_TEMP", &temporary).env("ANSIBLE_NOCOLOR", "1");
    command.env("ANSIBLE_GALAXY_CACHE_DIR", home.join("galaxy_cache"));
    // Otherwise it warns that a run would not find them.
    command.env("ANSIBLE_COLLECTIONS_PATH", installed.join(Kind::Collection.directory()));
    command.env("GIT_TERMINAL_PROMPT", "0").env("GIT_SSH_COMMAND", NO_KEY_SSH);
    printer.say(format!("Installing the {} of {}", kind.directory(), file.path.display())).await?;
    let output = printing::print(cell, &log, LIMIT, cancel, printer).await?;
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
            let (kinds, is_exact) = kinds(&text);
            if !kinds.is_empty() {
                files.push(File { path, base: base.clone(), text, kinds, is_exact });
            }
        }
    }
    Ok(files)
}

/// What a file lists, and whether it names only exact versions of Galaxy's collections. An unreadable file is taken for
/// both kinds, so that `ansible-galaxy` reports what is wrong with it.
fn kinds(text: &str) -> (Vec<Kind>, bool) {
    let Ok(value) = shared_types::yaml::parse(text) else { return (Kind::ALL.to_vec(), false) };
    let entries = |key: &str| value.get(key).and_then(Value::as_array).filter(|list| !list.is_empty());
    match (&value, entries("collections"), entries("roles")) {
        (Value::Array(list), ..) if !list.is_empty() => (vec![Kind::Role], false),
        (_, Some(_), Some(_)) => (Kind::ALL.to_vec(), false),
        (_, Some(collections), None) => (vec![Kind::Collection], collections.iter().all(is_exact)),
        (_, None, Some(_)) => (vec![Kind::Role], false),
        (_, None, None) => (Vec::new(), true),
    }
}

/// Whether an entry is `{name: namespace.name, version: 1.2.3}` and nothing else. A version of a role is a tag of a
/// repository, which may be moved.
fn is_exact(entry: &Value) -> bool {
    let Some(entry) = entry.as_object().filter(|entry| entry.len() == 2) else { return false };
    let text = |key: &str| entry.get(key).and_then(Value::as_str).unwrap_or_default();
    let is_word = |word: &str| !word.is_empty() && word.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    let is_name = text("name").split_once('.').is_some_and(|(one, two)| is_word(one) && is_word(two));
    let version = text("version");
    let is_plain = version.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '+'));
    is_name && is_plain && version.starts_with(|c: char| c.is_ascii_digit()) && version.matches('.').count() >= 2
}

/// The name of what was installed in the cache. The configuration may name another server for the same collections.
/// What is not exact is of this commit only, and is installed again in each period.
fn name(wanted: &Wanted<'_>, files: &[File], period: u64) -> String {
    let mut hash = Sha256::new();
    let mut part = |bytes: &[u8]| {
        hash.update(bytes.len().to_be_bytes());
        hash.update(bytes);
    };
    part(wanted.virtualenv.as_os_str().as_encoded_bytes());
    part(read_plain(wanted.configuration, LONGEST).unwrap_or_default().as_bytes());
    for File { path, text, .. } in files {
        part(path.as_os_str().as_encoded_bytes());
        part(text.as_bytes());
    }
    let are_exact = files.iter().all(|file| file.is_exact);
    if !are_exact {
        part(wanted.origin.source_repo.as_bytes());
        part(wanted.origin.commit.as_bytes());
    }
    let hash = hex::encode(hash.finalize());
    let hash = hash.get(..32).unwrap_or(&hash);
    if are_exact { hash.to_owned() } else { format!("{hash}-{period}") }
}

fn make_dir(dir: &Path) -> Result<(), AnsibleError> {
    private_dir(dir).map_err(|error| failed_at(dir, &error))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_file_asks_for_what_stands_in_it() {
        for (text, kinds_of, is_exact) in [
            ("collections:\n  - community.general\n", &[Kind::Collection][..], false),
            ("collections:\n  - {name: community.general, version: 9.1.0}\n", &[Kind::Collection], true),
            ("collections:\n  - {name: community.general, version: '>=9.1.0'}\n", &[Kind::Collection], false),
            (
                "collections:\n  - {name: community.general, version: 9.1.0, source: 'https://evil.example'}\n",
                &[Kind::Collection],
                false,
            ),
            ("- src: https://git.example/role.git\n", &[Kind::Role], false),
            ("roles:\n  - {name: geerlingguy.docker, version: 6.1.0}\n", &[Kind::Role], false),
            ("roles:\n  - {src: 'git+file:///srv/role'}\ncollections:\n  - {name: a.b}\n", Kind::ALL, false),
            ("collections:\n  - {name: ./acme.tar.gz, type: file}\n", &[Kind::Collection], false),
            ("collections:\n  - {name: ./acme.tar.gz, version: 1.0.0}\n", &[Kind::Collection], false),
            ("collections: []\n", &[], true),
            ("name: my-conda-environment\n", &[], true),
            ("collections: [\n", Kind::ALL, false),
        ] {
            assert_eq!(kinds(text), (kinds_of.to_vec(), is_exact), "{text}");
        }
    }

    #[test]
    fn what_is_not_exact_is_installed_for_one_commit_and_one_server() {
        let dir = tempfile::tempdir().unwrap();
        let (plain, other) = (dir.path().join("plain.cfg"), dir.path().join("other.cfg"));
        fs::write(&plain, "").unwrap();
        fs::write(&other, "[galaxy]\nserver = https://evil.example\n").unwrap();
        let file = |text: &str| {
            let (kinds, is_exact) = kinds(text);
            vec![File { path: "requirements.yml".into(), base: PathBuf::new(), text: text.to_owned(), kinds, is_exact }]
        };
        let named = |text: &str, configuration: &Path, commit: &str, period: u64| {
            let origin = Origin { source_repo: "https://git.example/x", commit };
            let virtualenv = Path::new("/venv");
            let wanted =
                Wanted { virtualenv, cache_dir: Path::new("/"), playbook_path: "x.yml", origin, configuration };
            name(&wanted, &file(text), period)
        };
        let exact = "collections: [{name: community.general, version: 9.1.0}]";
        assert_eq!(named(exact, &plain, "a", 1), named(exact, &plain, "b", 2));
        assert_ne!(named(exact, &plain, "a", 1), named(exact, &other, "a", 1));
        let open = "collections: [community.general]";
        assert_eq!(named(open, &plain, "a", 1), named(open, &plain, "a", 1));
        assert_ne!(named(open, &plain, "a", 1), named(open, &plain, "b", 1));
        assert_ne!(named(open, &plain, "a", 1), named(open, &plain, "a", 2));
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

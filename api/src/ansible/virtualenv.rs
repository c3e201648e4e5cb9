//! Virtualenvs, one for each content of a requirements file, and the wheels to make them without a network.
//!
//! A virtualenv is built where it stays, because its scripts hold its path; a file in it says that it is complete. Nothing is
//! ever removed from the cache: a run may use it.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use async_trait::async_trait;
use sha2::{Digest as _, Sha256};
use tokio_util::sync::CancellationToken;

use super::pip::{pip, succeeded};
use super::port::{AnsibleError, SpoolLine, SpoolPosition, SpoolSink};
use super::printing::{self, Printer, failed_at};
use super::real::AnsibleConfig;
use super::run_dir::RunDir;
use crate::platform::command;
use crate::platform::files::{self, private_dir};

/// So long one step of making a virtualenv may take: packages may have to be compiled.
const BUILD_LIMIT: Duration = Duration::from_secs(20 * 60);

/// So long Python may take to say its version.
const ASK_LIMIT: Duration = Duration::from_secs(30);

/// Requirements files, with those they name, are at most this long together, in bytes.
const TEXT_LIMIT: usize = 1 << 20;

/// Exists in a virtualenv that is complete.
const COMPLETE: &str = ".complete";

/// What makes an equal virtualenv, besides the requirements.
const VERSION: &str =
    "import sys, platform; print(sys.version, sys.base_prefix, sys.implementation.cache_tag, platform.machine())";

/// A requirements file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Requirements {
    /// In the repository.
    pub path: PathBuf,
    pub text: String,
}

/// Downloads the wheels of these requirements (and builds those that are not to be had) into the cache, so that
/// [`super::port::Ansible::prepare`] needs no network for them. A second call with the same text does nothing.
///
/// # Errors
/// As for a virtualenv: an unknown requirement is permanent, an index that cannot be reached is not.
pub async fn fill_wheels(
    config: &AnsibleConfig,
    requirements_text: &str,
    progress: &mut (dyn FnMut(&str) + Send),
) -> Result<(), AnsibleError> {
    let cancel = CancellationToken::new();
    let wheels = wheels(config);
    make_dir(&wheels)?;
    let hash = key(&python_version(config, &cancel).await?, requirements_text);
    let marker = wheels.join(format!(".{hash}"));
    let _lock = files::lock(&wheels.join(".lock"), &cancel).await?;
    if marker.is_file() {
        return Ok(());
    }
    let work = wheels.join(".work");
    remove_dir(&work)?;
    make_dir(&work)?;
    let requirements = work.join("requirements.txt");
    fs::write(&requirements, requirements_text).map_err(|error| failed_at(&requirements, &error))?;
    let mut sink = ProgressSink(progress);
    let mut printer = Printer::new(&mut sink, SpoolPosition::default());
    let virtualenv = work.join("venv");
    make_bare(config, &virtualenv, &cancel).await?;
    let mut command = pip(&virtualenv, "wheel");
    command.arg("--wheel-dir").arg(&wheels).arg("--find-links").arg(&wheels).arg("-r").arg(&requirements);
    let output = printing::print(command, &work.join("log"), BUILD_LIMIT, &cancel, &mut printer).await?;
    succeeded(&output, &[])?;
    remove_dir(&work)?;
    fs::write(&marker, "").map_err(|error| failed_at(&marker, &error))
}

/// The virtualenv for a requirements file, made unless it is there.
pub(super) async fn ensure(
    config: &AnsibleConfig,
    requirements: &Path,
    dir: &RunDir,
    cancel: &CancellationToken,
    printer: &mut Printer<'_>,
) -> Result<PathBuf, AnsibleError> {
    let files = read_all(requirements, &dir.checkout())?;
    let text: String = files.iter().flat_map(|file| [&file.text, "\0"]).collect();
    let parent = config.cache_dir.join("venv");
    make_dir(&parent)?;
    let virtualenv = parent.join(key(&python_version(config, cancel).await?, &text));
    let _lock = files::lock(&virtualenv.with_extension("lock"), cancel).await?;
    // The link to a Python that was removed meanwhile leads nowhere.
    if virtualenv.join(COMPLETE).is_file() && virtualenv.join("bin/python").is_file() {
        return Ok(virtualenv);
    }
    printer.say("Making a virtualenv for these requirements (the next run uses it again)".to_owned()).await?;
    remove_dir(&virtualenv)?;
    match fill(config, &virtualenv, &files, dir, cancel, printer).await {
        Ok(()) => Ok(virtualenv),
        Err(error) => {
            // Only to save room: without the marker it would not be used.
            drop(remove_dir(&virtualenv));
            Err(error)
        }
    }
}

async fn fill(
    config: &AnsibleConfig,
    virtualenv: &Path,
    files: &[Requirements],
    dir: &RunDir,
    cancel: &CancellationToken,
    printer: &mut Printer<'_>,
) -> Result<(), AnsibleError> {
    make_bare(config, virtualenv, cancel).await?;
    install(config, virtualenv, files, dir, cancel, printer).await?;
    if !virtualenv.join("bin/ansible-playbook").is_file() {
        let message = "the requirements do not install ansible-playbook: add ansible-core to the requirements file";
        return Err(AnsibleError::Permanent(message.to_owned()));
    }
    let marker = virtualenv.join(COMPLETE);
    fs::write(&marker, "").map_err(|error| failed_at(&marker, &error))
}

async fn install(
    config: &AnsibleConfig,
    virtualenv: &Path,
    files: &[Requirements],
    dir: &RunDir,
    cancel: &CancellationToken,
    printer: &mut Printer<'_>,
) -> Result<(), AnsibleError> {
    let wheels = wheels(config);
    // By its path in the repository, which is what pip then says.
    let requirements = files.first().map(|file| file.path.as_path()).unwrap_or_else(|| Path::new(""));
    if wheels.is_dir() {
        let mut command = pip(virtualenv, "install");
        command.arg("--no-index").arg("--find-links").arg(&wheels).arg("-r").arg(requirements);
        command.current_dir(dir.checkout());
        if command::capture(command, BUILD_LIMIT, cancel).await?.success {
            return printer.say("Installed all requirements from the wheel cache".to_owned()).await;
        }
    }
    let mut command = pip(virtualenv, "install");
    command.arg("-r").arg(requirements).current_dir(dir.checkout());
    let output = printing::print(command, &dir.join("pip.log"), BUILD_LIMIT, cancel, printer).await?;
    succeeded(&output, files)
}

async fn make_bare(config: &AnsibleConfig, virtualenv: &Path, cancel: &CancellationToken) -> Result<(), AnsibleError> {
    let mut command = command::command(&config.python);
    command.args(["-m", "venv", "--"]).arg(virtualenv);
    let output = command::capture(command, BUILD_LIMIT, cancel).await?;
    if output.success {
        return Ok(());
    }
    let said = format!("{} {}", output.stdout.trim(), output.stderr.trim());
    let python = &config.python;
    if said.contains("ensurepip") {
        let message = format!("«{python} -m venv» does not work: install python3-venv ({})", said.trim());
        return Err(AnsibleError::Permanent(message));
    }
    Err(AnsibleError::Transient(format!("«{python} -m venv» failed: {}", said.trim())))
}

async fn python_version(config: &AnsibleConfig, cancel: &CancellationToken) -> Result<String, AnsibleError> {
    let mut command = command::command(&config.python);
    command.args(["-c", VERSION]);
    let output = command::capture(command, ASK_LIMIT, cancel).await?;
    if output.success {
        return Ok(output.stdout);
    }
    let (python, said) = (&config.python, output.stderr.trim());
    Err(AnsibleError::Permanent(format!(
        "the Python «{python}» does not run: install python3 and python3-venv ({said})"
    )))
}

fn key(python: &str, text: &str) -> String {
    let hash = hex::encode(Sha256::new().chain_update(python).chain_update([0]).chain_update(text).finalize());
    hash.get(..32).unwrap_or(&hash).to_owned()
}

/// The requirements file, and then all it names with `-r` and `-c` inside the checkout.
fn read_all(requirements: &Path, checkout: &Path) -> Result<Vec<Requirements>, AnsibleError> {
    let root = checkout.canonicalize().map_err(|error| failed_at(checkout, &error))?;
    let (mut files, mut seen, mut wanted) =
        (Vec::<Requirements>::new(), BTreeSet::new(), vec![requirements.to_owned()]);
    while let Some(path) = wanted.pop() {
        // What is missing or elsewhere is pip's to complain of.
        let Ok(path) = path.canonicalize() else { continue };
        let Ok(within) = path.strip_prefix(&root) else { continue };
        if !seen.insert(path.clone()) {
            continue;
        }
        let bytes = fs::read(&path).map_err(|error| failed_at(&path, &error))?;
        if files.iter().map(|file| file.text.len()).sum::<usize>() + bytes.len() > TEXT_LIMIT {
            return Err(AnsibleError::Permanent(format!("the requirements are longer than {TEXT_LIMIT} bytes")));
        }
        let text = String::from_utf8_lossy(&bytes).into_owned();
        wanted.extend(text.lines().filter_map(named_file).map(|name| path.with_file_name("").join(name)));
        files.push(Requirements { path: within.to_owned(), text });
    }
    Ok(files)
}

/// The file that `-r file`, `-rfile`, `--requirement file` or `--requirement=file` names, and the same for constraints.
fn named_file(line: &str) -> Option<&str> {
    let options = ["--requirement", "--constraint", "-r", "-c"];
    let rest = options.iter().find_map(|option| line.trim().strip_prefix(option))?;
    let name = rest.trim_start_matches([' ', '\t', '=']);
    let name = name.split(" #").next().unwrap_or(name).trim();
    (!name.is_empty()).then_some(name)
}

fn wheels(config: &AnsibleConfig) -> PathBuf {
    config.cache_dir.join("wheels")
}

fn make_dir(dir: &Path) -> Result<(), AnsibleError> {
    private_dir(dir).map_err(|error| failed_at(dir, &error))
}

fn remove_dir(dir: &Path) -> Result<(), AnsibleError> {
    if dir.exists() { fs::remove_dir_all(dir).map_err(|error| failed_at(dir, &error)) } else { Ok(()) }
}

/// Tells a function of each line.
struct ProgressSink<'a>(&'a mut (dyn FnMut(&str) + Send));

#[async_trait]
impl SpoolSink for ProgressSink<'_> {
    async fn take(&mut self, lines: Vec<SpoolLine>, _position: SpoolPosition) -> Result<(), String> {
        lines.iter().for_each(|line| (self.0)(&line.text));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]

    use super::*;

    #[test]
    fn the_key_covers_the_files_a_file_names() {
        let dir = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| fs::write(dir.path().join(name), text).unwrap();
        write(
            "requirements.txt",
            "-r more.txt # why\n--constraint=limits.txt\n-r ../outside.txt\n-r requirements.txt\n",
        );
        write("more.txt", "one");
        write("limits.txt", "two");
        let read = || {
            let files = read_all(&dir.path().join("requirements.txt"), dir.path()).unwrap();
            assert_eq!(files[0].path, Path::new("requirements.txt"));
            files.into_iter().map(|file| file.text + "\0").collect::<String>()
        };
        let before = read();
        assert!(before.contains("one") && before.contains("two"));
        write("more.txt", "three");
        assert_ne!(key("3.11", &before), key("3.11", &read()));
        assert_ne!(key("3.11", &before), key("3.12", &before));
    }
}

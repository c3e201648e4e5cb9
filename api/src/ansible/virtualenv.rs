//! Virtualenvs, one for each combination of requirements and interpreter, and the wheels to make them offline.
//!
//! Interpreters are tried in the order of the settings. One fits if the requirements can be installed with it and
//! `ansible-playbook --version` then runs. An existing complete virtualenv is preferred over making another.
//!
//! A virtualenv is built in its final place, because its scripts hold its path; a marker file says that it is complete.
//! The cache is cleaned by age and size ([`crate::platform::cache`]); what a run uses is held.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use async_trait::async_trait;
use tokio_util::sync::CancellationToken;

use super::faults;
use super::pip::{pip, succeeded};
use super::port::{AnsibleError, Requirements, SpoolLine, SpoolPosition, SpoolSink};
use super::printing::{self, Printer, failed_at};
use super::python::{identity, make_bare};
use super::real::AnsibleConfig;
use super::requirements::{Origin, Source, cache_name, key, period};
use super::run_dir::RunDir;
use crate::platform::cache::{self, Hold};
use crate::platform::command;
use crate::platform::files::{self, private_dir};

/// Timeout of one step of making a virtualenv: packages may have to be compiled.
const BUILD_LIMIT: Duration = Duration::from_secs(20 * 60);

/// Timeout of asking Ansible for its version, when it is loaded for the first time.
const VERSION_LIMIT: Duration = Duration::from_secs(120);

/// Marks a complete virtualenv.
const COMPLETE: &str = ".complete";

/// Downloads the wheels of these requirements (and builds those that have none) into the cache, for the first
/// interpreter for which all can be had, so that [`super::port::Ansible::prepare`] needs no network for them.
/// Idempotent.
///
/// # Errors
/// [`AnsibleError::Permanent`] for an unknown requirement, [`AnsibleError::Transient`] if the index cannot be reached.
pub async fn fill_wheels(
    config: &AnsibleConfig,
    requirements_text: &str,
    progress: &mut (dyn FnMut(&str) + Send),
) -> Result<(), AnsibleError> {
    let mut refusals = Vec::new();
    for python in &config.pythons {
        match fill_wheels_with(config, python, requirements_text, progress).await {
            Err(AnsibleError::Permanent(words)) => refusals.push((python.clone(), words)),
            done => return done,
        }
    }
    Err(none_fits(refusals))
}

async fn fill_wheels_with(
    config: &AnsibleConfig,
    python: &str,
    requirements_text: &str,
    progress: &mut (dyn FnMut(&str) + Send),
) -> Result<(), AnsibleError> {
    let cancel = CancellationToken::new();
    let wheels = wheels(config);
    make_dir(&config.cache_dir)?;
    let _held = hold(&wheels)?;
    make_dir(&wheels)?;
    let hash = key(&identity(python, &cancel).await?, requirements_text);
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
    make_bare(python, &virtualenv, &cancel).await?;
    let mut command = pip(&virtualenv, "wheel");
    command.arg("--wheel-dir").arg(&wheels).arg("--find-links").arg(&wheels).arg("-r").arg(&requirements);
    let output = printing::print(command, &work.join("log"), BUILD_LIMIT, &cancel, &mut printer).await?;
    succeeded(&output, &[])?;
    remove_dir(&work)?;
    fs::write(&marker, "").map_err(|error| failed_at(&marker, &error))
}

/// The virtualenv for these requirements with the first interpreter that fits, made unless it exists. It stays as long
/// as it is held.
///
/// # Errors
/// [`AnsibleError::Permanent`] with each interpreter's error if none fits; [`AnsibleError::Transient`] as soon as one
/// could not be tried completely.
pub(super) async fn ensure(
    config: &AnsibleConfig,
    requirements: &Requirements,
    (dir, origin): (&RunDir, Origin<'_>),
    cancel: &CancellationToken,
    printer: &mut Printer<'_>,
) -> Result<(PathBuf, Hold), AnsibleError> {
    let source = Source::read(requirements, dir)?;
    let period = period();
    let parent = config.cache_dir.join("venv");
    make_dir(&parent)?;
    let (mut places, mut refusals) = (Vec::<(&str, PathBuf)>::new(), Vec::new());
    for python in &config.pythons {
        match identity(python, cancel).await {
            Ok(identity) => {
                let place = parent.join(cache_name(&identity, source.files(), origin, period));
                // Two names may mean the same interpreter.
                if places.iter().all(|(_, other)| *other != place) {
                    places.push((python, place));
                }
            }
            Err(AnsibleError::Permanent(words)) => refusals.push((python.clone(), words)),
            Err(error) => return Err(error),
        }
    }
    for (_, virtualenv) in &places {
        let held = hold(virtualenv)?;
        if is_complete(virtualenv) {
            return Ok((virtualenv.clone(), held));
        }
    }
    let mut maker = Maker { config, source: &source, dir, cancel, printer };
    for (python, virtualenv) in places {
        let held = hold(&virtualenv)?;
        match maker.make(python, &virtualenv).await {
            Ok(()) => return Ok((virtualenv, held)),
            Err(AnsibleError::Transient(words)) => return earlier(&virtualenv, period, words, maker.printer).await,
            Err(AnsibleError::Permanent(words)) if config.pythons.len() > 1 => {
                maker.printer.say(format!("{python} does not fit these requirements: {words}")).await?;
                refusals.push((python.to_owned(), words));
            }
            Err(error) => return Err(error),
        }
    }
    refusals.sort_by_key(|(python, _)| config.pythons.iter().position(|other| other == python));
    Err(none_fits(refusals))
}

/// The virtualenv of the period before, if the present one's cannot be made now: an index that is away for a while must
/// not stop builds that worked.
async fn earlier(
    virtualenv: &Path,
    period: u64,
    words: String,
    printer: &mut Printer<'_>,
) -> Result<(PathBuf, Hold), AnsibleError> {
    let name = virtualenv.file_name().and_then(|name| name.to_str()).and_then(|name| name.split_once('-'));
    let before = name.map(|(hash, _)| virtualenv.with_file_name(format!("{hash}-{}", period.saturating_sub(1))));
    let Some(before) = before else { return Err(AnsibleError::Transient(words)) };
    let held = hold(&before)?;
    if !is_complete(&before) {
        return Err(AnsibleError::Transient(words));
    }
    printer.say(format!("The virtualenv cannot be made again now ({words}); the one of last week is used")).await?;
    Ok((before, held))
}

fn hold(entry: &Path) -> Result<Hold, AnsibleError> {
    cache::hold(entry).map_err(|error| failed_at(entry, &error))
}

/// The error of each interpreter; if there is only one, without its name.
fn none_fits(refusals: Vec<(String, String)>) -> AnsibleError {
    if let [(_, words)] = refusals.as_slice() {
        return AnsibleError::Permanent(words.clone());
    }
    let each: Vec<_> = refusals.iter().map(|(python, words)| format!("{python}: {words}")).collect();
    AnsibleError::Permanent(format!("no interpreter of OCIM_PYTHONS fits the requirements. {}", each.join(" · ")))
}

fn is_complete(virtualenv: &Path) -> bool {
    // The link to a Python that was removed since is dangling.
    virtualenv.join(COMPLETE).is_file() && virtualenv.join("bin/python").is_file()
}

/// Makes virtualenvs of the same requirements.
struct Maker<'a, 'p> {
    config: &'a AnsibleConfig,
    source: &'a Source,
    dir: &'a RunDir,
    cancel: &'a CancellationToken,
    printer: &'a mut Printer<'p>,
}

impl Maker<'_, '_> {
    /// With this interpreter, unless it was made while the lock was awaited.
    async fn make(&mut self, python: &str, virtualenv: &Path) -> Result<(), AnsibleError> {
        let _lock = files::lock(&virtualenv.with_extension("lock"), self.cancel).await?;
        if is_complete(virtualenv) {
            return Ok(());
        }
        let with = if self.config.pythons.len() > 1 { format!(" with {python}") } else { String::new() };
        let words = format!("Making a virtualenv for these requirements{with} (the next run uses it again)");
        self.printer.say(words).await?;
        remove_dir(virtualenv)?;
        let filled = self.fill(python, virtualenv).await;
        if filled.is_err() {
            // Only to free space: without the marker it is never used.
            drop(remove_dir(virtualenv));
        }
        filled
    }

    async fn fill(&mut self, python: &str, virtualenv: &Path) -> Result<(), AnsibleError> {
        make_bare(python, virtualenv, self.cancel).await?;
        self.install(virtualenv).await?;
        if !virtualenv.join("bin/ansible-playbook").is_file() {
            let message = "the requirements do not install ansible-playbook: add ansible-core to the requirements";
            return Err(AnsibleError::Permanent(message.to_owned()));
        }
        try_out(virtualenv, self.dir, self.cancel).await?;
        let marker = virtualenv.join(COMPLETE);
        fs::write(&marker, "").map_err(|error| failed_at(&marker, &error))
    }

    async fn install(&mut self, virtualenv: &Path) -> Result<(), AnsibleError> {
        let wheels = wheels(self.config);
        let _held = hold(&wheels)?;
        if wheels.is_dir() {
            let mut command = pip(virtualenv, "install");
            command.arg("--no-index").arg("--find-links").arg(&wheels).arg("-r").arg(self.source.path());
            command.current_dir(self.source.work_dir());
            if command::capture(command, BUILD_LIMIT, self.cancel).await?.success {
                return self.printer.say("Installed all requirements from the wheel cache".to_owned()).await;
            }
        }
        let mut command = pip(virtualenv, "install");
        command.arg("-r").arg(self.source.path()).current_dir(self.source.work_dir());
        let log = self.dir.join("pip.log");
        let output = printing::print(command, &log, BUILD_LIMIT, self.cancel, self.printer).await?;
        succeeded(&output, self.source.files())
    }
}

/// Runs `ansible-playbook --version`: an old Ansible can be installed with a new Python, but fails when it is loaded.
async fn try_out(virtualenv: &Path, dir: &RunDir, cancel: &CancellationToken) -> Result<(), AnsibleError> {
    dir.make_home()?;
    let mut command = command::command(virtualenv.join("bin/python"));
    command.arg(virtualenv.join("bin/ansible-playbook")).arg("--version").current_dir(dir.path());
    command.env("HOME", dir.join("home")).env("ANSIBLE_LOCAL_TEMP", dir.join("tmp"));
    command.env("ANSIBLE_CONFIG", dir.empty_configuration());
    let output = command::capture(command, VERSION_LIMIT, cancel).await?;
    if output.success {
        return Ok(());
    }
    let last = |text: &str| text.lines().rev().map(str::trim).find(|line| !line.is_empty()).map(str::to_owned);
    let said = last(&output.stderr).or_else(|| last(&output.stdout)).unwrap_or_else(|| "it said nothing".to_owned());
    let words = format!("ansible-playbook does not run with this Python: {said}");
    Err(if faults::is_ours(&output) { AnsibleError::Transient(words) } else { AnsibleError::Permanent(words) })
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

/// A sink that passes each line to a function.
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
    use super::*;

    fn said(refusals: &[(&str, &str)]) -> String {
        let refusals = refusals.iter().map(|(python, words)| ((*python).to_owned(), (*words).to_owned()));
        none_fits(refusals.collect()).to_string()
    }

    #[test]
    fn each_interpreter_is_told_with_its_own_sentence() {
        assert_eq!(said(&[("python3", "it is old")]), "it is old");
        assert_eq!(
            said(&[("python3.11", "it is new"), ("python3.8", "it is missing")]),
            "no interpreter of OCIM_PYTHONS fits the requirements. python3.11: it is new · python3.8: it is missing"
        );
    }
}

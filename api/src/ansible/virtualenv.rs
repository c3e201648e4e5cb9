//! Virtualenvs, one for each combination of requirements and interpreter, and the wheels to make them offline.
//!
//! Interpreters are tried in the order of the settings. One fits if the requirements can be installed with it and
//! `ansible-playbook --version` then runs. An existing complete virtualenv is preferred over making another.
//!
//! A virtualenv is built in its final place, because its scripts hold its path; a file beside it says that it is complete.
//! The cache is cleaned by age and size ([`crate::platform::cache`]); what a run uses is held.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use async_trait::async_trait;
use tokio_util::sync::CancellationToken;

use super::faults;
use super::inside::{Inside, is_made, set_made, unset_made};
use super::pip::{Pip, succeeded};
use super::port::{AnsibleError, Requirements, SpoolLine, SpoolPosition, SpoolSink};
use super::printing::{self, Printer, failed_at, remove_dir};
use super::python::{Interpreter, interpreter, make_bare};
use super::real::AnsibleConfig;
use super::requirements::{Origin, Source, cache_name, key, period};
use super::run_dir::RunDir;
use crate::platform::cache::{self, Hold};
use crate::platform::files::{self, private_dir};
use crate::platform::sandbox::{self, Wall};

/// Timeout of one step of making a virtualenv: packages may have to be compiled.
const BUILD_LIMIT: Duration = Duration::from_secs(20 * 60);

/// Timeout of asking Ansible for its version, when it is loaded for the first time.
const VERSION_LIMIT: Duration = Duration::from_secs(120);

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
    let interpreter = interpreter(python, &cancel).await?;
    let hash = key(&interpreter.identity, requirements_text);
    let marker = wheels.join(format!(".{hash}"));
    let _lock = files::lock(&wheels.join(".lock"), &cancel).await?;
    if marker.is_file() {
        return Ok(());
    }
    let inside = Inside::new(&config.sandbox).await?;
    // Not in the directory of the wheels, which runs are shown.
    let work = config.cache_dir.join("wheels.work");
    remove_dir(&work)?;
    make_dir(&work)?;
    let requirements = work.join("requirements.txt");
    fs::write(&requirements, requirements_text).map_err(|error| failed_at(&requirements, &error))?;
    let mut sink = ProgressSink(progress);
    let mut printer = Printer::new(&mut sink, SpoolPosition::default());
    let (virtualenv, built) = (work.join("venv"), work.join("built"));
    make_dir(&built)?;
    make_bare(python, &interpreter, &virtualenv, &inside, &cancel).await?;
    let pip = Pip { inside: &inside, virtualenv: &virtualenv, verb: "wheel", has_network: true };
    let log = work.join("log");
    let wall = Wall::new("/tmp").write(&virtualenv).write(&built).copy(&requirements).watch(&log);
    let wall = wall.show(readable(&wheels)?).show_all(interpreter.shown.clone());
    let mut cell = pip.cell(wall).await?;
    cell.command.arg("--wheel-dir").arg(&built).arg("--find-links").arg(&wheels).arg("-r").arg(&requirements);
    let output = printing::print(cell, &log, BUILD_LIMIT, &cancel, &mut printer).await?;
    succeeded(&output, &[])?;
    keep_wheels(&built, &wheels).await?;
    remove_dir(&work)?;
    fs::write(&marker, "").map_err(|error| failed_at(&marker, &error))
}

/// Moves the wheels that a run has built to those of the cache: regular files, and nothing else.
async fn keep_wheels(built: &Path, wheels: &Path) -> Result<(), AnsibleError> {
    sandbox::take_back_all(built).await.map_err(|error| failed_at(built, &error))?;
    for entry in fs::read_dir(built).map_err(|error| failed_at(built, &error))?.flatten() {
        let (name, is_file) = (entry.file_name(), entry.file_type().is_ok_and(|kind| kind.is_file()));
        if is_file && Path::new(&name).extension().is_some_and(|ending| ending == "whl") {
            fs::rename(entry.path(), wheels.join(&name)).map_err(|error| failed_at(wheels, &error))?;
        }
    }
    Ok(())
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
    (dir, origin, inside): (&RunDir, Origin<'_>, &Inside<'_>),
    cancel: &CancellationToken,
    printer: &mut Printer<'_>,
) -> Result<(PathBuf, Hold), AnsibleError> {
    let source = Source::read(requirements, dir)?;
    let period = period();
    let parent = config.cache_dir.join("venv");
    make_dir(&parent)?;
    let (mut places, mut refusals) = (Vec::<(&str, Interpreter, PathBuf)>::new(), Vec::new());
    for python in &config.pythons {
        match interpreter(python, cancel).await {
            Ok(interpreter) => {
                let place = parent.join(cache_name(&interpreter.identity, source.files(), origin, period));
                // Two names may mean the same interpreter.
                if places.iter().all(|(.., other)| *other != place) {
                    places.push((python, interpreter, place));
                }
            }
            Err(AnsibleError::Permanent(words)) => refusals.push((python.clone(), words)),
            Err(error) => return Err(error),
        }
    }
    for (.., virtualenv) in &places {
        let held = hold(virtualenv)?;
        if is_complete(virtualenv) {
            return Ok((virtualenv.clone(), held));
        }
    }
    let mut maker = Maker { config, source: &source, dir, inside, cancel, printer };
    for (python, interpreter, virtualenv) in places {
        let held = hold(&virtualenv)?;
        match maker.make(python, &interpreter, &virtualenv).await {
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
    is_made(virtualenv) && virtualenv.join("bin/python").is_file()
}

/// Makes virtualenvs of the same requirements.
struct Maker<'a, 'p> {
    config: &'a AnsibleConfig,
    source: &'a Source,
    dir: &'a RunDir,
    inside: &'a Inside<'a>,
    cancel: &'a CancellationToken,
    printer: &'a mut Printer<'p>,
}

impl Maker<'_, '_> {
    /// With this interpreter, unless it was made while the lock was awaited.
    async fn make(&mut self, python: &str, interpreter: &Interpreter, virtualenv: &Path) -> Result<(), AnsibleError> {
        let _lock = files::lock(&virtualenv.with_extension("lock"), self.cancel).await?;
        if is_complete(virtualenv) {
            return Ok(());
        }
        let with = if self.config.pythons.len() > 1 { format!(" with {python}") } else { String::new() };
        let words = format!("Making a virtualenv for these requirements{with} (the next run uses it again)");
        self.printer.say(words).await?;
        unset_made(virtualenv)?;
        remove_dir(virtualenv)?;
        let filled = self.fill(python, interpreter, virtualenv).await;
        if filled.is_err() {
            // Only to free space: without the marker it is never used.
            drop(remove_dir(virtualenv));
        }
        filled
    }

    async fn fill(&mut self, python: &str, interpreter: &Interpreter, virtualenv: &Path) -> Result<(), AnsibleError> {
        make_bare(python, interpreter, virtualenv, self.inside, self.cancel).await?;
        self.install(interpreter, virtualenv).await?;
        if !virtualenv.join("bin/ansible-playbook").is_file() {
            let message = "the requirements do not install ansible-playbook: add ansible-core to the requirements";
            return Err(AnsibleError::Permanent(message.to_owned()));
        }
        sandbox::take_back_all(virtualenv).await.map_err(|error| failed_at(virtualenv, &error))?;
        try_out(virtualenv, interpreter, self.dir, self.inside, self.cancel).await?;
        set_made(virtualenv, Some(interpreter))
    }

    async fn install(&mut self, interpreter: &Interpreter, virtualenv: &Path) -> Result<(), AnsibleError> {
        let wheels = wheels(self.config);
        let _held = hold(&wheels)?;
        let wall = self.source.wall(self.dir).write(virtualenv).show_all(interpreter.shown.clone());
        let mut pip = Pip { inside: self.inside, virtualenv, verb: "install", has_network: false };
        if wheels.is_dir() {
            let mut cell = pip.cell(wall.clone().show(readable(&wheels)?)).await?;
            cell.command.arg("--no-index").arg("--find-links").arg(&wheels).arg("-r").arg(self.source.path());
            if sandbox::capture(cell, BUILD_LIMIT, self.cancel).await?.success {
                return self.printer.say("Installed all requirements from the wheel cache".to_owned()).await;
            }
        }
        pip.has_network = true;
        let log = self.dir.join("pip.log");
        let mut cell = pip.cell(wall.watch(&log)).await?;
        cell.command.arg("-r").arg(self.source.path());
        let output = printing::print(cell, &log, BUILD_LIMIT, self.cancel, self.printer).await?;
        succeeded(&output, self.source.files())
    }
}

/// A directory of this program that runs are shown.
fn readable(dir: &Path) -> Result<&Path, AnsibleError> {
    sandbox::open_to_runs(dir).map(|()| dir).map_err(|error| failed_at(dir, &error))
}

/// Runs `ansible-playbook --version`: an old Ansible can be installed with a new Python, but fails when it is loaded.
async fn try_out(
    virtualenv: &Path,
    interpreter: &Interpreter,
    dir: &RunDir,
    inside: &Inside<'_>,
    cancel: &CancellationToken,
) -> Result<(), AnsibleError> {
    dir.make_home()?;
    let wall = Wall::new(dir.path()).show(virtualenv).show_all(interpreter.shown.clone());
    let wall = wall.write(dir.join("home")).write(dir.join("tmp")).copy(dir.empty_configuration());
    let mut cell = inside.cell(virtualenv.join("bin/python"), &wall).await?;
    let command = &mut cell.command;
    command.arg(virtualenv.join("bin/ansible-playbook")).arg("--version");
    command.env("HOME", dir.join("home")).env("ANSIBLE_LOCAL_TEMP", dir.join("tmp"));
    command.env("ANSIBLE_CONFIG", dir.empty_configuration());
    let output = sandbox::capture(cell, VERSION_LIMIT, cancel).await?;
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

//! Has Ansible load a playbook before a machine exists, by two commands at once; neither runs a task nor connects.
//!
//! `--list-tasks` reads playbooks, roles, imported files and modules, and counts the tasks. It reads no host's
//! variables; a run whose tags match no task does, with our callback (`ansible/loading_plugins`). The inventory has one
//! host, with an address that is reserved for documentation.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use sha2::{Digest as _, Sha256};
use shared_types::LogLevel;
use tokio_util::sync::CancellationToken;

use super::inside::Inside;
use super::port::{AnsibleError, LoadSpec, Requirements, RunSpec, Target};
use super::printing::Printer;
use super::run_dir::{Loaded, RunDir};
use super::{faults, galaxy, runner, sentence};
use crate::platform::command::Output;
use crate::platform::sandbox::{self, Cell};

/// Timeout of loading a playbook. The 4,500 tasks of Open edX take 40 s on an idle processor, and each build slot may
/// have two such processes at once.
const LIMIT: Duration = Duration::from_secs(900);

/// Limit for the list of tasks, in bytes: Open edX has 4,500 tasks.
const LIST_LIMIT: u64 = 16 << 20;

/// A tag that no task has.
const NO_TASK: &str = "ocim_runs_no_task";

/// Ansible's message for a missing variables file. An earlier play may write the file, so a later play may lack it.
const NO_VARS_FILE: (&str, &str) = ("vars file ", " was not found");

/// The callback of a run that only loads.
const LOADING_CALLBACK: &str = "ocim_loading";

/// What the callback prints for each loaded play.
const LOADED: &str = "loaded";

/// Loads the playbook of a directory that holds its checkout and its virtualenv. Gives the number of listed tasks.
///
/// # Errors
/// [`AnsibleError::Permanent`] with Ansible's own message if it cannot be loaded.
pub(super) async fn load(
    spec: &LoadSpec,
    dir: &RunDir,
    inside: &Inside<'_>,
    cancel: &CancellationToken,
    printer: &mut Printer<'_>,
) -> Result<Loaded, AnsibleError> {
    let spec = on_no_machine(spec.clone(), dir);
    dir.write_inputs(&spec)?;
    dir.write_loading_callback()?;
    let (listed, rehearsed) = tokio::join!(list(&spec, dir, inside, cancel), rehearse(&spec, dir, inside, cancel));
    dir.remove_variables()?;
    let (listed, rehearsed) = (listed?, rehearsed?);
    if let Some(output) =
        [&listed, &rehearsed].into_iter().find(|output| !output.success && !is_excused(output, &rehearsed))
    {
        printer.pass_on(LogLevel::Error, &output.stderr).await?;
        return Err(refused(&spec, output, dir));
    }
    for line in missing_vars_files(&rehearsed) {
        printer.pass_on(LogLevel::Warning, &format!("{}: {line}", spec.playbook_path)).await?;
    }
    Ok(Loaded { fingerprint: fingerprint(&spec), tasks: if listed.success { count_listed(&listed.stdout) } else { 0 } })
}

/// A hash of all inputs of the loading, to recognize a directory whose playbook is loaded already.
pub(super) fn fingerprint(spec: &RunSpec) -> String {
    let mut hash = Sha256::new();
    let requirements = match &spec.requirements {
        Requirements::File(path) => format!("file {path}"),
        Requirements::Text(text) => format!("text {text}"),
    };
    for part in [&spec.source_repo, &spec.commit, &spec.playbook_path, &requirements] {
        hash.update(part);
        hash.update([0]);
    }
    hash.update(serde_json::to_vec(&spec.variables).unwrap_or_default());
    hex::encode(hash.finalize())
}

/// The run spec for loading: an address of no machine, and no key.
pub(super) fn on_no_machine(spec: LoadSpec, dir: &RunDir) -> RunSpec {
    let target = Target {
        ssh: SocketAddr::from((Ipv4Addr::new(192, 0, 2, 1), 22)),
        user: "nobody".to_owned(),
        private_key: String::new().into(),
        host_key: None,
        python: None,
    };
    spec.run(dir.path().to_owned(), target, LIMIT, LIMIT)
}

async fn list(
    spec: &RunSpec,
    dir: &RunDir,
    inside: &Inside<'_>,
    cancel: &CancellationToken,
) -> Result<Output, AnsibleError> {
    let mut cell = playbook(spec, dir, inside).await?;
    cell.command.arg("--list-tasks");
    Ok(sandbox::capture_up_to(LIST_LIMIT, cell, LIMIT, cancel).await?)
}

async fn rehearse(
    spec: &RunSpec,
    dir: &RunDir,
    inside: &Inside<'_>,
    cancel: &CancellationToken,
) -> Result<Output, AnsibleError> {
    let mut cell = playbook(spec, dir, inside).await?;
    let command = &mut cell.command;
    // Set in the environment, which overrides the repository's own tags; on the command line they would be added.
    command.arg("--check").env("ANSIBLE_RUN_TAGS", NO_TASK).env("ANSIBLE_SKIP_TAGS", "always");
    command.env("ANSIBLE_CALLBACK_PLUGINS", dir.loading_plugins()).env("ANSIBLE_STDOUT_CALLBACK", LOADING_CALLBACK);
    // No callback of the repository reports a run. Never an empty list: Ansible 2.19 takes it for a nameless plugin.
    command.env("ANSIBLE_CALLBACKS_ENABLED", LOADING_CALLBACK).env("ANSIBLE_CALLBACK_WHITELIST", LOADING_CALLBACK);
    Ok(sandbox::capture(cell, LIMIT, cancel).await?)
}

/// Has no network, so that neither the playbook nor a plugin of the repository connects.
async fn playbook(spec: &RunSpec, dir: &RunDir, inside: &Inside<'_>) -> Result<Cell, AnsibleError> {
    let words = runner::playbook_command(dir, spec)?;
    let mut words = words.into_iter();
    let wall = runner::wall(dir, spec)?.show(dir.loading_plugins());
    let mut cell = inside.cell(words.next().unwrap_or_default(), &wall).await?;
    let command = &mut cell.command;
    command.args(words);
    runner::environment(command, dir, spec, &dir.join("tmp"));
    galaxy::environment(command, dir, &runner::configuration(dir, spec))?;
    command.env("ANSIBLE_SSH_EXECUTABLE", "/bin/false");
    Ok(cell)
}

fn refused(spec: &RunSpec, output: &Output, dir: &RunDir) -> AnsibleError {
    let words = format!("{} cannot be loaded: {}", spec.playbook_path, sentence::find(&output.stderr, dir));
    if faults::is_ours(output) { AnsibleError::Transient(words) } else { AnsibleError::Permanent(words) }
}

/// Whether only a variables file is missing that an earlier play may write.
fn is_excused(output: &Output, rehearsed: &Output) -> bool {
    rehearsed.stdout.lines().any(|line| line == LOADED) && lacks_vars_file(&output.stderr)
}

/// The missing variables files, each with the reason why it is not an error.
fn missing_vars_files(rehearsed: &Output) -> Vec<String> {
    let ignored = (&rehearsed.stdout, "this version of Ansible goes on without it");
    let later = (&rehearsed.stderr, "an earlier play may write it");
    let mut found = Vec::new();
    for (said, why) in [ignored, later] {
        let lines = said.lines().filter(|line| lacks_vars_file(line));
        let lines = lines.map(|line| line.trim_start_matches("ERROR! ").trim_start_matches("[ERROR]: "));
        found.extend(lines.map(|line| format!("{line}; {why}")));
    }
    found
}

fn lacks_vars_file(said: &str) -> bool {
    said.lines().any(|line| line.split_once(NO_VARS_FILE.0).is_some_and(|(_, rest)| rest.contains(NO_VARS_FILE.1)))
}

/// Counts the lines of tasks: indented by six spaces, with the tags at the end.
fn count_listed(text: &str) -> u32 {
    let is_task = |line: &&str| {
        line.strip_prefix("      ").is_some_and(|task| !task.starts_with(' ') && task.contains("\tTAGS: ["))
    };
    u32::try_from(text.lines().filter(is_task).count()).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_tasks_and_not_plays() {
        let text = "\nplaybook: a.yml\n\n  play #1 (app): One\tTAGS: []\n    tasks:\n      role : a\tTAGS: []\n      b: c\tTAGS: [x]\n\n  play #2 (app): Two\tTAGS: []\n    tasks:\n";
        assert_eq!(count_listed(text), 2);
        assert_eq!(count_listed("ERROR! the playbook is broken"), 0);
    }
}

//! The text of the comment on a pull request. A pure function of [`Standing`].

use shared_types::pull_request::Approval;
use shared_types::{AppServerStatus, FieldWarning};

use super::markdown::block;
use super::plan::page;
use super::standing::{Build, Instance, Standing};

/// A site of the instance.
#[derive(Debug, Clone)]
pub(super) struct Site {
    /// The name shown to people.
    pub(super) label: String,
    /// The public address.
    pub(super) url: String,
}

/// The marker and the addresses in a comment.
#[derive(Debug, Clone, Default)]
pub(super) struct Names<'a> {
    /// The HTML comment that our comment begins with, to find it again; GitHub does not show it.
    pub(super) marker: &'a str,
    /// The instance's sites, the main one first.
    pub(super) sites: &'a [Site],
    /// The public address of this program.
    pub(super) public_url: Option<&'a str>,
}

/// The comment; none: no comment is needed. `is_there`: there is one already, which is always kept up to date.
pub(super) fn comment(standing: &Standing, names: &Names<'_>, is_there: bool) -> Option<String> {
    let asks = standing.is_open() && (standing.settings_trouble.is_some() || standing.approval == Approval::Needed);
    // An instance that was archived before the first report gets no comment.
    let is_told = is_there || standing.instance.is_some() && !is_over(standing);
    if !asks && !is_told {
        return None;
    }
    let mut text = format!("{}\n", names.marker);
    for part in parts(standing, names) {
        text.push_str(&part);
        text.push('\n');
    }
    Some(text)
}

fn is_over(standing: &Standing) -> bool {
    standing.instance.as_ref().is_some_and(|instance| instance.is_archived && instance.machines == 0)
}

/// Paragraphs, blocks and the table, each with an LF at its end.
fn parts(standing: &Standing, names: &Names<'_>) -> Vec<String> {
    let mut parts = vec!["### Sandbox of this pull request\n".to_owned()];
    if standing.is_open() {
        parts.extend(asked(standing));
    }
    match &standing.instance {
        None if standing.is_open() => parts.push("There is no instance of it.\n".to_owned()),
        None => parts.push("It is closed; there was no instance of it.\n".to_owned()),
        Some(instance) => parts.extend(of_instance(standing, instance)),
    }
    if let Some(trouble) = standing.trouble.as_deref().filter(|_| standing.is_open()) {
        parts.push(format!("What it asks for could not be done:\n\n{}", block(trouble)));
    }
    parts.push(table(standing, names));
    parts
}

/// What blocks the build of the commit, and advice for the author.
fn asked(standing: &Standing) -> Vec<String> {
    let mut parts = Vec::new();
    if let Some(trouble) = &standing.settings_trouble {
        let words = "The settings in its description cannot be used; nothing is built until they are changed:";
        parts.push(format!("{words}\n\n{}", block(trouble)));
    }
    if !standing.warnings.is_empty() {
        let line = |one: &FieldWarning| match one.line {
            Some(line) => format!("line {line}: {}\n", one.detail),
            None => format!("{}\n", one.detail),
        };
        let lines: String = standing.warnings.iter().map(line).collect();
        parts.push(format!("About the settings in its description:\n\n{}", block(&lines)));
    }
    let commit = &standing.commit;
    match standing.approval {
        Approval::Needed => parts.push(format!("**Commit {commit} waits for approval by an operator.**\n")),
        Approval::Ignored => parts.push(format!("An operator has decided that commit {commit} is not built.\n")),
        Approval::NotNeeded | Approval::Approved => {}
    }
    parts
}

fn of_instance(standing: &Standing, instance: &Instance) -> Vec<String> {
    let mut parts = Vec::new();
    let its = if standing.is_open() { "Its instance" } else { "It is closed; its instance" };
    match (instance.is_archived, instance.machines) {
        (true, ..=0) => return vec![format!("{its} is torn down; its machines are verified gone.\n")],
        (true, _) => return vec![format!("{its} is being torn down.\n")],
        (false, _) if !standing.is_open() => parts.push(format!("{its} will be torn down.\n")),
        (false, _) => {}
    }
    let Some(newest) = instance.newest() else {
        parts.push("Nothing was launched yet.\n".to_owned());
        return parts;
    };
    parts.push(of_newest(instance, newest));
    if let Some(active) = instance.active().filter(|active| active.id != newest.id) {
        parts.push(format!("{} has the traffic, with {}.\n", active.name, commit(active)));
    }
    let head = Some(standing.commit.as_str());
    let is_told_of = newest.commit.as_deref() == head || instance.served_commit() == head;
    if !is_told_of && standing.is_open() {
        let words = "the head of the pull request, does not run here";
        parts.push(format!("**Commit {}, {words}.**\n", standing.commit));
    }
    parts
}

fn of_newest(instance: &Instance, newest: &Build) -> String {
    let (name, commit) = (&newest.name, commit(newest));
    let is_active = instance.active == Some(newest.id);
    match newest.status {
        AppServerStatus::New if !newest.is_begun => format!("**{name}** waits for its turn, with {commit}.\n"),
        AppServerStatus::New | AppServerStatus::Waiting | AppServerStatus::Configuring => {
            format!("**{name}** is being built, with {commit}.\n")
        }
        AppServerStatus::Running if instance.is_served_by(newest) => {
            format!("**{name}** runs and has the traffic, with {commit}.\n")
        }
        AppServerStatus::Running if is_active || newest.is_to_be_activated => {
            format!("**{name}** runs and is being activated, with {commit}.\n")
        }
        AppServerStatus::Running => format!("**{name}** runs without traffic, with {commit}.\n"),
        AppServerStatus::Failed | AppServerStatus::Error => {
            let step = newest.failed_step.map(|step| format!(" at the step «{}»", step.name())).unwrap_or_default();
            let why = newest.failure.as_deref().map(block).unwrap_or_default();
            format!("**{name}** could not be built, with {commit}: it failed{step}.\n\n{why}")
        }
        AppServerStatus::Stopped => format!("**{name}** was stopped before it was built, with {commit}.\n"),
        AppServerStatus::Terminated => format!("**{name}** is terminated; it had {commit}.\n"),
    }
}

/// Names the commit only: a branch's name is untrusted text.
fn commit(build: &Build) -> String {
    let unknown = || "code that the settings of the instance choose (its commit is not known)".to_owned();
    build.commit.as_ref().map_or_else(unknown, |commit| format!("commit {commit}"))
}

fn table(standing: &Standing, names: &Names<'_>) -> String {
    let mut lines = Vec::new();
    if let Some(instance) = standing.instance.as_ref().filter(|instance| !instance.is_archived) {
        lines.extend(names.sites.iter().map(|Site { label, url }| format!("| {label} | {url} |\n")));
        let newest = names.public_url.zip(instance.newest());
        let newest =
            newest.map(|(url, newest)| format!("| Build | [{}]({url}{}) |\n", newest.name, page(instance, newest)));
        lines.extend(newest);
    }
    if lines.is_empty() { String::new() } else { format!("| | |\n| --- | --- |\n{}", lines.concat()) }
}

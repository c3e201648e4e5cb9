//! Why a build failed, at the top of the page: the failed task's name and role, the message, the log lines around it.

use std::sync::Arc;

use leptos::prelude::*;
use leptos::task::spawn_local;
use shared_types::{AppServer, AppServerId, LogEntry, LogLevel};

use super::log::{Excerpt, failing};
use super::ssh_line::SshLine;
use super::status_label::StatusLabel;
use crate::api::logs::{self, LogOf, PAGE, Place};
use crate::state::{clock, state};
use crate::words;

/// The number of entries shown.
const SHOWN: usize = 20;
/// How many of them come before the entry with the error.
const BEFORE: i64 = 14;

/// The card, for an app server that failed.
#[component]
pub fn Failure(
    /// The app server whose build failed.
    app_server: Memo<Arc<AppServer>>,
) -> impl IntoView {
    let whole = app_server.get_untracked();
    let summary = &whole.summary;
    let is_sought = RwSignal::new(true);
    let found = RwSignal::new(None::<Found>);
    let id = summary.id;
    let failure = summary.failure.clone().unwrap_or_else(|| "See the log for details.".to_owned());
    let sought = failure.clone();
    let state = state();
    spawn_local(async move {
        // Without the lines the card still shows the message; the log below has the rest.
        match find(id, &sought).await {
            Ok(lines) => drop(found.try_set(lines)),
            Err(error) => drop(state.session.ends_by(&error)),
        }
        is_sought.try_set(false);
    });
    let from_log = move || found.with(|found| found.as_ref().and_then(|found| found.task.clone()));
    let known_task = summary.progress.task.clone();
    let status = words::status::of_app_server(summary.status);
    let task = Memo::new(move |_| from_log().or_else(|| known_task.clone()));
    let title = move || task.get().unwrap_or_else(|| status.to_owned());
    // The title already names the task.
    let why = move || {
        let prefix = format!("{}: ", task.get().unwrap_or_default());
        failure.strip_prefix(&prefix).unwrap_or(&failure).to_owned()
    };
    let tasks = summary.progress.tasks_words().map(|tasks| format!("Task {tasks}. "));
    let role = move || task.get().and_then(|task| Some(format!("Role {}. ", role_of(&task)?)));
    let link = move || {
        found.with(|found| found.as_ref().map(|found| found.line)).map(|line| {
            let words = words::thousands(usize::try_from(line).unwrap_or_default());
            view! { <a href=format!("#L{line}")>"line " {words}</a> }
        })
    };
    // Reserves the height of the lines until they are loaded: a link to a line of the log below would miss its target.
    let lines = move || match found.get() {
        Some(found) => view! { <Excerpt entries=found.entries around=found.line/> }.into_any(),
        None => is_sought.get().then(|| view! { <div class="log excerpt" aria-busy="true"></div> }).into_any(),
    };
    view! {
        <section class="card failure" aria-label="Failure">
            <header>
                <StatusLabel status=summary.status/>
                <h2>{title}</h2>
                <span class="right">{link}</span>
            </header>
            <div class="body">
                <p>{why}</p>
                <p class="fine">
                    {role} {tasks} "No impact on users: this app server was never active."
                </p>
            </div>
            {lines}
            <Machine app_server/>
        </section>
    }
}

/// What is left of the build to look at: its machine, until when, and how to log in.
#[component]
fn Machine(app_server: Memo<Arc<AppServer>>) -> impl IntoView {
    let now = clock::now();
    let login = Memo::new(move |_| app_server.with(|one| one.server.ssh.clone()));
    let is_there =
        Memo::new(move |_| app_server.with(|one| one.summary.has_machine && one.server.provider_id.is_some()));
    let end = move || app_server.with(|one| words::machine::kept(&one.summary, now.get()));
    view! {
        <Show when=move || is_there.get()>
            <div class="body left">
                <p>"Its machine is kept, so that you can look at it. " {end}</p>
                {move || login.get().map(|login| view! { <SshLine login/> })}
            </div>
        </Show>
    }
}

/// The log entries around the error of a failure.
#[derive(Debug, Clone)]
struct Found {
    line: i64,
    task: Option<String>,
    entries: Vec<LogEntry>,
}

async fn find(id: AppServerId, failure: &str) -> crate::api::Result<Option<Found>> {
    let of = LogOf::AppServer(id);
    let errors = logs::read(of, Place::End, Some(LogLevel::Error), PAGE).await?;
    let Some((line, task)) = failing(&errors, failure).and_then(|entry| Some((entry.seq?, entry.task.clone()))) else {
        return Ok(None);
    };
    let entries = logs::read(of, Place::After((line - BEFORE - 1).max(0)), None, SHOWN).await?;
    Ok(Some(Found { line, task, entries }))
}

/// The role of a task that has one: Ansible writes “role : task”.
fn role_of(task: &str) -> Option<&str> {
    task.split_once(" : ").map(|(role, _)| role.trim()).filter(|role| !role.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn a_role_stands_before_its_task() {
        assert_eq!(role_of("edxapp : install requirements"), Some("edxapp"));
        assert_eq!(["Gathering Facts", "wait: it boots", " : x"].map(role_of), [None, None, None]);
    }
}

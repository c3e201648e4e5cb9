//! Why a build ended badly, before anything else: the task's name, the words, the first line of the log that says so.

use leptos::prelude::*;
use leptos::task::spawn_local;
use shared_types::{AppServer, LogLevel};
use std::sync::Arc;

use super::status_label::StatusLabel;
use crate::api::logs::{self, Filter, LogOf, Place};
use crate::words;

/// The card, for an app server that failed.
#[component]
pub fn Failure(
    /// Which.
    app_server: Arc<AppServer>,
) -> impl IntoView {
    let summary = &app_server.summary;
    let id = summary.id;
    let line = RwSignal::new(None::<i64>);
    spawn_local(async move {
        let filter = Filter { level: Some(LogLevel::Error), words: String::new() };
        // Without the line the card still says why; the log below shows the rest.
        if let Ok(entries) = logs::read(LogOf::AppServer(id), Place::After(0), &filter).await {
            line.try_set(entries.first().and_then(|entry| entry.seq));
        }
    });
    let title = summary.progress.task.clone().unwrap_or_else(|| summary.status_description.clone());
    let why = summary.failure.clone().unwrap_or_else(|| "The log says more.".to_owned());
    // The title names the task already.
    let why = why.strip_prefix(&format!("{title}: ")).map_or_else(|| why.clone(), ToOwned::to_owned);
    let tasks = summary.progress.tasks_words().map(|tasks| format!("Task {tasks}. "));
    let number = move || {
        line.get().map(|line| {
            let words = words::thousands(usize::try_from(line).unwrap_or_default());
            view! { <a href=format!("#L{line}")>"line " {words}</a> }
        })
    };
    view! {
        <section class="card failure" aria-label="Failure">
            <header>
                <StatusLabel status=summary.status/>
                <h2>{title}</h2>
                <span class="right">{number}</span>
            </header>
            <div class="body">
                <p>{why}</p>
                <p class="fine">{tasks} "The visitors were not affected: an app server gets no traffic before it is activated."</p>
            </div>
        </section>
    }
}

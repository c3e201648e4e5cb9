//! A few lines of a log without its toolbar: those around the error that made a build fail.

use leptos::prelude::*;
use shared_types::{LogEntry, LogLevel};

use super::classify::Kind;
use super::row::line_text;
use super::store::{lines, number};

/// The entry with the cause: the last error of the task that the failure names, else the last error.
pub fn failing<'a>(errors: &'a [LogEntry], failure: &str) -> Option<&'a LogEntry> {
    let is_named = |entry: &&LogEntry| {
        entry
            .task
            .as_ref()
            .is_some_and(|task| failure.strip_prefix(task.as_str()).is_some_and(|rest| rest.starts_with(": ")))
    };
    let errors = || errors.iter().rev().filter(|entry| entry.level >= LogLevel::Error);
    errors().find(is_named).or_else(|| errors().next())
}

#[component]
pub fn Excerpt(
    entries: Vec<LogEntry>,
    /// The number of the line with the error.
    around: i64,
) -> impl IntoView {
    let rows = entries.iter().flat_map(|entry| {
        let class = Kind::of(entry.level, &entry.text).class();
        let number = number(entry);
        let class = if number == around { format!("{class} named") } else { class.to_owned() };
        lines(&entry.text).enumerate().map(move |(place, line)| {
            let link = (place == 0).then(|| {
                let label = format!("Line {number}");
                view! { <a class="n" href=format!("#L{number}") aria-label=label>{number}</a> }
            });
            view! { <div class=class.clone()>{link}{line_text(line, "")}</div> }.into_any()
        })
    });
    view! {
        <div class="log no-times excerpt" role="region" aria-label="Lines around the failure" tabindex="0">
            <div class="sheet">{rows.collect_view()}</div>
        </div>
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono::DateTime;
    use shared_types::LogEntryId;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    fn error(number: i64, task: Option<&str>, level: LogLevel) -> LogEntry {
        LogEntry {
            id: LogEntryId(number),
            seq: Some(number),
            created: DateTime::default(),
            level,
            text: "fatal".into(),
            task: task.map(Into::into),
            instance_id: None,
            app_server_id: None,
            server_id: None,
        }
    }

    #[test]
    fn the_error_of_the_task_that_failed_says_why() {
        let errors = [
            error(3, Some("web : install"), LogLevel::Error),
            error(7, Some("web : install"), LogLevel::Error),
            error(8, Some("web : install it"), LogLevel::Error),
            error(9, None, LogLevel::Error),
            error(10, None, LogLevel::Warning),
        ];
        let found = |failure| failing(&errors, failure).map(number);
        assert_eq!(found("web : install: no such package"), Some(7));
        assert_eq!(found("The VM did not come"), Some(9));
        assert_eq!(failing(&[], "x"), None);
    }
}

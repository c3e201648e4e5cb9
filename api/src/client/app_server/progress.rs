//! Progress of a build as text: on a terminal one line that is overwritten, elsewhere one line for each change.

use std::io::{self, IsTerminal, Write};

use shared_types::AppServerSummary;

use crate::client::text;

/// The progress; the number of tasks changes often and is included on request.
pub fn words(one: &AppServerSummary, has_tasks: bool) -> String {
    let progress = &one.progress;
    if one.stop_requested_by.is_some() && one.status.is_building() {
        return "it is being stopped".to_owned();
    }
    if let Some(queued) = &progress.queued {
        return queued.words();
    }
    let mut words = one.status.name().to_owned();
    if let Some(step) = progress.step.filter(|_| one.status.is_building()) {
        words.push_str(&format!(", {}", step.name()));
    }
    if has_tasks && let Some(tasks) = progress.tasks_words().filter(|_| one.status.is_building()) {
        words.push_str(&format!(", {tasks} tasks"));
        words.extend(progress.task.as_ref().map(|task| format!(": {task}")));
    }
    words
}

/// Shows the progress of builds on standard error.
#[derive(Debug)]
pub struct Display {
    is_terminal: bool,
    last: String,
}

impl Display {
    /// Makes a display that shows nothing yet.
    pub fn new() -> Self {
        Self { is_terminal: io::stderr().is_terminal(), last: String::new() }
    }

    /// Shows a build's progress if it has changed.
    pub fn show(&mut self, one: &AppServerSummary) {
        self.line(&format!("app server {}: {}", one.id, words(one, self.is_terminal)));
    }

    /// Shows a text other than a build's progress.
    pub fn line(&mut self, words: &str) {
        let line = text::shown(words);
        if line == self.last {
            return;
        }
        // A line that wraps could not be overwritten.
        let width = self.is_terminal.then(width).unwrap_or(usize::MAX);
        let short: String = line.chars().take(width).collect();
        let _ = if self.is_terminal {
            write!(io::stderr(), "\r\u{1b}[K{short}").and_then(|()| io::stderr().flush())
        } else {
            writeln!(io::stderr(), "{short}")
        };
        self.last = line;
    }

    /// Ends the line, so that the next output begins a new one.
    pub fn end(&mut self) {
        if self.is_terminal && !self.last.is_empty() {
            let _ = writeln!(io::stderr());
        }
        self.last.clear();
    }
}

fn width() -> usize {
    rustix::termios::tcgetwinsize(io::stderr()).map_or(80, |size| usize::from(size.ws_col)).max(20) - 1
}

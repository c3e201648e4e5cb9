//! How far a build is, in words: a line that is written anew on a terminal, a line for each change elsewhere.

use std::io::{self, IsTerminal, Write};

use shared_types::AppServerSummary;

use crate::client::text;

/// How far it is; with the tasks, which change often, or without.
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

/// Shows on standard error how builds go on.
#[derive(Debug)]
pub struct Display {
    is_terminal: bool,
    last: String,
}

impl Display {
    /// Nothing is shown yet.
    pub fn new() -> Self {
        Self { is_terminal: io::stderr().is_terminal(), last: String::new() }
    }

    /// Shows how far a build is, unless that is what is shown.
    pub fn show(&mut self, one: &AppServerSummary) {
        self.line(&format!("app server {}: {}", one.id, words(one, self.is_terminal)));
    }

    /// Shows something else.
    pub fn line(&mut self, words: &str) {
        let line = text::shown(words);
        if line == self.last {
            return;
        }
        // A line that wraps could not be written anew.
        let width = self.is_terminal.then(width).unwrap_or(usize::MAX);
        let short: String = line.chars().take(width).collect();
        let _ = if self.is_terminal {
            write!(io::stderr(), "\r\u{1b}[K{short}").and_then(|()| io::stderr().flush())
        } else {
            writeln!(io::stderr(), "{short}")
        };
        self.last = line;
    }

    /// What is shown stays, and what follows begins a line.
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

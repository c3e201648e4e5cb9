//! Turns the output of a run into lines for the log.
//!
//! A line of the events file is an object of our callback (`ansible/callback_plugins/ocim_jsonl.py`), or other output
//! on stdout: of a filter, a connection plugin, another callback. A key that only the callback was given marks its
//! objects. The other file holds stderr. Parsing never fails: a line that is not understood is logged as text.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde::Deserialize;
use shared_types::LogLevel;

use super::port::{SpoolLine, TaskProgress};
use super::reach::Reach;
use super::sentence::with_place;
use super::stderr::Stderr;
use super::text::{clean, plain};

/// An event with an older time gets the present time.
const OLDEST: TimeDelta = TimeDelta::days(30);

/// One object written by the callback.
#[derive(Debug, Deserialize)]
struct Event {
    /// Unix time in seconds.
    at: f64,
    kind: Kind,
    text: String,
    task: Option<String>,
    message: Option<String>,
    /// The host that the event is about.
    host: Option<String>,
    /// The host that the task was delegated to.
    delegate: Option<String>,
    /// The play's `hosts`.
    hosts: Option<String>,
    /// Whether `--list-tasks` listed the task. The callback of an earlier version does not say.
    #[serde(default = "yes")]
    is_listed: bool,
    /// Seconds without output that a task allows itself (`async`).
    #[serde(default)]
    patience: u32,
}

const fn yes() -> bool {
    true
}

/// Kind of event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    Play,
    NoHosts,
    TaskStart,
    Meta,
    ErrorsCleared,
    Ok,
    Changed,
    Skipped,
    Failed,
    Unreachable,
    Ignored,
    Rescued,
    Retry,
    Poll,
    Item,
    ItemFailed,
    Include,
    Diff,
    Stats,
    Warning,
    /// An event of a callback that is newer than this program.
    #[serde(other)]
    Unknown,
}

impl Kind {
    const fn level(self) -> LogLevel {
        match self {
            Self::Failed | Self::Unreachable => LogLevel::Error,
            Self::Ignored | Self::Rescued | Self::Retry | Self::ItemFailed | Self::Warning | Self::NoHosts => {
                LogLevel::Warning
            }
            Self::Play
            | Self::TaskStart
            | Self::Meta
            | Self::ErrorsCleared
            | Self::Ok
            | Self::Changed
            | Self::Skipped
            | Self::Poll
            | Self::Item
            | Self::Include
            | Self::Diff
            | Self::Stats
            | Self::Unknown => LogLevel::Info,
        }
    }
}

/// Parses one run's lines in order, and remembers its failure.
#[derive(Debug)]
pub(super) struct Parser {
    /// Prefix of the callback's lines; none for the callback of an earlier version, whose lines have no key.
    begin: Option<Vec<u8>>,
    failed_task: Option<(String, String)>,
    /// The present task has ended on one host already: further hosts do not count it again.
    has_ended: bool,
    patience: Duration,
    reach: Reach,
    stderr: Stderr,
}

impl Parser {
    /// `key`: the one that the run's callback was given.
    pub(super) fn new(key: Option<&str>) -> Self {
        Self {
            begin: key.map(|key| format!("{{\"key\": \"{key}\", ").into_bytes()),
            failed_task: None,
            has_ended: false,
            patience: Duration::ZERO,
            reach: Reach::default(),
            stderr: Stderr::default(),
        }
    }

    /// Parses a line of the events file. Text before an event is other output that had no line end.
    pub(super) fn event(&mut self, line: &[u8], lines: &mut Vec<SpoolLine>) {
        let start = match &self.begin {
            Some(begin) => line.windows(begin.len()).position(|part| part == begin.as_slice()),
            None => Some(0),
        };
        let (foreign, ours) = line.split_at(start.unwrap_or(line.len()));
        let event = serde_json::from_slice::<Event>(ours);
        let foreign = if event.is_ok() { foreign } else { line };
        lines.extend(spool_line(Utc::now(), LogLevel::Info, &String::from_utf8_lossy(foreign), None, None));
        if let Ok(event) = event {
            lines.extend(self.read(event));
        }
    }

    /// Parses a line of stderr.
    pub(super) fn error(&mut self, line: &[u8], lines: &mut Vec<SpoolLine>) {
        let text = clean(&String::from_utf8_lossy(line));
        let level = self.stderr.take(&text);
        lines.extend(spool_line(Utc::now(), level, &text, None, None));
    }

    /// The first task that failed without being rescued or ignored, with its message.
    pub(super) fn take_failed_task(&mut self) -> Option<(String, String)> {
        self.failed_task.take()
    }

    /// Ansible's last error message on stderr.
    pub(super) fn error_words(&self) -> Option<String> {
        self.stderr.words().map(|words| plain(&words))
    }

    /// The `hosts` of the plays, if none of them ran on the machine.
    pub(super) fn missed(&self, machine: &str) -> Option<Vec<String>> {
        self.reach.missed(machine)
    }

    /// How long the present task may print nothing, by its own `async` limit.
    pub(super) const fn patience(&self) -> Duration {
        self.patience
    }

    fn read(&mut self, event: Event) -> Option<SpoolLine> {
        for host in [&event.host, &event.delegate].into_iter().flatten() {
            self.reach.host(host);
        }
        match event.kind {
            Kind::Play => self.reach.play(event.hosts),
            Kind::NoHosts => self.reach.nothing_matched(),
            Kind::Stats => self.reach.over(),
            Kind::ErrorsCleared => self.failed_task = None,
            Kind::TaskStart
            | Kind::Meta
            | Kind::Ok
            | Kind::Changed
            | Kind::Skipped
            | Kind::Failed
            | Kind::Unreachable
            | Kind::Ignored
            | Kind::Rescued
            | Kind::Retry
            | Kind::Poll
            | Kind::Item
            | Kind::ItemFailed
            | Kind::Include
            | Kind::Diff
            | Kind::Warning
            | Kind::Unknown => {}
        }
        let task = event.task.map(|task| clean(&task));
        if matches!(event.kind, Kind::Failed | Kind::Unreachable) && self.failed_task.is_none() {
            let message = with_place(plain(&event.message.unwrap_or_default()));
            self.failed_task = Some((task.as_deref().map(plain).unwrap_or_default(), message));
        }
        let progress = self.progress(event.kind, event.is_listed);
        match progress {
            Some(TaskProgress::Began | TaskProgress::Added) => {
                self.patience = Duration::from_secs(event.patience.into())
            }
            Some(TaskProgress::Ended) => self.patience = Duration::ZERO,
            None => {}
        }
        spool_line(time(event.at), event.kind.level(), &event.text, task, progress)
    }

    fn progress(&mut self, kind: Kind, is_listed: bool) -> Option<TaskProgress> {
        match kind {
            Kind::TaskStart => {
                self.has_ended = false;
                Some(if is_listed { TaskProgress::Began } else { TaskProgress::Added })
            }
            // These tasks have no result, so they end at once. One that was not listed does not count.
            Kind::Meta | Kind::ErrorsCleared => {
                self.has_ended = true;
                is_listed.then_some(TaskProgress::Ended)
            }
            Kind::Ok
            | Kind::Changed
            | Kind::Skipped
            | Kind::Failed
            | Kind::Unreachable
            | Kind::Ignored
            | Kind::Rescued => (!std::mem::replace(&mut self.has_ended, true)).then_some(TaskProgress::Ended),
            Kind::Play
            | Kind::NoHosts
            | Kind::Retry
            | Kind::Poll
            | Kind::Item
            | Kind::ItemFailed
            | Kind::Include
            | Kind::Diff
            | Kind::Stats
            | Kind::Warning
            | Kind::Unknown => None,
        }
    }
}

fn spool_line(
    at: DateTime<Utc>,
    level: LogLevel,
    text: &str,
    task: Option<String>,
    progress: Option<TaskProgress>,
) -> Option<SpoolLine> {
    let text = clean(text);
    (!text.is_empty() || progress.is_some()).then_some(SpoolLine { at, level, text, task, progress })
}

/// The event's time, or now if that is not plausible.
#[expect(clippy::cast_possible_truncation, reason = "a float becomes the nearest integer, or the largest")]
fn time(seconds: f64) -> DateTime<Utc> {
    let now = Utc::now();
    let told = DateTime::from_timestamp_micros((seconds * 1e6) as i64);
    told.filter(|told| (now - OLDEST..=now).contains(told)).unwrap_or(now)
}

#[cfg(test)]
#[path = "events_tests.rs"]
mod tests;

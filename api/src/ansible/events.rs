//! What a run printed, as lines for the log.
//!
//! A line of the events file is an object of our callback (`ansible/callback_plugins/ocim_jsonl.py`), or anything that
//! something else printed on stdout. The other file holds stderr. Nothing here fails: what is not understood is text.

use chrono::{DateTime, Utc};
use serde::Deserialize;
use shared_types::LogLevel;

use super::port::{SpoolLine, TaskProgress};

/// One object of the callback.
#[derive(Debug, Deserialize)]
struct Event {
    /// Seconds since 1970.
    at: f64,
    kind: Kind,
    text: String,
    task: Option<String>,
    message: Option<String>,
}

/// What it tells of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    Play,
    TaskStart,
    Meta,
    Ok,
    Changed,
    Skipped,
    Failed,
    Unreachable,
    Ignored,
    Rescued,
    Retry,
    Item,
    ItemFailed,
    Include,
    Diff,
    Stats,
    Warning,
    /// Of a callback that is newer than this program.
    #[serde(other)]
    Unknown,
}

impl Kind {
    const fn level(self) -> LogLevel {
        match self {
            Self::Failed | Self::Unreachable => LogLevel::Error,
            Self::Ignored | Self::Rescued | Self::Retry | Self::ItemFailed | Self::Warning => LogLevel::Warning,
            Self::Play
            | Self::TaskStart
            | Self::Meta
            | Self::Ok
            | Self::Changed
            | Self::Skipped
            | Self::Item
            | Self::Include
            | Self::Diff
            | Self::Stats
            | Self::Unknown => LogLevel::Info,
        }
    }

    const fn progress(self) -> Option<TaskProgress> {
        match self {
            Self::TaskStart => Some(TaskProgress::Began),
            Self::Meta
            | Self::Ok
            | Self::Changed
            | Self::Skipped
            | Self::Failed
            | Self::Unreachable
            | Self::Ignored
            | Self::Rescued => Some(TaskProgress::Ended),
            Self::Play
            | Self::Retry
            | Self::Item
            | Self::ItemFailed
            | Self::Include
            | Self::Diff
            | Self::Stats
            | Self::Warning
            | Self::Unknown => None,
        }
    }
}

/// Reads one run's lines in their order, and remembers what the first failure was.
#[derive(Debug)]
pub(super) struct Parser {
    failed_task: Option<(String, String)>,
    /// The task has ended on one host already: further hosts do not end it again.
    has_ended: bool,
    stderr: StderrState,
}

/// Whether a line of stderr goes on with a warning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum StderrState {
    Error,
    Warning,
    /// After an empty line within a warning: what looks like a piece of source text belongs to it.
    WarningGap,
}

impl Parser {
    pub(super) fn new() -> Self {
        Self { failed_task: None, has_ended: false, stderr: StderrState::Error }
    }

    /// A line of the events file; none where nothing is to be seen in it.
    pub(super) fn event(&mut self, line: &[u8]) -> Option<SpoolLine> {
        let Ok(event) = serde_json::from_slice::<Event>(line) else {
            return spool_line(Utc::now(), LogLevel::Info, &String::from_utf8_lossy(line), None, None);
        };
        let task = event.task.map(|task| clean(&task));
        if matches!(event.kind, Kind::Failed | Kind::Unreachable) && self.failed_task.is_none() {
            let message = clean(&event.message.unwrap_or_default());
            self.failed_task = Some((task.clone().unwrap_or_default(), message));
        }
        let progress = self.progress(event.kind);
        spool_line(time(event.at), event.kind.level(), &event.text, task, progress)
    }

    /// A line of stderr.
    pub(super) fn error(&mut self, line: &[u8]) -> Option<SpoolLine> {
        let text = String::from_utf8_lossy(line);
        self.stderr = self.stderr.after(&text);
        let level = match self.stderr {
            StderrState::Error => LogLevel::Error,
            StderrState::Warning | StderrState::WarningGap => LogLevel::Warning,
        };
        spool_line(Utc::now(), level, &text, None, None)
    }

    /// The first task that failed for good, with its message.
    pub(super) fn take_failed_task(&mut self) -> Option<(String, String)> {
        self.failed_task.take()
    }

    fn progress(&mut self, kind: Kind) -> Option<TaskProgress> {
        let progress = kind.progress()?;
        let is_repeated = progress == TaskProgress::Ended && kind != Kind::Meta && self.has_ended;
        self.has_ended = progress == TaskProgress::Ended;
        (!is_repeated).then_some(progress)
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

impl StderrState {
    fn after(self, line: &str) -> Self {
        let line = line.trim_end();
        let is_warning =
            ["[WARNING]", "[DEPRECATION WARNING]", "Warning: "].iter().any(|start| line.starts_with(start));
        let is_error = ["[ERROR]", "ERROR", "fatal:", "Traceback"].iter().any(|start| line.starts_with(start));
        let is_context = line.starts_with(|first: char| first.is_whitespace() || first.is_ascii_digit())
            || line.starts_with("Origin: ")
            || line.starts_with("<<< caused by >>>");
        match self {
            Self::Error | Self::Warning | Self::WarningGap if is_error => Self::Error,
            Self::Error | Self::Warning | Self::WarningGap if is_warning => Self::Warning,
            Self::Error => Self::Error,
            Self::Warning | Self::WarningGap if line.is_empty() => Self::WarningGap,
            Self::Warning => Self::Warning,
            Self::WarningGap if is_context => Self::WarningGap,
            Self::WarningGap => Self::Error,
        }
    }
}

/// The text without control characters, apart from line ends, tabs and colours (`ESC [ … m`), and without space at its end.
pub(super) fn clean(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut rest = text.trim_end();
    while let Some(character) = rest.chars().next() {
        let length = match character {
            '\u{1b}' => {
                let (length, is_colour) = escape(rest);
                if is_colour {
                    kept.push_str(rest.get(..length).unwrap_or_default());
                }
                length
            }
            '\n' | '\t' => {
                kept.push(character);
                1
            }
            control if control.is_control() => control.len_utf8(),
            other => {
                kept.push(other);
                other.len_utf8()
            }
        };
        rest = rest.get(length..).unwrap_or_default();
    }
    kept
}

/// The length of the escape sequence `text` begins with, and whether it sets a colour.
fn escape(text: &str) -> (usize, bool) {
    if !text.starts_with("\u{1b}[") {
        return (1, false);
    }
    let arguments = text.bytes().skip(2).take_while(|byte| (0x20..0x40).contains(byte)).count();
    let last = text.as_bytes().get(2 + arguments).copied();
    let is_whole = last.is_some_and(|byte| (0x40..0x7f).contains(&byte));
    (2 + arguments + usize::from(is_whole), last == Some(b'm'))
}

#[expect(clippy::cast_possible_truncation, reason = "a float becomes the nearest integer, or the largest")]
fn time(seconds: f64) -> DateTime<Utc> {
    DateTime::from_timestamp_micros((seconds * 1e6) as i64).unwrap_or_else(Utc::now)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn parse(parser: &mut Parser, kind: &str, more: &str) -> SpoolLine {
        let line = format!(r#"{{"at": 1.5, "kind": "{kind}", "text": "t", "task": "role : a"{more}}}"#);
        parser.event(line.as_bytes()).unwrap()
    }

    #[test]
    fn a_task_begins_once_and_ends_once() {
        let mut parser = Parser::new();
        let kinds = ["play", "task_start", "item", "ok", "changed", "meta", "task_start", "skipped", "stats"];
        let progress = kinds.map(|kind| parse(&mut parser, kind, "").progress);
        let (began, ended) = (Some(TaskProgress::Began), Some(TaskProgress::Ended));
        assert_eq!(progress, [None, began, None, ended, None, ended, began, ended, None]);
    }

    #[test]
    fn the_first_failure_that_counts_is_remembered() {
        let mut parser = Parser::new();
        assert_eq!(parse(&mut parser, "ignored", r#", "message": "no""#).level, LogLevel::Warning);
        assert_eq!(parse(&mut parser, "rescued", r#", "message": "no""#).level, LogLevel::Warning);
        assert_eq!(parse(&mut parser, "failed", r#", "message": "the first""#).level, LogLevel::Error);
        assert_eq!(parse(&mut parser, "unreachable", r#", "message": "another""#).level, LogLevel::Error);
        assert_eq!(parser.take_failed_task(), Some(("role : a".to_owned(), "the first".to_owned())));
    }

    #[test]
    fn what_is_no_event_is_text() {
        let mut parser = Parser::new();
        let cases: [&[u8]; 3] = [b"plain", b"{\"at\": \"never\"}", b"\xff\xfe bytes"];
        let texts = cases.map(|line| parser.event(line).unwrap().text);
        assert_eq!(texts, ["plain", "{\"at\": \"never\"}", "\u{fffd}\u{fffd} bytes"]);
        assert_eq!(parser.event(b"  "), None);
        let event = parser.event(br#"{"at": 1700000000.25, "kind": "of tomorrow", "text": "x"}"#).unwrap();
        assert_eq!((event.at.to_rfc3339().as_str(), event.text.as_str()), ("2023-11-14T22:13:20.250+00:00", "x"));
        for wild in [f64::MAX, f64::MIN, -0.0] {
            assert_eq!(
                parser.event(format!(r#"{{"at": {wild:e}, "kind": "ok", "text": "x"}}"#).as_bytes()).unwrap().text,
                "x"
            );
        }
    }

    #[test]
    fn keeps_colours_and_removes_other_control_characters() {
        assert_eq!(clean("a\u{1b}[1;31mred\u{1b}[0m\tb\nc"), "a\u{1b}[1;31mred\u{1b}[0m\tb\nc");
        assert_eq!(clean("\u{1b}[2J\u{1b}[10;3Ha\u{7}b\u{0}\u{1b}]c\r\n"), "ab]c");
        assert_eq!(clean("cut \u{1b}[3"), "cut ");
        assert_eq!(clean("cut \u{1b}"), "cut ");
        assert_eq!(clean("é\u{1b}[é\u{9b}x"), "ééx");
    }

    #[test]
    fn warnings_on_stderr_are_warnings_to_their_last_line() {
        let mut parser = Parser::new();
        let text = "[WARNING]: this is\ncontinued here\nOrigin: x.yml:4\n\n3   - copy:\n    ^ here\n\nSomething broke\n[DEPRECATION WARNING]: old\nERROR! new";
        let levels: Vec<_> =
            text.lines().filter_map(|line| parser.error(line.as_bytes())).map(|line| line.level).collect();
        let (warning, error) = (LogLevel::Warning, LogLevel::Error);
        assert_eq!(levels, [warning, warning, warning, warning, warning, error, warning, error]);
    }
}

//! What is wrong with an installation, a line for each check, with what to do. `ocim admin doctor` collects the facts
//! (`start/doctor.rs`); the functions here judge them, without side effects.

mod figures;
mod parts;
mod processes;
mod settings;
mod storage;

pub use figures::figures;
pub use parts::{gateways, machines, names, parts, public_name, walls};
pub use processes::{clocks, servers, versions, workers};
pub use settings::contradictions;
pub use storage::{Backups, Room, backups, keys, migrations, rooms};

use serde::Serialize;

/// How a check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// Nothing is wrong.
    Ok,
    /// It works, and should be looked at.
    Warning,
    /// Something does not work, or will not soon.
    Wrong,
}

impl Level {
    /// The word in the output.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Wrong => "wrong",
        }
    }
}

/// What a check has found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The check: one word, which does not change between versions.
    pub check: &'static str,
    pub level: Level,
    /// What is so, in a sentence.
    pub what: String,
    /// What to do, in a sentence; none if nothing is wrong.
    #[serde(rename = "do")]
    pub remedy: Option<String>,
}

impl Finding {
    pub fn ok(check: &'static str, what: impl Into<String>) -> Self {
        Self { check, level: Level::Ok, what: what.into(), remedy: None }
    }

    pub fn warning(check: &'static str, what: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { check, level: Level::Warning, what: what.into(), remedy: Some(remedy.into()) }
    }

    pub fn wrong(check: &'static str, what: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { check, level: Level::Wrong, what: what.into(), remedy: Some(remedy.into()) }
    }
}

impl std::fmt::Display for Finding {
    /// One line, also where a text has several.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:<8} {:<13} {}", self.level.as_str(), self.check, one_line(&self.what))?;
        match &self.remedy {
            Some(remedy) => write!(f, " → {}", one_line(remedy)),
            None => Ok(()),
        }
    }
}

fn one_line(words: &str) -> String {
    let plain = |c: char| if c.is_control() { ' ' } else { c };
    words.chars().map(plain).collect::<String>().split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The findings of a check; if there are none, that all is well.
fn or_ok(findings: Vec<Finding>, check: &'static str, what: impl FnOnce() -> String) -> Vec<Finding> {
    if findings.is_empty() { vec![Finding::ok(check, what())] } else { findings }
}

/// `1 server`, `2 servers`.
fn count(number: usize, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}

/// A span of time: `45 s`, `12 min`, `5 h`, `3 days`.
fn span(seconds: i64) -> String {
    match seconds.abs() {
        0..120 => format!("{seconds} s"),
        120..7200 => format!("{} min", seconds / 60),
        7200..172_800 => format!("{} h", seconds / 3600),
        _ => format!("{} days", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_is_one_line() {
        let finding = Finding::wrong("clock", "The clock\nof \u{1b}host  is late.", "Run\tchrony.");
        assert_eq!(finding.to_string(), "wrong    clock         The clock of host is late. → Run chrony.");
        let json = serde_json::json!({ "check": "clock", "level": "ok", "what": "Fine.", "do": null });
        assert_eq!(serde_json::to_value(Finding::ok("clock", "Fine.")).unwrap_or_default(), json);
        assert!(Level::Ok < Level::Warning && Level::Warning < Level::Wrong);
    }

    #[test]
    fn spans_have_one_unit() {
        let spans: Vec<_> = [45, 720, 18_000, 259_200, -90].into_iter().map(span).collect();
        assert_eq!(spans, ["45 s", "12 min", "5 h", "3 days", "-90 s"]);
    }
}

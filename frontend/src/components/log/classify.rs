//! Classifies log lines by their level and by Ansible's output format.

use shared_types::LogLevel;

/// The kind of a log line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The start of a task, a play or a handler.
    Task,
    /// Ansible's `ok`: nothing had to be changed.
    Ok,
    /// Ansible's `changed`.
    Changed,
    /// A line of level warning.
    Warning,
    /// An error, or Ansible's `fatal` or `failed`.
    Bad,
    Plain,
}

impl Kind {
    pub fn of(level: LogLevel, text: &str) -> Self {
        let begins = |words: &[&str]| words.iter().any(|word| text.starts_with(word));
        match level {
            LogLevel::Error | LogLevel::Critical => Self::Bad,
            LogLevel::Warning => Self::Warning,
            LogLevel::Debug | LogLevel::Info if begins(&["TASK [", "PLAY [", "RUNNING HANDLER ["]) => Self::Task,
            LogLevel::Debug | LogLevel::Info if begins(&["fatal:", "failed:"]) => Self::Bad,
            LogLevel::Debug | LogLevel::Info if begins(&["changed:"]) => Self::Changed,
            LogLevel::Debug | LogLevel::Info if begins(&["ok:"]) => Self::Ok,
            LogLevel::Debug | LogLevel::Info => Self::Plain,
        }
    }

    /// The CSS class for this kind.
    pub const fn class(self) -> &'static str {
        match self {
            Self::Task => "line task",
            Self::Ok => "line ok",
            Self::Changed => "line changed",
            Self::Warning => "line warning",
            Self::Bad => "line bad",
            Self::Plain => "line",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn a_level_says_more_than_the_words() {
        assert_eq!(Kind::of(LogLevel::Error, "ok: [app]"), Kind::Bad);
        assert_eq!(Kind::of(LogLevel::Info, "ok: [app]"), Kind::Ok);
        assert_eq!(Kind::of(LogLevel::Info, "changed: [app]"), Kind::Changed);
        assert_eq!(Kind::of(LogLevel::Info, "fatal: [app]: FAILED!"), Kind::Bad);
        assert_eq!(Kind::of(LogLevel::Info, "TASK [nginx : install] ***"), Kind::Task);
        assert_eq!(Kind::of(LogLevel::Info, "all ok:"), Kind::Plain);
    }
}

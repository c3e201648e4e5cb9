//! What a line of a log is, by its level and by how Ansible writes.

use shared_types::LogLevel;

/// What a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A task, a play, a handler begins.
    Task,
    /// It was so already.
    Ok,
    /// It was changed.
    Changed,
    /// Something to look at.
    Warning,
    /// Something went wrong.
    Bad,
    /// Anything else.
    Plain,
}

impl Kind {
    /// What the line is.
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

    /// The class it is drawn with.
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

//! Parses Ansible's stderr: warnings, and the error that ended it.

use shared_types::LogLevel;

use super::sentence;

/// Limits for an error: number of lines, and bytes of each line.
const LINES: usize = 40;
const LINE_BYTES: usize = 4000;

/// Prefixes of lines that begin a warning.
const WARNINGS: &[&str] = &["[WARNING]", "[DEPRECATION WARNING]", "[DEPRECATED]", "Warning: "];
/// Prefixes of lines that begin an error.
const ERRORS: &[&str] = &["[ERROR]", "ERROR", "fatal:", "Traceback"];
/// Prefixes of Ansible's own error messages.
const MARKS: &[&str] = &["[ERROR]: ", "ERROR! "];

/// Parses stderr line by line.
#[derive(Debug, Default)]
pub(super) struct Stderr {
    state: State,
    error: Vec<String>,
    /// The last line that is not part of a warning.
    last: String,
}

/// What the last lines belong to.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum State {
    #[default]
    Error,
    Warning,
    /// After an empty line within a warning: lines that look like source text still belong to it.
    WarningGap,
}

impl Stderr {
    /// Parses the next line, without its line end; gives its level.
    pub(super) fn take(&mut self, line: &str) -> LogLevel {
        self.state = self.state.after(line);
        match self.state {
            State::Warning | State::WarningGap => LogLevel::Warning,
            State::Error => {
                self.keep(line);
                LogLevel::Error
            }
        }
    }

    fn keep(&mut self, line: &str) {
        let cut = line.char_indices().map(|(at, _)| at).find(|at| *at >= LINE_BYTES).unwrap_or(line.len());
        let line = line.get(..cut).unwrap_or_default().trim_end();
        if MARKS.iter().any(|mark| line.starts_with(mark)) {
            self.error.clear();
            self.error.push(line.to_owned());
        } else if !self.error.is_empty() && self.error.len() < LINES {
            self.error.push(line.to_owned());
        }
        if !line.trim().is_empty() {
            line.trim().clone_into(&mut self.last);
        }
    }

    /// Ansible's last error as one sentence with the position, else the last line.
    pub(super) fn words(&self) -> Option<String> {
        let error = self.error.join("\n");
        let words = match MARKS.iter().find_map(|mark| error.strip_prefix(mark)) {
            Some(error) => sentence::of(error).trim_end_matches('.').to_owned(),
            None => self.last.clone(),
        };
        Some(words).filter(|words| !words.is_empty())
    }
}

impl State {
    fn after(self, line: &str) -> Self {
        let line = line.trim_end();
        let is_warning = WARNINGS.iter().any(|start| line.starts_with(start));
        let is_error = ERRORS.iter().any(|start| line.starts_with(start));
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

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Option<String> {
        let mut stderr = Stderr::default();
        for line in text.lines() {
            stderr.take(line);
        }
        stderr.words()
    }

    #[test]
    fn warnings_are_warnings_to_their_last_line() {
        let mut stderr = Stderr::default();
        let text = "[WARNING]: this is\ncontinued here\nOrigin: x.yml:4\n\n3   - copy:\n    ^ here\n\nSomething broke\n[DEPRECATION WARNING]: old\nERROR! new";
        let levels: Vec<_> =
            text.lines().map(|line| (line, stderr.take(line))).filter(|(line, _)| !line.is_empty()).collect();
        let levels: Vec<_> = levels.into_iter().map(|(_, level)| level).collect();
        let (warning, error) = (LogLevel::Warning, LogLevel::Error);
        assert_eq!(levels, [warning, warning, warning, warning, warning, error, warning, error]);
    }

    #[test]
    fn the_error_is_told_with_its_place() {
        let old = "[WARNING]: noise\nERROR! couldn't resolve module/action 'nope'. This often indicates a misspelling.\n\n\
            The error appears to be in '/run/checkout/playbooks/site.yml': line 3, column 7, but may\n\
            be elsewhere in the file depending on the exact syntax problem.\n\nThe offending line appears to be:\n\n  tasks:\n";
        let told = "couldn't resolve module/action 'nope'. This often indicates a misspelling (/run/checkout/playbooks/site.yml, line 3, column 7)";
        assert_eq!(words(old).as_deref(), Some(told));
        let yaml = "ERROR! We were unable to read either as JSON nor YAML, these are the errors we got from each:\n\
            JSON: Expecting value: line 1 column 1 (char 0)\n\nSyntax Error while loading YAML.\n  did not find expected ','\n\n\
            The error appears to be in '/run/site.yml': line 4, column 1, but may\n";
        let told = "Syntax Error while loading YAML: did not find expected ',' (/run/site.yml, line 4, column 1)";
        assert_eq!(words(yaml).as_deref(), Some(told));
        let new = "[ERROR]: the role 'nope' was not found\nOrigin: /run/checkout/site.yml:2:10\n\n1 - hosts: app\n2   roles: [nope]\n";
        assert_eq!(
            words(new).as_deref(),
            Some("the role 'nope' was not found (/run/checkout/site.yml, line 2, column 10)")
        );
        assert_eq!(words("ERROR! first\nERROR! second: é\n").as_deref(), Some("second: é"));
    }

    #[test]
    fn without_an_error_the_last_words_count_but_no_warning() {
        let text = "Traceback (most recent call last):\n  File \"x\"\nModuleNotFoundError: No module named 'jinja2'\n\n[WARNING]: z\n";
        assert_eq!(words(text).as_deref(), Some("ModuleNotFoundError: No module named 'jinja2'"));
        assert_eq!(words("[WARNING]: only this\n"), None);
        assert_eq!(words(""), None);
        assert_eq!(words(&"é".repeat(10_000)).map(|words| words.len()), Some(LINE_BYTES));
    }
}

//! Why a playbook's run ended, as one text for users. The log has the full output.

use super::StepError;
use crate::ansible::port::{RunOutcome, RunSpec};

/// Longest task name in a reason, and longest text after it, in characters.
const NAME: usize = 200;
const WORDS: usize = 500;

/// Maps the end of a run to the build's result. Secrets are masked with `hide` before a text is cut: a part of a secret
/// would not be recognised any more.
pub(super) fn of_run(outcome: RunOutcome, spec: &RunSpec, hide: impl Fn(&str) -> String) -> Result<(), StepError> {
    let with_words = |state: String, words: Option<String>| match words {
        Some(words) => format!("{state}: {}", cut(&hide(&words), WORDS)),
        None => state,
    };
    let reason = match outcome {
        RunOutcome::Succeeded => return Ok(()),
        RunOutcome::Cancelled => return Err(StepError::Interrupted),
        RunOutcome::NoHost { hosts } => no_host(&hosts, &hide),
        RunOutcome::Failed { failed_task: Some((task, message)), .. } => {
            with_words(cut(&hide(&task), NAME), Some(message).filter(|message| !message.trim().is_empty()))
        }
        RunOutcome::Failed { exit_status: Some(status), failed_task: None, words } => {
            with_words(format!("Ansible play exited with non-zero exit code {status}"), words)
        }
        RunOutcome::Failed { exit_status: None, failed_task: None, words } => {
            with_words("Ansible was ended by a signal".to_owned(), words)
        }
        RunOutcome::Limit { words } => with_words("The playbook met a limit of its run".to_owned(), Some(words)),
        RunOutcome::LineTimeout => {
            format!("The playbook printed nothing for {} s and was ended", spec.line_timeout.as_secs())
        }
        RunOutcome::GlobalTimeout => {
            format!("The playbook took longer than {} s and was ended", spec.global_timeout.as_secs())
        }
    };
    Err(StepError::Fatal(reason))
}

fn no_host(hosts: &[String], hide: impl Fn(&str) -> String) -> String {
    if hosts.is_empty() {
        return "The playbook matched no host: it has no play".to_owned();
    }
    let names: Vec<_> = hosts.iter().map(|hosts| format!("`{hosts}`")).collect();
    let names = cut(&hide(&names.join(", ")), WORDS);
    format!("The playbook matched no host: its plays are for {names}; the inventory has the group `app`")
}

/// Keeps the beginning and the end of a text that is too long: the cause is often at the end.
fn cut(text: &str, longest: usize) -> String {
    let length = text.chars().count();
    if length <= longest {
        return text.to_owned();
    }
    let head: String = text.chars().take(longest * 2 / 5).collect();
    let tail: String = text.chars().skip(length - longest * 3 / 5).collect();
    format!("{} … {}", head.trim_end(), tail.trim_start())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic)]

    use std::path::PathBuf;
    use std::time::Duration;

    use super::*;
    use crate::ansible::port::{Requirements, Target};

    const SECRET: &str = "correct-horse-battery";

    fn reason(outcome: RunOutcome) -> String {
        let target = Target {
            ssh: "192.0.2.1:22".parse().unwrap(),
            user: String::new(),
            private_key: String::new().into(),
            host_key: None,
            python: None,
        };
        let spec = RunSpec {
            dir: PathBuf::new(),
            source_repo: String::new(),
            commit: String::new(),
            playbook_path: String::new(),
            requirements: Requirements::Text(String::new()),
            variables: serde_json::Map::new(),
            target,
            line_timeout: Duration::from_secs(30),
            global_timeout: Duration::from_secs(60),
        };
        let Err(StepError::Fatal(reason)) = of_run(outcome, &spec, |text| text.replace(SECRET, "***")) else {
            panic!()
        };
        reason
    }

    fn failed(task: &str, message: &str) -> RunOutcome {
        let failed_task = Some((task.to_owned(), message.to_owned()));
        RunOutcome::Failed { exit_status: Some(2), failed_task, words: Some("not this".to_owned()) }
    }

    #[test]
    fn a_failed_task_comes_before_what_ansible_says() {
        assert_eq!(reason(failed("lms : migrate", "no such table")), "lms : migrate: no such table");
        assert_eq!(reason(failed("lms : migrate", " ")), "lms : migrate");
    }

    #[test]
    fn without_a_task_ansible_has_the_word() {
        let end = |exit_status, words: Option<&str>| {
            reason(RunOutcome::Failed { exit_status, failed_task: None, words: words.map(str::to_owned) })
        };
        let told = end(Some(1), Some("the role 'nope' was not found (site.yml, line 2, column 10)"));
        let words = "the role 'nope' was not found (site.yml, line 2, column 10)";
        assert_eq!(told, format!("Ansible play exited with non-zero exit code 1: {words}"));
        assert_eq!(end(Some(250), None), "Ansible play exited with non-zero exit code 250");
        assert_eq!(end(None, Some(SECRET)), "Ansible was ended by a signal: ***");
    }

    #[test]
    fn a_playbook_that_matched_no_host_is_told_what_there_is() {
        let hosts = vec!["webservers".to_owned(), "db:!old".to_owned()];
        let words = "its plays are for `webservers`, `db:!old`; the inventory has the group `app`";
        assert_eq!(reason(RunOutcome::NoHost { hosts }), format!("The playbook matched no host: {words}"));
    }

    #[test]
    fn a_reason_is_bounded_and_shows_no_piece_of_a_secret() {
        for before in 150..560 {
            let message = format!("{}{SECRET}{}the end", "x".repeat(before), "y".repeat(600));
            let told = reason(failed(&format!("{}{SECRET}", "t".repeat(before - 100)), &message));
            assert!(told.chars().count() < NAME + WORDS + 20 && told.ends_with("the end"), "{told}");
            assert!(!["corr", "horse", "tery"].iter().any(|piece| told.contains(piece)), "{told}");
        }
    }
}

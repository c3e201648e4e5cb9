//! The result of a run as lines that can be compared.

use std::collections::HashSet;

use ocim::ansible::port::{RunOutcome, SpoolLine, TaskProgress};
use shared_types::LogLevel;

use super::super::support::SECRET;

/// Longer lines are cut to this many characters.
const LONGEST: usize = 220;

/// The end of the run, its number of tasks, and each line of stdout. Lines of stderr are left out: their order varies.
pub fn told(known: u32, outcome: &RunOutcome, lines: &[SpoolLine], errors: &[u8]) -> Vec<String> {
    let mut told = end(outcome);
    let count = |progress| lines.iter().filter(|line| line.progress == Some(progress)).count();
    let (began, added, ended) = (count(TaskProgress::Began), count(TaskProgress::Added), count(TaskProgress::Ended));
    told.push(format!("tasks: {known} known, {added} added, {} begun, {ended} ended", began + added));
    assert!(ended <= known as usize + added, "more tasks ended than there are: {told:#?}");
    assert!(lines.windows(2).all(|pair| pair[0].at <= pair[1].at + chrono::TimeDelta::seconds(1)), "{lines:#?}");
    let whole: String = lines.iter().map(|line| line.text.as_str()).collect();
    assert!(!whole.contains(SECRET), "a secret is shown: {whole}");
    let stderr: HashSet<String> =
        String::from_utf8_lossy(errors).lines().map(|line| line.trim_end().to_owned()).collect();
    told.push(String::new());
    told.extend(lines.iter().filter(|line| line.task.is_some() || !stderr.contains(line.text.trim_end())).map(shown));
    told
}

fn end(outcome: &RunOutcome) -> Vec<String> {
    let mut told = Vec::new();
    match outcome {
        RunOutcome::Succeeded => told.push("end: succeeded".to_owned()),
        RunOutcome::NoHost { hosts } => told.push(format!("end: no host for {}", hosts.join(" "))),
        RunOutcome::Failed { exit_status, failed_task, words } => {
            told.push(format!(
                "end: failed with {}",
                exit_status.map_or("a signal".to_owned(), |code| code.to_string())
            ));
            if let Some((task, message)) = failed_task {
                told.push(format!("task: {}", one_line(task)));
                told.push(format!("message: {}", one_line(message)));
            } else if let Some(words) = words {
                told.push(format!("words: {}", one_line(words)));
            }
        }
        RunOutcome::LineTimeout | RunOutcome::GlobalTimeout | RunOutcome::Limit { .. } | RunOutcome::Cancelled => {
            told.push(format!("end: {outcome:?}"));
        }
    }
    told
}

/// Level, progress (`>` began, `+` began and was not known, `<` ended), task, text.
fn shown(line: &SpoolLine) -> String {
    let level = match line.level {
        LogLevel::Debug => 'D',
        LogLevel::Info => 'I',
        LogLevel::Warning => 'W',
        LogLevel::Error => 'E',
        LogLevel::Critical => 'C',
    };
    let progress = match line.progress {
        None => ' ',
        Some(TaskProgress::Began) => '>',
        Some(TaskProgress::Added) => '+',
        Some(TaskProgress::Ended) => '<',
    };
    let task = line.task.as_deref().filter(|task| !line.text.contains(&format!("[{task}]")));
    let task = task.map_or_else(String::new, |task| format!("{task} | "));
    format!("{level}{progress} {}", one_line(&format!("{task}{}", line.text)))
}

fn one_line(text: &str) -> String {
    let text = text.replace("127.0.0.2", "app").replace('\n', " / ").replace('\u{1b}', "ESC");
    let cut: String = text.chars().take(LONGEST).collect();
    if cut.len() < text.len() { format!("{cut}… ({} characters)", text.chars().count()) } else { cut }
}

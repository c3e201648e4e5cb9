//! A fake Ansible whose output outlives the process, for tests that kill real processes: every line is in a file before
//! it is taken in, as in a real run's spool, so that printed and stored lines can be compared.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::mem;
use std::path::{Path, PathBuf};
use std::time::Duration;

use async_trait::async_trait;
use chrono::Utc;
use shared_types::LogLevel;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::port::{
    Ansible, AnsibleError, LoadSpec, RunOutcome, RunSpec, SpoolLine, SpoolPosition, SpoolSink, TaskProgress,
};
use super::printing::failed_at;

/// Limit of lines taken in at once.
const BATCH: usize = 500;
/// Every so many lines one is a warning in colour, as something to search for in a long log.
const WARNING_EVERY: u32 = 1_000;
/// The limit of the demo's playbook.
const LONGEST_PAUSE_S: u64 = 600;
const FAILING_TASK: &str = "fake : fail on request";

/// Every run prints the same number of lines at a fixed rate. Lines that are due are taken in together, as with a real
/// run's spool. The demo's variables `demo_pause_seconds` and `demo_fail_message` work as in the demo's playbook.
#[derive(Debug, Clone)]
pub struct FakePrinter {
    /// Holds the output as `{app server}/{playbook}-{run}`, the names of run directories. It is never removed.
    pub dir: PathBuf,
    /// Number of lines that a run prints; two for each task.
    pub lines: u32,
    /// Time between two lines.
    pub pace: Duration,
}

impl FakePrinter {
    /// Path of a run's output, and a text that names app server and run.
    fn printed(&self, run_dir: &Path) -> (PathBuf, String) {
        let name = |path: Option<&Path>| {
            path.and_then(Path::file_name).map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
        };
        let (app_server, run) = (name(run_dir.parent()), name(Some(run_dir)));
        let number = run.rsplit('-').next().unwrap_or_default();
        let words = format!("app server {app_server} run {number}");
        (self.dir.join(app_server).join(run), words)
    }

    fn begin(&self, path: &Path) -> io::Result<File> {
        fs::create_dir_all(path.parent().unwrap_or(&self.dir))?;
        OpenOptions::new().append(true).create(true).open(path)
    }
}

/// Pause in the middle of a run.
fn pause(spec: &RunSpec) -> Duration {
    let seconds = spec.variables.get("demo_pause_seconds").and_then(serde_json::Value::as_u64);
    Duration::from_secs(seconds.unwrap_or_default().min(LONGEST_PAUSE_S))
}

/// The message with which the run's last task fails, if it fails.
fn fault(spec: &RunSpec) -> Option<&str> {
    let message = spec.variables.get("demo_fail_message").and_then(serde_json::Value::as_str);
    message.filter(|message| !message.is_empty())
}

/// The file beside the output by which a successor ends the run: after that nothing is printed.
fn ended(path: &Path) -> PathBuf {
    path.with_extension("ended")
}

/// Prints a line; gives the position behind it. None: a successor has ended the run.
fn print(path: &Path, file: &mut File, text: &str) -> io::Result<Option<u64>> {
    file.lock()?;
    let printed = (|| {
        if ended(path).exists() {
            return Ok(None);
        }
        file.write_all(format!("{text}\n").as_bytes())?;
        file.metadata().map(|data| Some(data.len()))
    })();
    file.unlock()?;
    printed
}

/// Ends a run and reads its output after a position. None: it never began.
fn take_over(path: &Path, position: u64) -> io::Result<Option<String>> {
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    file.lock()?;
    File::create(ended(path))?;
    file.seek(SeekFrom::Start(position))?;
    let mut rest = String::new();
    file.read_to_string(&mut rest)?;
    Ok(Some(rest))
}

fn line(text: &str) -> SpoolLine {
    let number: u32 = text.rsplit(' ').next().and_then(|number| number.parse().ok()).unwrap_or_default();
    let task = Some(format!("fake : task {}", number.div_ceil(2)));
    let progress = Some(if number % 2 == 1 { TaskProgress::Began } else { TaskProgress::Ended });
    let level = if is_warning(number) { LogLevel::Warning } else { LogLevel::Info };
    SpoolLine { at: Utc::now(), level, text: text.to_owned(), task, progress }
}

const fn is_warning(number: u32) -> bool {
    number > 0 && number.is_multiple_of(WARNING_EVERY)
}

#[async_trait]
impl Ansible for FakePrinter {
    async fn prepare(
        &self,
        _spec: &LoadSpec,
        _sink: &mut dyn SpoolSink,
        _cancel: &CancellationToken,
    ) -> Result<u32, AnsibleError> {
        Ok(self.lines / 2)
    }

    async fn run(
        &self,
        spec: &RunSpec,
        sink: &mut dyn SpoolSink,
        cancel: &CancellationToken,
    ) -> Result<RunOutcome, AnsibleError> {
        let (path, words) = self.printed(&spec.dir);
        let mut file = self.begin(&path).map_err(|error| failed_at(&path, &error))?;
        let (begun, pause) = (Instant::now(), pause(spec));
        let (mut lines, mut position) = (Vec::new(), SpoolPosition::default());
        for number in 1..=self.lines {
            let due = begun + self.pace * number + if number > self.lines / 2 { pause } else { Duration::ZERO };
            if due > Instant::now() {
                if !lines.is_empty() {
                    sink.take(mem::take(&mut lines), position).await.map_err(AnsibleError::Sink)?;
                }
                cancel.run_until_cancelled(tokio::time::sleep_until(due)).await;
            }
            if cancel.is_cancelled() {
                return Ok(RunOutcome::Cancelled);
            }
            let (on, off) = if is_warning(number) { ("\u{1b}[33m", "\u{1b}[0m") } else { ("", "") };
            let text = format!("{on}{words}{off} line {number}");
            let printed = print(&path, &mut file, &text).map_err(|error| failed_at(&path, &error))?;
            position.events = printed.ok_or(AnsibleError::Cancelled)?;
            lines.push(line(&text));
            if lines.len() == BATCH || number == self.lines {
                sink.take(mem::take(&mut lines), position).await.map_err(AnsibleError::Sink)?;
            }
        }
        let Some(message) = fault(spec) else { return Ok(RunOutcome::Succeeded) };
        let text = format!("fatal: [fake]: FAILED! => {message}");
        let printed = print(&path, &mut file, &text).map_err(|error| failed_at(&path, &error))?;
        position.events = printed.ok_or(AnsibleError::Cancelled)?;
        let task = Some(FAILING_TASK.to_owned());
        let failed =
            SpoolLine { at: Utc::now(), level: LogLevel::Error, text, task, progress: Some(TaskProgress::Ended) };
        sink.take(vec![failed], position).await.map_err(AnsibleError::Sink)?;
        let failed_task = Some((FAILING_TASK.to_owned(), message.to_owned()));
        Ok(RunOutcome::Failed { exit_status: Some(2), failed_task, words: None })
    }

    async fn recover(
        &self,
        dir: &Path,
        position: SpoolPosition,
        sink: &mut dyn SpoolSink,
    ) -> Result<bool, AnsibleError> {
        let (path, _) = self.printed(dir);
        let rest = take_over(&path, position.events).map_err(|error| failed_at(&path, &error))?;
        let Some(rest) = rest else { return Ok(false) };
        let lines: Vec<SpoolLine> = rest.lines().map(line).collect();
        if !lines.is_empty() {
            let position = SpoolPosition { events: position.events + rest.len() as u64, ..position };
            sink.take(lines, position).await.map_err(AnsibleError::Sink)?;
        }
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::net::SocketAddr;

    use super::*;
    use crate::ansible::port::{Requirements, Target};

    /// Takes in a number of lines and then refuses, as when the lease is lost.
    struct Refusing {
        taken: Vec<String>,
        position: SpoolPosition,
        most: usize,
    }

    #[async_trait]
    impl SpoolSink for Refusing {
        async fn take(&mut self, lines: Vec<SpoolLine>, position: SpoolPosition) -> Result<(), String> {
            if self.taken.len() >= self.most {
                return Err("lost".to_owned());
            }
            self.taken.extend(lines.into_iter().map(|line| line.text));
            self.position = position;
            Ok(())
        }
    }

    fn spec(dir: PathBuf) -> RunSpec {
        let ssh = SocketAddr::from(([192, 0, 2, 1], 22));
        RunSpec {
            dir,
            source_repo: String::new(),
            commit: String::new(),
            playbook_path: String::new(),
            requirements: Requirements::Text(String::new()),
            variables: serde_json::Map::new(),
            target: Target {
                ssh,
                user: String::new(),
                private_key: String::new().into(),
                host_key: None,
                python: None,
            },
            line_timeout: Duration::MAX,
            global_timeout: Duration::MAX,
        }
    }

    #[tokio::test]
    async fn unread_output_is_read_after_a_take_over() {
        let dir = tempfile::tempdir().unwrap();
        let printer = FakePrinter { dir: dir.path().join("printed"), lines: 1_200, pace: Duration::ZERO };
        let (spec, cancel) = (spec(dir.path().join("runs/7/0-2")), CancellationToken::new());
        let mut sink = Refusing { taken: Vec::new(), position: SpoolPosition::default(), most: BATCH };
        assert_eq!(printer.run(&spec, &mut sink, &cancel).await, Err(AnsibleError::Sink("lost".to_owned())));
        assert_eq!(sink.taken.last().unwrap(), "app server 7 run 2 line 500");
        sink.most = usize::MAX;
        assert_eq!(printer.recover(&spec.dir, sink.position, &mut sink).await, Ok(true));
        let printed = fs::read_to_string(dir.path().join("printed/7/0-2")).unwrap();
        assert_eq!(printed.lines().collect::<Vec<_>>(), sink.taken);
        assert_eq!(sink.taken.len(), 2 * BATCH);
        assert_eq!(
            printer.run(&spec, &mut sink, &cancel).await,
            Err(AnsibleError::Cancelled),
            "the old holder goes on"
        );
        assert_eq!(printer.recover(&spec.dir, sink.position, &mut sink).await, Ok(true));
        assert_eq!(sink.taken.len(), 2 * BATCH);
        assert_eq!(printer.recover(&dir.path().join("runs/8/0-1"), sink.position, &mut sink).await, Ok(false));
    }

    #[tokio::test]
    async fn a_run_fails_with_the_words_that_are_asked_for() {
        let dir = tempfile::tempdir().unwrap();
        let printer = FakePrinter { dir: dir.path().join("printed"), lines: 4, pace: Duration::ZERO };
        let mut spec = spec(dir.path().join("runs/7/0-1"));
        spec.variables.insert("demo_fail_message".to_owned(), "the mirror is away".into());
        let mut sink = Refusing { taken: Vec::new(), position: SpoolPosition::default(), most: usize::MAX };
        let failed_task = Some((FAILING_TASK.to_owned(), "the mirror is away".to_owned()));
        let outcome = RunOutcome::Failed { exit_status: Some(2), failed_task, words: None };
        assert_eq!(printer.run(&spec, &mut sink, &CancellationToken::new()).await, Ok(outcome));
        assert_eq!(sink.taken.last().unwrap(), "fatal: [fake]: FAILED! => the mirror is away");
        assert_eq!(sink.taken.len(), 5);
    }
}

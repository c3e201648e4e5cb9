//! A fake Ansible that follows a script, for tests of its callers without any process.

use std::collections::VecDeque;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use chrono::Utc;
use shared_types::LogLevel;
use tokio_util::sync::CancellationToken;

use super::port::{
    Ansible, AnsibleError, LoadSpec, RunOutcome, RunSpec, SpoolLine, SpoolPosition, SpoolSink, TaskProgress,
};

/// What one run does after it printed a line for each of its tasks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FakeEnd {
    /// The run ends with this outcome.
    Outcome(RunOutcome),
    /// The run returns this error.
    Error(AnsibleError),
    /// The run goes on until it is cancelled.
    Blocks,
}

/// Number of calls of each operation.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct FakeCalls {
    /// Calls of [`Ansible::prepare`].
    pub prepare: u32,
    /// Calls of [`Ansible::run`].
    pub run: u32,
    /// Calls of [`Ansible::recover`].
    pub recover: u32,
}

/// The script. Each queue is consumed from the front; when it is empty, calls succeed.
#[derive(Debug, Default)]
struct Script {
    calls: FakeCalls,
    tasks: u32,
    added: u32,
    prepares: VecDeque<AnsibleError>,
    runs: VecDeque<FakeEnd>,
    recovers: VecDeque<Vec<SpoolLine>>,
    silent_checkouts: bool,
    specs: Vec<RunSpec>,
}

/// Follows a script. By default everything succeeds.
#[derive(Debug, Default)]
pub struct FakeAnsible {
    script: Mutex<Script>,
}

impl FakeAnsible {
    /// Every run has this number of tasks and prints a line for each.
    pub fn with_tasks(tasks: u32) -> Self {
        Self { script: Mutex::new(Script { tasks, ..Script::default() }) }
    }

    /// Sets whether every `prepare` goes on until it is cancelled.
    pub fn set_silent_checkouts(&self, is_silent: bool) {
        self.script().silent_checkouts = is_silent;
    }

    /// Queues an error for a `prepare`.
    pub fn next_prepare_fails(&self, error: AnsibleError) {
        self.script().prepares.push_back(error);
    }

    /// Queues the end of a `run`.
    pub fn next_run(&self, end: FakeEnd) {
        self.script().runs.push_back(end);
    }

    /// Queues a `run` that prints its lines and in which this task then fails.
    pub fn next_run_fails(&self, task: &str, message: &str) {
        let failed_task = Some((task.to_owned(), message.to_owned()));
        self.next_run(FakeEnd::Outcome(RunOutcome::Failed { exit_status: Some(2), failed_task, words: None }));
    }

    /// The next `run` has this number of tasks in addition to those that `prepare` counted.
    pub fn next_run_adds(&self, tasks: u32) {
        self.script().added = tasks;
    }

    /// Queues a `recover` that finds a run with these lines.
    pub fn next_recover(&self, lines: Vec<SpoolLine>) {
        self.script().recovers.push_back(lines);
    }

    pub fn calls(&self) -> FakeCalls {
        self.script().calls
    }

    /// The specs of all runs, earliest first.
    pub fn specs(&self) -> Vec<RunSpec> {
        self.script().specs.clone()
    }

    fn script(&self) -> MutexGuard<'_, Script> {
        self.script.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The lines of one task; each advances the spool position by 1 byte.
fn task_lines(number: u32) -> Vec<SpoolLine> {
    let task = format!("fake : task {number}");
    let line = |text: String, progress| SpoolLine {
        at: Utc::now(),
        level: LogLevel::Info,
        text,
        task: Some(task.clone()),
        progress: Some(progress),
    };
    vec![line(format!("TASK [{task}]"), TaskProgress::Began), line("ok: [fake]".to_owned(), TaskProgress::Ended)]
}

#[async_trait]
impl Ansible for FakeAnsible {
    async fn prepare(
        &self,
        _spec: &LoadSpec,
        _sink: &mut dyn SpoolSink,
        cancel: &CancellationToken,
    ) -> Result<u32, AnsibleError> {
        let (is_silent, tasks, failure) = {
            let mut script = self.script();
            script.calls.prepare += 1;
            (script.silent_checkouts, script.tasks, script.prepares.pop_front())
        };
        if is_silent {
            cancel.cancelled().await;
            return Err(AnsibleError::Cancelled);
        }
        failure.map_or(Ok(tasks), Err)
    }

    async fn run(
        &self,
        spec: &RunSpec,
        sink: &mut dyn SpoolSink,
        cancel: &CancellationToken,
    ) -> Result<RunOutcome, AnsibleError> {
        let (tasks, added, end) = {
            let mut script = self.script();
            script.calls.run += 1;
            script.specs.push(spec.clone());
            let added = std::mem::take(&mut script.added);
            (script.tasks, added, script.runs.pop_front().unwrap_or(FakeEnd::Outcome(RunOutcome::Succeeded)))
        };
        let mut position = SpoolPosition::default();
        for number in 1..=tasks + added {
            let mut lines = task_lines(number);
            if let Some(begin) = lines.first_mut().filter(|_| number > tasks) {
                begin.progress = Some(TaskProgress::Added);
            }
            position.events += lines.len() as u64;
            sink.take(lines, position).await.map_err(AnsibleError::Sink)?;
        }
        match end {
            FakeEnd::Outcome(outcome) => Ok(outcome),
            FakeEnd::Error(error) => Err(error),
            FakeEnd::Blocks => {
                cancel.cancelled().await;
                Ok(RunOutcome::Cancelled)
            }
        }
    }

    async fn recover(
        &self,
        _dir: &Path,
        mut position: SpoolPosition,
        sink: &mut dyn SpoolSink,
    ) -> Result<bool, AnsibleError> {
        let lines = {
            let mut script = self.script();
            script.calls.recover += 1;
            script.recovers.pop_front()
        };
        let Some(lines) = lines else { return Ok(false) };
        position.events += lines.len() as u64;
        sink.take(lines, position).await.map_err(AnsibleError::Sink)?;
        Ok(true)
    }
}

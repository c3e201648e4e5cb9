//! Checkout and playbooks. Each playbook is loaded into its own directory, which becomes the directory of its run. Runs
//! are numbered; a worker that takes over ends the orphaned run, stores the rest of its output, loads the playbook
//! again, and runs it under the next number.

use std::io::ErrorKind;
use std::path::PathBuf;
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use diesel_async::{AsyncConnection, AsyncPgConnection};
use shared_types::app_server::{BuildStepKind, PlaybookRecord};
use shared_types::{AppServerStatus, EventKind};

use super::steps::deadline;
use super::{Build, StepError, reasons};
use crate::ansible::port::{
    LoadSpec, Requirements, RunOutcome, RunSpec, SpoolLine, SpoolPosition, SpoolSink, Target, TaskProgress,
};
use crate::instances::builds::lease;
use crate::instances::settings::read;
use crate::instances::store::{app_servers, builds, hook_runs, pins};
use crate::machines::probe::{HOST_KEY_REFUSED, Login, SshError};
use crate::platform::logs::Line;
use crate::platform::{events, metrics};

/// How long a playbook's output waits for a database that is away; a lease lasts a little longer.
const LOST_DATABASE: Duration = Duration::from_secs(10);
/// Pause between attempts to store the output.
const RETRY_STORE: Duration = Duration::from_millis(250);

impl Build<'_> {
    /// Loads every playbook, so that one that cannot be loaded ends the build before there is a machine.
    pub(super) async fn checkout(&self) -> Result<(), StepError> {
        let until = self.state.deadline.unwrap_or_else(|| deadline(self.manager.options.checkout_timeout));
        self.load_playbooks(&self.load_specs().await?, 0, until).await?;
        // Builds begun by an earlier version already have their machine.
        let has_machine = self.row.status == AppServerStatus::Configuring;
        let mut conn = self.manager.db.conn().await?;
        conn.transaction(async |conn| {
            lease::fence_progress(conn, self.lease).await??;
            if has_machine {
                let until = deadline(self.manager.options.global_timeout);
                return Ok(builds::begin_step(conn, self.ids(), BuildStepKind::Playbooks, until).await?);
            }
            if !self.row.used_resources()?.is_empty() {
                let until = deadline(self.manager.options.resources_timeout);
                return Ok(builds::begin_step(conn, self.ids(), BuildStepKind::Resources, until).await?);
            }
            self.want_machine(conn).await
        })
        .await
    }

    /// Begins the step in which the machine is made, in a transaction that has fenced the build.
    pub(super) async fn want_machine(&self, conn: &mut AsyncPgConnection) -> Result<(), StepError> {
        let until = Utc::now() + self.manager.options.machine_timeout;
        builds::begin_step(conn, self.ids(), BuildStepKind::Server, until).await?;
        app_servers::transition(conn, &self.row, AppServerStatus::Waiting, None).await?;
        Ok(())
    }

    /// Runs the playbooks, one after another; the first that fails ends the build.
    pub(super) async fn playbooks(&self) -> Result<(), StepError> {
        if self.state.run > 0 {
            self.recover().await?;
        }
        let first = usize::try_from(self.state.playbook).unwrap_or(0);
        let mut specs = self.load_specs().await?;
        specs.drain(..first.min(specs.len()));
        // Playbooks already loaded here are kept: only a worker on another host, or a second run, finds them missing.
        self.load_playbooks(&specs, self.state.tasks_before, deadline(self.manager.options.checkout_timeout)).await?;
        let target = self.target().await?;
        self.let_people_in().await?;
        for (playbook, spec) in (self.state.playbook..).zip(specs) {
            self.run(&self.begin_run(playbook, spec, target.clone()).await?).await?;
        }
        let mut conn = self.manager.db.conn().await?;
        conn.transaction(async |conn| {
            lease::fence_progress(conn, self.lease).await??;
            let until = deadline(self.manager.options.reboot_timeout);
            Ok(builds::begin_step(conn, self.ids(), BuildStepKind::Reboot, until).await?)
        })
        .await
    }

    /// Loads playbooks, and stores how many tasks the build is known to have: `before` counts those that have ended.
    async fn load_playbooks(&self, specs: &[LoadSpec], before: i32, until: DateTime<Utc>) -> Result<(), StepError> {
        let mut sink = Sink { build: self, keeps: Keeps::Nothing };
        let load_all = async {
            let mut total = before;
            for spec in specs {
                let known = self.manager.ansible.prepare(spec, &mut sink, &self.lease.halt).await?;
                total = total.saturating_add(i32::try_from(known).unwrap_or(0));
            }
            Ok::<_, StepError>(total)
        };
        let left = (until - Utc::now()).to_std().unwrap_or_default();
        let total = tokio::time::timeout(left, load_all).await.map_err(|_| {
            let seconds = self.manager.options.checkout_timeout.as_secs();
            StepError::Fatal(format!("The checkout took longer than {seconds} s and was ended"))
        })??;
        let mut conn = self.manager.db.conn().await?;
        conn.transaction(async |conn| {
            lease::fence(conn, self.lease).await??;
            Ok::<_, StepError>(builds::keep_total(conn, self.id(), total).await?)
        })
        .await
    }

    /// Begins a run of a loaded playbook: takes the next number, and renames the directory it was loaded in.
    async fn begin_run(&self, playbook: i32, spec: LoadSpec, target: Target) -> Result<RunSpec, StepError> {
        let is_first = playbook == self.state.playbook;
        let mut conn = self.manager.db.conn().await?;
        let before = if is_first { self.state.tasks_before } else { builds::tasks_done(&mut conn, self.id()).await? };
        let run = conn
            .transaction(async |conn| {
                lease::fence_progress(conn, self.lease).await??;
                Ok::<_, StepError>(builds::begin_run(conn, self.id(), playbook, before).await?)
            })
            .await?;
        drop(conn);
        let (loaded, dir) = (spec.dir.clone(), self.dir(playbook, run));
        match tokio::fs::rename(&loaded, &dir).await {
            // The run itself reports a missing directory.
            Err(error) if error.kind() != ErrorKind::NotFound => {
                return Err(StepError::Transient(format!("{} cannot be used: {error}", loaded.display())));
            }
            Ok(()) | Err(_) => {}
        }
        let options = &self.manager.options;
        Ok(spec.run(dir, target, options.line_timeout, options.global_timeout))
    }

    async fn run(&self, spec: &RunSpec) -> Result<(), StepError> {
        self.tell(Line::info(format!("Running {} of {} at {}", spec.playbook_path, spec.source_repo, spec.commit)))
            .await?;
        let mut sink = Sink::of_run(self);
        let outcome = self.manager.ansible.run(spec, &mut sink, &self.lease.halt).await?;
        self.ended(outcome, spec).await
    }

    /// Maps the end of a run to the build's result. If ssh refused the machine's host key, the reason says which.
    pub(super) async fn ended(&self, outcome: RunOutcome, spec: &RunSpec) -> Result<(), StepError> {
        let is_refused = |text: &str| text.contains(HOST_KEY_REFUSED);
        if let RunOutcome::Failed { failed_task, words, .. } = &outcome
            && (failed_task.as_ref().is_some_and(|(_, message)| is_refused(message))
                || words.as_deref().is_some_and(is_refused))
        {
            let login = self.manager.machines().login(&self.machine().await?).await?;
            if let Err(SshError::OtherHostKey(words)) = self.manager.probe.boot_marker(&login).await {
                return Err(StepError::Fatal(words));
            }
        }
        reasons::of_run(outcome, spec, |words| self.hide(words))
    }

    /// Ends processes that an earlier lease holder left, stores the rest of their output, and keeps those that cannot be
    /// found from here away from the machine.
    async fn recover(&self) -> Result<(), StepError> {
        let dir = self.dir(self.state.playbook, self.state.run);
        let mut sink = Sink::of_run(self);
        self.manager.ansible.recover(&dir, self.state.position(), &mut sink).await?;
        self.fence_machine().await?;
        let line = format!("The worker was interrupted; the playbook runs again, as run {}", self.state.run + 1);
        self.tell(Line::warning(line)).await
    }

    pub(super) fn dir(&self, playbook: i32, run: i32) -> PathBuf {
        self.manager.options.runs_dir.join(self.id().to_string()).join(format!("{playbook}-{run}"))
    }

    /// How each playbook is loaded: repository, commit, paths and variables.
    pub(super) async fn load_specs(&self) -> Result<Vec<LoadSpec>, StepError> {
        let mut conn = self.manager.db.conn().await?;
        let pins = pins::of(&mut conn, self.id()).await?;
        drop(conn);
        let variables = read::pinned_variables(&self.known.opened, &pins)?;
        let dir = self.manager.options.runs_dir.join(self.id().to_string());
        let records = read::playbooks(&self.known.opened.playbooks, &pins)?;
        let spec = |(playbook, record): (usize, PlaybookRecord)| LoadSpec {
            dir: dir.join(format!("{playbook}-loaded")),
            commit: record.commit.unwrap_or(record.version),
            source_repo: record.source_repo,
            playbook_path: record.playbook_path,
            requirements: record.requirements.map_or(Requirements::File(record.requirements_path), Requirements::Text),
            variables: variables.clone(),
        };
        Ok(records.into_iter().enumerate().map(spec).collect())
    }

    /// The machine that the playbooks configure.
    pub(super) async fn target(&self) -> Result<Target, StepError> {
        let mut server = self.machine().await?;
        if server.next_ssh_key.is_some() {
            // A worker was interrupted while it replaced the key.
            self.fence_machine().await?;
            server = self.machine().await?;
        }
        let Login { name: _, address, user, host_key, keys } = self.manager.machines().login(&server).await?;
        let key = keys.into_iter().next().ok_or_else(|| StepError::Fatal("The VM has no SSH key".into()))?;
        let python = self.manager.machines().python(&server)?;
        Ok(Target { ssh: address, user, private_key: key.private().clone(), host_key, python })
    }
}

/// Appends a run's output to the log, together with the position up to which its spool was read.
pub(super) struct Sink<'a, 'b> {
    build: &'a Build<'b>,
    keeps: Keeps,
}

/// Whose position in the spool is stored.
#[derive(Clone, Copy)]
enum Keeps {
    /// No position: there is no spool.
    Nothing,
    /// The position of the build's current run.
    OfRun,
    /// The position of these hooks; the id in `hook_runs`.
    OfHook(i64),
}

impl<'a, 'b> Sink<'a, 'b> {
    /// For the build's current run.
    pub(super) fn of_run(build: &'a Build<'b>) -> Self {
        Self { build, keeps: Keeps::OfRun }
    }

    /// For a run of hooks; `id` is that in `hook_runs`.
    pub(super) fn of_hook(build: &'a Build<'b>, id: i64) -> Self {
        Self { build, keeps: Keeps::OfHook(id) }
    }
}

#[async_trait]
impl SpoolSink for Sink<'_, '_> {
    async fn take(&mut self, lines: Vec<SpoolLine>, position: SpoolPosition) -> Result<(), String> {
        let patience = tokio::time::Instant::now() + LOST_DATABASE;
        loop {
            match self.store(&lines, position).await {
                // A database restart must not end the playbook.
                Err(StepError::Db(error)) if error.may_go_better() && tokio::time::Instant::now() < patience => {
                    tokio::time::sleep(RETRY_STORE).await;
                }
                // The run goes on without these lines: met again and again, they would hold it, and its stop, for ever.
                Err(StepError::Db(error)) if error.refuses_data() => {
                    tracing::warn!(app_server = %self.build.id(), %error, "output of a run is refused by the database");
                    let lines: Vec<_> = lines.iter().map(SpoolLine::unstorable).collect();
                    return self.store(&lines, position).await.map_err(|error| error.to_string());
                }
                done => return done.map_err(|error| error.to_string()),
            }
        }
    }
}

impl Sink<'_, '_> {
    async fn store(&self, lines: &[SpoolLine], position: SpoolPosition) -> Result<(), StepError> {
        let build = self.build;
        let count = |progress| lines.iter().filter(|line| line.progress == Some(progress)).count();
        let (ended, added) = (count(TaskProgress::Ended), count(TaskProgress::Added));
        let is_begin = |line: &&SpoolLine| matches!(line.progress, Some(TaskProgress::Began | TaskProgress::Added));
        let began = lines.iter().rev().find(is_begin);
        let task = began.and_then(|line| line.task.as_deref()).map(|task| build.hide(task));
        let printed = lines;
        let lines: Vec<Line> = printed
            .iter()
            .map(|SpoolLine { at, level, text, task, progress: _ }| Line {
                at: *at,
                level: *level,
                text: text.clone(),
                task: task.clone(),
            })
            .collect();
        let mut conn = build.manager.db.conn().await?;
        conn.transaction(async |conn| {
            lease::fence(conn, build.lease).await??;
            build.write(conn, lines).await?;
            if let Keeps::OfHook(id) = self.keeps {
                hook_runs::keep_position(conn, id, position).await?;
            }
            if matches!(self.keeps, Keeps::OfRun) {
                let [ended, added] = [ended, added].map(|count| i32::try_from(count).unwrap_or(i32::MAX));
                let tasks = builds::Tasks { ended, added, began: task.as_deref() };
                builds::keep_progress(conn, build.id(), position, tasks).await?;
                // Without task progress, the log's own notification suffices.
                if ended > 0 || task.is_some() {
                    let about = events::About::app_server(build.row.instance_id, build.row.id);
                    events::record(conn, EventKind::AppServerUpdated, about).await?;
                }
            }
            Ok::<_, StepError>(())
        })
        .await?;
        if !matches!(self.keeps, Keeps::Nothing) {
            metrics::lines_stored(printed.iter().map(|line| line.at));
        }
        Ok(())
    }
}

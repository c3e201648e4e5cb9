//! Runs `ansible-playbook` so that no process of it outlives the run or this program.
//!
//! The playbook runs behind a wall, in its own process namespace: when its first process ends, the kernel kills the
//! rest, workers and `ssh` masters included. Without walls (`OCIM_SANDBOX=none`) it still has the namespace where that
//! is allowed; elsewhere its processes are found by the mark in their environment. In all cases the outermost process
//! dies with this program (`setpriv --pdeathsig`), and starts to work only after its record was written, so
//! [`super::recover`] knows every process that may be alive.
//!
//! Commands already started on the machine itself go on there: stop them by rebooting or terminating it.

use std::ffi::OsString;
use std::fs::{DirBuilder, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::Signal;
use tokio::io::AsyncWriteExt;
use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::galaxy;
use super::inside::{self, Inside};
use super::port::{AnsibleError, RunOutcome, RunSpec, SpoolSink};
use super::printing::{failed, failed_at};
use super::process::{self, Identity, MARK};
use super::run_dir::{Record, RunDir};
use super::spool::{ERRORS, EVENTS, POLL, Spool};
use super::watchdog::Watchdog;
use crate::platform::command::{CommandError, no_start, spawn};
use crate::platform::sandbox::{Cell, Guard, Network, Wall};

/// Time for Ansible to end after SIGTERM.
const GRACE: Duration = Duration::from_secs(3);

/// Time for killed processes to disappear.
pub(super) const KILL_LIMIT: Duration = Duration::from_secs(10);

/// Waits for a line on its stdin, sent once the record is written. If this program ends first, stdin ends without one.
const WAIT_FOR_GO: &str = r#"read -r go && exec "$@" </dev/null"#;

/// The first process of the namespace. Not Ansible itself, because signals have other effects on a first process.
const FIRST_PROCESS: &str = r#""$@"; exit $?"#;

/// The environment variable with the key that begins the callback's lines. The callback removes it from the environment
/// before any process is started.
const KEY: &str = "OCIM_EVENTS_KEY";

/// How to end all processes of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Isolation {
    /// By the process namespace of its wall.
    Wall,
    /// By a process namespace.
    Namespace,
    /// By a process namespace in a user namespace.
    UserNamespace,
    /// Only by the mark in their environment.
    Mark,
}

impl Isolation {
    /// Without walls: the strongest isolation that works on this host.
    pub(super) async fn probe() -> Self {
        for isolation in [Self::Namespace, Self::UserNamespace] {
            let mut command = Command::new("unshare");
            command.args(isolation.arguments().iter().skip(1)).arg("true");
            command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
            if command.status().await.is_ok_and(|status| status.success()) {
                return isolation;
            }
        }
        Self::Mark
    }

    const fn arguments(self) -> &'static [&'static str] {
        match self {
            Self::Namespace => &["unshare", "--pid", "--fork", "--kill-child=KILL", "--mount-proc", "--"],
            Self::UserNamespace => &[
                "unshare",
                "--user",
                "--map-current-user",
                "--pid",
                "--fork",
                "--kill-child=KILL",
                "--mount-proc",
                "--",
            ],
            Self::Wall | Self::Mark => &[],
        }
    }
}

/// Why the playbook is no longer watched.
enum End {
    Exited,
    LineTimeout,
    GlobalTimeout,
    Cancelled,
    /// It used more than it may, or its disk is full.
    Limit(CommandError),
}

/// Runs the playbook of a prepared run directory.
pub(super) async fn run(
    isolation: Isolation,
    inside: &Inside<'_>,
    spec: &RunSpec,
    sink: &mut dyn SpoolSink,
    cancel: &CancellationToken,
) -> Result<RunOutcome, AnsibleError> {
    let dir = RunDir::create(&spec.dir)?;
    if dir.record()?.is_some() {
        let message = format!("{}: an earlier run in this directory was not taken over", spec.dir.display());
        return Err(AnsibleError::Permanent(message));
    }
    if cancel.is_cancelled() {
        return Ok(RunOutcome::Cancelled);
    }
    let key = process::new_mark().map_err(failed)?;
    let mut spool = Spool::open(dir.path(), Spool::end(dir.path()), Some(&key)).hiding(&spec.target.private_key);
    let mut playing = match Playing::start(isolation, inside, spec, &dir, key).await {
        Ok(playing) => playing,
        Err(error) => {
            dir.remove_variables()?;
            return Err(error);
        }
    };
    let _watchdog = Watchdog::start(playing.outermost);
    let end = watch(&mut playing, &mut spool, spec, sink, cancel).await;
    let status = playing.end().await?;
    let hindrance = playing.guard.hindrance();
    playing.guard.end().await;
    // When the sink refused, a successor takes over and needs the record.
    let end = end?;
    spool.take_rest(sink).await?;
    spool.tell_loss(dir.path(), playing.guard.largest_file_mb(), sink).await?;
    dir.remove_variables()?;
    dir.remove_record(&playing.mark)?;
    Ok(match end {
        End::Exited => {
            let checkout = dir.checkout().display().to_string();
            let outcome = spool.outcome(exit_status(status), &spec.target.ssh.ip().to_string(), &checkout);
            match (outcome, hindrance) {
                (RunOutcome::Failed { .. }, Some(words)) => RunOutcome::Limit { words },
                (outcome, _) => outcome,
            }
        }
        End::Limit(CommandError::Limit(words)) => RunOutcome::Limit { words },
        End::Limit(error) => return Err(error.into()),
        End::LineTimeout => RunOutcome::LineTimeout,
        End::GlobalTimeout => RunOutcome::GlobalTimeout,
        End::Cancelled => RunOutcome::Cancelled,
    })
}

async fn watch(
    playing: &mut Playing,
    spool: &mut Spool,
    spec: &RunSpec,
    sink: &mut dyn SpoolSink,
    cancel: &CancellationToken,
) -> Result<End, AnsibleError> {
    let began = Instant::now();
    let mut printed = began;
    let Playing { child, guard, .. } = playing;
    let exceeded = guard.exceeded();
    tokio::pin!(exceeded);
    loop {
        if spool.take_in(sink).await? {
            printed = Instant::now();
        }
        if began.elapsed() >= spec.global_timeout {
            return Ok(End::GlobalTimeout);
        }
        if printed.elapsed() >= spec.line_timeout.max(spool.patience()) {
            return Ok(End::LineTimeout);
        }
        tokio::select! {
            biased;
            () = cancel.cancelled() => return Ok(End::Cancelled),
            error = &mut exceeded => return Ok(End::Limit(error)),
            _ = child.wait() => return Ok(End::Exited),
            () = sleep(POLL) => {}
        }
    }
}

/// A shell exits with 128 plus the signal's number if a signal ended its child.
fn exit_status(status: Option<ExitStatus>) -> Option<i32> {
    status?.code().filter(|code| !(129..=192).contains(code))
}

/// Working directory of a playbook: its own, as its relative paths expect.
pub(super) fn work_dir(dir: &RunDir, spec: &RunSpec) -> PathBuf {
    let playbook = dir.checkout().join(&spec.playbook_path);
    playbook.parent().map_or_else(|| dir.checkout(), Path::to_owned)
}

/// The `ansible-playbook` of a virtualenv, with the arguments common to every use. They hold no variable's value.
pub(super) fn playbook_command(dir: &RunDir, spec: &RunSpec) -> Result<Vec<OsString>, AnsibleError> {
    let missing = || AnsibleError::Permanent(format!("{}: the run was not prepared", spec.dir.display()));
    let bin = dir.prepared()?.ok_or_else(missing)?.virtualenv.join("bin");
    let playbook = dir.in_checkout("playbook", &spec.playbook_path)?;
    let mut variables = OsString::from("@");
    variables.push(dir.variables());
    Ok(vec![
        // Called by its interpreter: the length of a script's first line is limited.
        bin.join("python").into(),
        bin.join("ansible-playbook").into(),
        "--inventory".into(),
        dir.inventory().into(),
        "--extra-vars".into(),
        variables,
        format!("--user={}", spec.target.user).into(),
        "--private-key".into(),
        dir.key().into(),
        "--forks=1".into(),
        playbook.into(),
    ])
}

/// What every `ansible-playbook` sees, writes and reaches: its own run, and no network.
pub(super) fn wall(dir: &RunDir, spec: &RunSpec) -> Result<Wall, AnsibleError> {
    let missing = || AnsibleError::Permanent(format!("{}: the run was not prepared", spec.dir.display()));
    let prepared = dir.prepared()?.ok_or_else(missing)?;
    let wall = inside::run_dir(Wall::new(work_dir(dir, spec)), dir);
    let wall = wall.show_all(inside::virtualenv(&prepared.virtualenv)).show(dir.plugins());
    let wall = wall.show_all(prepared.installed).show_all(prepared.wheels);
    let wall = [dir.inventory(), dir.variables(), dir.empty_configuration()].into_iter().fold(wall, Wall::copy);
    let own = [dir.known_hosts(), dir.key()];
    Ok(own.into_iter().filter(|path| path.is_file()).fold(wall, Wall::copy))
}

/// Ansible's environment, in addition to that of its wall.
pub(super) fn environment(command: &mut Command, dir: &RunDir, spec: &RunSpec, control_dir: &Path) {
    let path = |name: &str| dir.join(name).into_os_string();
    command.envs([
        ("LANG", "C.UTF-8"),
        ("PYTHONUNBUFFERED", "1"),
        ("ANSIBLE_HOST_KEY_CHECKING", "True"),
        ("ANSIBLE_INVENTORY_UNPARSED_WARNING", "False"),
        ("ANSIBLE_LOCALHOST_WARNING", "False"),
        ("ANSIBLE_NOCOLOR", "1"),
        ("ANSIBLE_NOCOWS", "1"),
        ("ANSIBLE_DISPLAY_ARGS_TO_STDOUT", "False"),
        ("ANSIBLE_PIPELINING", "True"),
        ("ANSIBLE_SSH_PIPELINING", "True"),
        ("ANSIBLE_RETRY_FILES_ENABLED", "False"),
        ("ANSIBLE_SSH_RETRIES", "3"),
        ("ANSIBLE_STDOUT_CALLBACK", "ocim_jsonl"),
        ("ANSIBLE_TIMEOUT", "30"),
    ]);
    command.env("HOME", path("home")).env("ANSIBLE_HOME", path("home/.ansible")).env("ANSIBLE_LOCAL_TEMP", path("tmp"));
    command.env("ANSIBLE_CALLBACK_PLUGINS", path("callback_plugins")).env("ANSIBLE_CONFIG", configuration(dir, spec));
    command.env("ANSIBLE_SSH_ARGS", ssh_arguments(dir, &spec.target));
    // Ansible replaces %(directory)s in it, so a percent sign is doubled.
    command.env("ANSIBLE_SSH_CONTROL_PATH", format!("{}/%%C", control_dir.display()));
}

/// The repository's own configuration: beside the playbook, else at its top, else an empty one (never the host's).
pub(super) fn configuration(dir: &RunDir, spec: &RunSpec) -> PathBuf {
    let beside = Path::new(&spec.playbook_path).with_file_name("ansible.cfg");
    let places = [beside.as_path(), Path::new("ansible.cfg")].into_iter().filter_map(Path::to_str);
    let mut found = places.filter_map(|path| dir.in_checkout("configuration", path).ok());
    found.find(|path| path.is_file()).unwrap_or_else(|| dir.empty_configuration())
}

fn ssh_arguments(dir: &RunDir, target: &super::port::Target) -> String {
    let checking = if target.host_key.is_some() { "yes" } else { "accept-new" };
    let known_hosts = dir.known_hosts_of(target).display().to_string().replace('%', "%%");
    format!(
        "-F /dev/null -o ControlMaster=auto -o ControlPersist=60s -o IdentitiesOnly=yes -o IdentityAgent=none -o BatchMode=yes \
         -o ServerAliveInterval=15 -o ServerAliveCountMax=8 -o GlobalKnownHostsFile=/dev/null \
         -o StrictHostKeyChecking={checking} -o 'UserKnownHostsFile=\"{known_hosts}\"'"
    )
}

/// A playbook that is running, with the mark of its processes.
struct Playing {
    child: Child,
    guard: Guard,
    isolation: Isolation,
    outermost: i32,
    mark: String,
}

impl Playing {
    async fn start(
        isolation: Isolation,
        inside: &Inside<'_>,
        spec: &RunSpec,
        dir: &RunDir,
        key: String,
    ) -> Result<Self, AnsibleError> {
        let arguments = playbook_command(dir, spec)?;
        dir.write_inputs(spec)?;
        let mark = process::new_mark().map_err(failed)?;
        let control_dir = process::control_dir(&mark);
        let [events, errors] = [dir.join(EVENTS), dir.join(ERRORS)];
        let wall = wall(dir, spec)?.reach(Network::Machine(spec.target.ssh)).watch(&events).watch(&errors);
        let Cell { mut command, guard } = inside.cell("sh", &wall.with_tmp_dir(control_dir.clone())).await?;
        command.args(["-c", WAIT_FOR_GO, "ocim-run"]).args(isolation.arguments());
        if !matches!(isolation, Isolation::Wall | Isolation::Mark) {
            command.args(["sh", "-c", FIRST_PROCESS, "ocim-run"]);
        }
        command.args(arguments);
        if isolation != Isolation::Wall {
            DirBuilder::new().mode(0o700).create(&control_dir).map_err(|error| failed_at(&control_dir, &error))?;
            command.current_dir(work_dir(dir, spec));
        }
        environment(&mut command, dir, spec, &control_dir);
        galaxy::environment(&mut command, dir, &configuration(dir, spec))?;
        command.env(MARK, &mark).env(KEY, &key);
        command.stdin(Stdio::piped()).stdout(append_to(&events)?).stderr(append_to(&errors)?);
        let child = spawn(command).await.map_err(no_start)?;
        let pid = child.id().and_then(|id| i32::try_from(id).ok());
        let outermost =
            pid.ok_or_else(|| AnsibleError::Transient("the playbook's process ended at once".to_owned()))?;
        let mut playing = Self { child, guard, isolation, outermost, mark };
        playing.record_and_go(dir, key).await?;
        Ok(playing)
    }

    async fn record_and_go(&mut self, dir: &RunDir, key: String) -> Result<(), AnsibleError> {
        let process = Identity::of(self.outermost).map_err(failed)?;
        dir.write_record(&Record { process, mark: self.mark.clone(), key: Some(key) })?;
        match self.child.stdin.take() {
            Some(mut stdin) => stdin.write_all(b"go\n").await.map_err(failed),
            None => Err(AnsibleError::Transient("the playbook's process has no stdin".to_owned())),
        }
    }

    /// Returns when no process of the run is left: sends SIGTERM to Ansible if it still runs, then kills.
    async fn end(&mut self) -> Result<Option<ExitStatus>, AnsibleError> {
        if let Ok(None) = self.child.try_wait() {
            for ansible in self.ansible() {
                process::signal(ansible, &self.mark, Signal::TERM);
            }
            if timeout(GRACE, self.child.wait()).await.is_err() {
                // The namespace ends with its first process, and then the outermost process ends.
                process::kill_marked(&self.mark, Some(self.outermost));
                drop(timeout(GRACE, self.child.wait()).await);
            }
        }
        process::end_marked(&self.mark, KILL_LIMIT).await.map_err(failed)?;
        let status = timeout(KILL_LIMIT, self.child.wait()).await;
        Ok(status.ok().and_then(Result::ok))
    }

    /// `ansible-playbook` itself: the process that the first one of the wall's namespace has started; without a wall,
    /// the outermost process, or the only child of the namespace's first one.
    fn ansible(&self) -> Vec<i32> {
        if self.isolation == Isolation::Wall {
            return process::second_ones(&self.mark);
        }
        let first = process::children(self.outermost, &self.mark);
        let of_first = first.iter().flat_map(|first| process::children(*first, &self.mark));
        let within: Vec<_> = of_first.collect();
        if within.is_empty() { vec![self.outermost] } else { within }
    }
}

impl Drop for Playing {
    /// Kills a run that is dropped while it goes on; an ended one has no marked process.
    fn drop(&mut self) {
        process::kill_marked(&self.mark, None);
    }
}

fn append_to(path: &Path) -> Result<Stdio, AnsibleError> {
    let open = || -> io::Result<_> { OpenOptions::new().append(true).create(true).mode(0o600).open(path) };
    open().map(Stdio::from).map_err(|error| failed_at(path, &error))
}

//! Starts a machine: creates its namespaces with util-linux's programs, in which `boot.sh` becomes the init.
//!
//! The machine runs in its own session and inherits nothing of this process: it survives the end of the manager. What the
//! scripts print is in `console.log` in its directory; what its init prints later is inside it, in `/run/console.log`.
//! Until its init runs, the start script holds the start lock together with the manager: if the
//! manager is killed, its successor waits for the start to end, so that a machine is never started twice.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::process::{Child, Command};
use tokio::time::{sleep, timeout};

use super::error::LocalError;
use super::lock::Lock;
use super::process::is_running;
use super::seal;
use crate::platform::cgroups::Group;
use crate::platform::children::log_tail;

const SCRIPT: &str = include_str!("boot.sh");
const INIT: &str = include_str!("init.pl");
/// Files in the machine's directory that the scripts read: the groups to join, one path a line, and the filter.
const GROUPS: &str = "groups";
const FILTER: &str = "seccomp";
/// Between the start and the init's first instruction there are about twenty mounts.
const START_LIMIT: Duration = Duration::from_secs(20);
const START_POLL: Duration = Duration::from_millis(2);

/// A machine to start.
#[derive(Debug)]
pub(super) struct Start<'a> {
    pub name: &'a str,
    pub dir: &'a Path,
    pub base_tree: &'a Path,
    /// Of its network.
    pub namespace_file: &'a Path,
    /// What limits it.
    pub group: &'a Group,
}

/// Starts the machine, and returns when its init runs. It must not run yet: the caller checks that after [`settle`] gave
/// it the start lock.
///
/// # Errors
/// [`LocalError::Boot`] with the output of the start script.
pub(super) async fn start(start_lock: Lock, machine: &Start<'_>) -> Result<(), LocalError> {
    let script = write_scripts(machine)?;
    let console_path = machine.dir.join("console.log");
    let console = File::create(&console_path).map_err(LocalError::io(&console_path))?;
    let errors = console.try_clone().map_err(LocalError::io(&console_path))?;

    let mut child = Command::new("setsid")
        .arg("nsenter")
        .arg(format!("--net={}", machine.namespace_file.display()))
        .args(["--", "unshare", "--mount", "--pid", "--uts", "--ipc", "--fork", "--propagation", "private", "--", "sh"])
        .args([&script, machine.dir, machine.base_tree])
        .arg(machine.name)
        .args(seal::arguments())
        // The manager's environment, which holds passwords, is not passed on.
        .env_clear()
        .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
        .current_dir("/")
        .stdin(start_lock.lend()?)
        .stdout(console)
        .stderr(errors)
        .spawn()
        .map_err(LocalError::io("setsid"))?;

    let started = timeout(START_LIMIT, wait_for_init(&mut child, machine.dir)).await;
    let reason = match started {
        Ok(Ok(())) => {
            tokio::spawn(async move { child.wait().await });
            return Ok(());
        }
        Ok(Err(())) => log_tail(&console_path, 0),
        Err(_elapsed) => format!("no init within {} s", START_LIMIT.as_secs()),
    };
    Err(LocalError::Boot { machine: machine.name.to_owned(), reason })
}

/// Writes what the scripts need into the machine's directory, and gives the path of the first one.
fn write_scripts(machine: &Start<'_>) -> Result<PathBuf, LocalError> {
    let write = |name: &str, content: &[u8]| {
        let path = machine.dir.join(name);
        fs::write(&path, content).map_err(LocalError::io(&path)).map(|()| path)
    };
    let groups: String = machine.group.joins().iter().map(|file| format!("{}\n", file.display())).collect();
    write(GROUPS, groups.as_bytes())?;
    write(FILTER, &seal::filter())?;
    write("init.pl", INIT.as_bytes())?;
    write("boot.sh", SCRIPT.as_bytes())
}

/// Whether the last start of this machine got as far as its init. False: there was none, or it was cut off.
pub(super) fn has_begun(machine_dir: &Path) -> bool {
    fs::metadata(machine_dir.join("boot")).is_ok_and(|found| found.len() > 0)
}

/// Waits until no start of this machine is under way, and prevents others. Afterwards, an earlier manager's start is
/// either in the `boot` file or has failed.
pub(super) async fn settle(machine_dir: &Path) -> Result<Lock, LocalError> {
    Lock::take(machine_dir.join("start.lock")).await
}

/// Fails if the start script ended without an init.
async fn wait_for_init(child: &mut Child, machine_dir: &Path) -> Result<(), ()> {
    loop {
        let has_ended = !matches!(child.try_wait(), Ok(None));
        if is_running(machine_dir) {
            return Ok(());
        }
        if has_ended {
            return Err(());
        }
        sleep(START_POLL).await;
    }
}

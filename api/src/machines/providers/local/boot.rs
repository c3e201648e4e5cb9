//! Starts a machine: makes its namespaces with util-linux's programs and lets `boot.sh` become its init.
//!
//! The machine is in a session of its own and inherits nothing of this process but its console, a file: whatever ends the
//! manager, the machine runs on. Until its init runs, the start script holds the machine's start lock together with the
//! manager: a manager that is killed leaves a start that its successor waits for, never two.

use std::fs::{self, File};
use std::path::Path;
use std::time::Duration;

use tokio::process::{Child, Command};
use tokio::time::{sleep, timeout};

use super::command::tail;
use super::error::LocalError;
use super::lock::Lock;
use super::process::is_running;

const SCRIPT: &str = include_str!("boot.sh");
/// Between the start and the init's first instruction there are some twenty mounts.
const START_LIMIT: Duration = Duration::from_secs(20);
const START_POLL: Duration = Duration::from_millis(2);

/// Starts the machine in this directory inside a network namespace, and returns when its init runs. It must not run yet:
/// the caller looked after [`settle`] gave it the start lock.
///
/// # Errors
/// [`LocalError::Boot`] with what the start script said.
pub(super) async fn start(
    start_lock: Lock,
    machine: &str,
    machine_dir: &Path,
    base_tree: &Path,
    namespace_file: &Path,
) -> Result<(), LocalError> {
    let script = machine_dir.join("boot.sh");
    let console_path = machine_dir.join("console.log");
    fs::write(&script, SCRIPT).map_err(LocalError::io(&script))?;
    let console = File::create(&console_path).map_err(LocalError::io(&console_path))?;
    let errors = console.try_clone().map_err(LocalError::io(&console_path))?;

    let mut child = Command::new("setsid")
        .arg("nsenter")
        .arg(format!("--net={}", namespace_file.display()))
        .args(["--", "unshare", "--mount", "--pid", "--uts", "--ipc", "--fork", "--propagation", "private", "--", "sh"])
        .args([&script, machine_dir, base_tree])
        // Whatever the manager was given (passwords among it) is not the machine's.
        .env_clear()
        .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
        .current_dir("/")
        .stdin(start_lock.lend()?)
        .stdout(console)
        .stderr(errors)
        .spawn()
        .map_err(LocalError::io("setsid"))?;

    let started = timeout(START_LIMIT, wait_for_init(&mut child, machine_dir)).await;
    let reason = match started {
        Ok(Ok(())) => {
            tokio::spawn(async move { child.wait().await });
            return Ok(());
        }
        Ok(Err(())) => tail(&fs::read_to_string(&console_path).unwrap_or_default()),
        Err(_elapsed) => format!("no init within {} s", START_LIMIT.as_secs()),
    };
    Err(LocalError::Boot { machine: machine.to_owned(), reason })
}

/// Waits until no start of this machine is under way, and keeps others from beginning one: what an earlier manager began
/// is then either in the `boot` file or has come to nothing.
pub(super) async fn settle(machine_dir: &Path) -> Result<Lock, LocalError> {
    Lock::take(machine_dir.join("start.lock")).await
}

/// An error when the start script ended without an init.
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

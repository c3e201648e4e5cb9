//! Starts a machine: creates its namespaces with util-linux's programs, in which `boot.sh` becomes the init.
//!
//! The machine runs in its own session and inherits nothing of this process except its console, a file: it survives the
//! end of the manager. Until its init runs, the start script holds the start lock together with the manager: if the
//! manager is killed, its successor waits for the start to end, so that a machine is never started twice.

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
/// Between the start and the init's first instruction there are about twenty mounts.
const START_LIMIT: Duration = Duration::from_secs(20);
const START_POLL: Duration = Duration::from_millis(2);

/// Starts the machine in this directory inside a network namespace, and returns when its init runs. It must not run
/// yet: the caller checks that after [`settle`] gave it the start lock.
///
/// # Errors
/// [`LocalError::Boot`] with the output of the start script.
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
        // The manager's environment, which holds passwords, is not passed on.
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

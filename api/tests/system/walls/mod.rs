//! What foreign code tries from behind its walls. Each attempt that reads or reaches something has a control: the same
//! attempt succeeds without the walls.

mod attempts;
mod checking_out;
mod exhausting;
mod installing;
mod limits;
mod output;
mod playing;
mod plugins;
mod pull_request;
mod reaching;
mod reading;
mod servers;
mod world;

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use ocim::platform::command::CommandError;
use ocim::platform::sandbox::{self, RunLimits, Sandbox, SandboxSettings, Wall};
use shared_types::system::SandboxLevel;
use tokio_util::sync::CancellationToken;

use super::ansible::support::cache_dir;

/// How an attempt ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    /// Whether the exit status is 0.
    pub success: bool,
    /// What it printed to stdout and stderr.
    pub said: String,
    /// Why it was ended, in words; none: it ended by itself.
    pub stopped: Option<String>,
}

/// The product's walls, and none.
static BOTH: LazyLock<[Arc<Sandbox>; 2]> = LazyLock::new(|| {
    let settings = SandboxSettings::new(cache_dir().join("sandbox"));
    [with(settings.clone()), with(SandboxSettings { is_off: true, ..settings })]
});

fn with(settings: SandboxSettings) -> Arc<Sandbox> {
    Arc::new(Sandbox::new(settings))
}

/// Runs a script of bash behind this wall.
pub async fn behind(script: &str, wall: &Wall) -> Ended {
    run(&BOTH[0], script, wall).await
}

/// Runs it without any wall, as this program's user.
pub async fn without(script: &str, wall: &Wall) -> Ended {
    run(&BOTH[1], script, wall).await
}

/// Runs it behind this wall with other limits than those of the settings' defaults.
pub async fn limited(script: &str, wall: &Wall, limits: RunLimits) -> Ended {
    let settings = SandboxSettings { limits, ..SandboxSettings::new(cache_dir().join("sandbox")) };
    run(&with(settings), script, wall).await
}

/// An attempt that must fail behind the wall and succeed without it.
pub async fn attempt(script: &str, wall: &Wall) {
    let control = without(script, wall).await;
    assert!(control.success, "the attempt itself is wrong: {script}: {control:?}");
    let ended = behind(script, wall).await;
    assert!(!ended.success, "the wall has a hole: {script}: {ended:?}");
}

async fn run(sandbox: &Sandbox, script: &str, wall: &Wall) -> Ended {
    let account = sandbox.account().await.unwrap();
    let mut cell = sandbox.cell(&account, "bash", wall).await.unwrap();
    cell.command.args(["-c", script]);
    match sandbox::capture(cell, Duration::from_secs(60), &CancellationToken::new()).await {
        Ok(output) => Ended { success: output.success, said: output.stdout + &output.stderr, stopped: None },
        Err(CommandError::Limit(words)) => Ended { success: false, said: String::new(), stopped: Some(words) },
        Err(error) => panic!("{script}: {error}"),
    }
}

/// A wall around a program with nothing but the system.
pub fn bare() -> Wall {
    Wall::new("/tmp")
}

/// A private directory of this program, as its data directory is.
pub fn private_dir() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    std::fs::set_permissions(dir.path(), std::fs::Permissions::from_mode(0o700)).unwrap();
    dir
}

/// A process of this host, as the manager and other runs are.
pub struct Neighbour(Child);

impl Neighbour {
    pub fn with_environment(name: &str, value: &str) -> Self {
        Self(Command::new("sleep").arg("300").env(name, value).stdin(Stdio::null()).spawn().unwrap())
    }

    pub fn pid(&self) -> u32 {
        self.0.id()
    }
}

impl Drop for Neighbour {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// What a script needs to open a connection and read what it gets.
pub fn connect(address: &str, port: u16) -> String {
    format!("timeout 5 bash -c 'exec 3<>/dev/tcp/{address}/{port} && head -c 5 <&3'")
}

pub fn exists(path: &Path) -> bool {
    std::fs::symlink_metadata(path).is_ok()
}

#[tokio::test]
async fn this_host_has_walls() {
    let state = BOTH[0].state().await;
    assert!(matches!(state.level, SandboxLevel::Full | SandboxLevel::Partial), "{state:?}");
    assert_eq!(BOTH[0].refusal().await, None);
    assert_eq!(BOTH[1].state().await.level, SandboxLevel::Off);
}

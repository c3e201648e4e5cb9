//! Podman's service, started by this program where none runs. It ends by itself when it has not been asked for a while, and
//! is started again by the next operation; containers run without it.

use std::ffi::OsString;
use std::fs::{self, DirBuilder};
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::engine::Engine;
use super::error::ContainersError;
use super::pace::Pace;
use crate::machines::providers::openstack::words::line;
use crate::platform::children::{self, Detached, ProcessId};

/// After how many seconds without a request it ends.
const IDLE_SECONDS: &str = "--time=600";
/// The longest path of a Unix socket, in bytes, with the byte that ends it.
const MAX_SOCKET_BYTES: usize = 107;
/// Time for another process of this data directory that starts it, too.
const LOCK_LIMIT: Duration = Duration::from_secs(30);
const POLL: Duration = Duration::from_millis(20);
/// Variables that say where Podman keeps its things; all else of our environment is kept from it.
const PASSED_ON: &[&str] = &[
    "HOME",
    "USER",
    "LANG",
    "XDG_CONFIG_HOME",
    "XDG_DATA_HOME",
    "DBUS_SESSION_BUS_ADDRESS",
    "CONTAINERS_CONF",
    "CONTAINERS_STORAGE_CONF",
    "CONTAINERS_REGISTRIES_CONF",
    "TMPDIR",
];

/// Gives the service of this data directory, and starts it first where it does not run.
///
/// # Errors
/// A text that completes “There is no engine: …”: [`ContainersError::Settings`] if a retry does not help.
pub(super) async fn start(data_dir: &Path, pace: Pace) -> Result<Engine, ContainersError> {
    let program = program().ok_or_else(|| ContainersError::Settings("`podman` is not installed".to_owned()))?;
    let socket = data_dir.join("podman").join("podman.sock");
    if socket.as_os_str().len() > MAX_SOCKET_BYTES {
        return Err(ContainersError::Settings(format!(
            "the path {} is too long for a socket; choose a shorter OCIM_DATA_DIR",
            socket.display()
        )));
    }
    run(&program, &socket, pace).await.map_err(ContainersError::NotDone)
}

async fn run(program: &Path, socket: &Path, pace: Pace) -> Result<Engine, String> {
    let dir = socket.parent().unwrap_or(socket);
    let cannot = |path: &Path| {
        let path = path.display().to_string();
        move |error: std::io::Error| format!("{path}: {error}")
    };
    DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(cannot(dir))?;
    let held = children::lock(&dir.join("lock"), LOCK_LIMIT).await.map_err(cannot(dir))?;
    let _held = held.ok_or("another process has been starting Podman's service for half a minute")?;
    if let Ok(engine) = Engine::connect(socket, pace).await {
        return Ok(engine);
    }
    let log_path = dir.join("service.log");
    let log = children::open_log(&log_path).map_err(cannot(&log_path))?;
    let since = log.metadata().map(|found| found.len()).unwrap_or_default();
    // A file that is left would be taken for a service that listens.
    let _ = fs::remove_file(socket);
    let process = detached(program, socket)?.spawn(log).map_err(|error| error.to_string())?;
    wait(&process, socket, pace).await.map_err(|reason| {
        let said = line(&children::log_tail(&log_path, since));
        format!("`podman system service` {reason}: {said} (all of it is in {})", log_path.display())
    })
}

fn detached(program: &Path, socket: &Path) -> Result<Detached, String> {
    let mut address = OsString::from("unix://");
    address.push(socket);
    let mut command: Vec<OsString> = vec![program.into()];
    if !rustix::process::getuid().is_root() && is_first_use() {
        // Else it copies each container's whole file system.
        command.push("--storage-driver=overlay".into());
    }
    command.extend(["system".into(), "service".into(), IDLE_SECONDS.into(), address]);
    let mut detached = Detached::new(command).env("XDG_RUNTIME_DIR", runtime_dir()?);
    for name in PASSED_ON {
        if let Some(value) = std::env::var_os(name) {
            detached = detached.env(name, value);
        }
    }
    Ok(detached)
}

async fn wait(process: &ProcessId, socket: &Path, pace: Pace) -> Result<Engine, String> {
    let begun = Instant::now();
    loop {
        let is_alive = process.is_alive();
        match Engine::connect(socket, pace).await {
            Ok(engine) => return Ok(engine),
            Err(ContainersError::NotListening(_)) => {}
            Err(other) => return Err(format!("does not work: {other}")),
        }
        if !is_alive {
            return Err("has ended".to_owned());
        }
        if begun.elapsed() > pace.start {
            return Err(format!("does not answer within {:?}", pace.start));
        }
        tokio::time::sleep(POLL).await;
    }
}

fn program() -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|dir| dir.join("podman")).find(|program| program.is_file())
}

/// Whether nothing says how this user's containers are stored: no settings, and no containers made before.
fn is_first_use() -> bool {
    let home = std::env::var_os("HOME").map(PathBuf::from).unwrap_or_default();
    let dir = |variable: &str, usual: &str| std::env::var_os(variable).map_or_else(|| home.join(usual), PathBuf::from);
    let settings = dir("XDG_CONFIG_HOME", ".config").join("containers/storage.conf");
    let storage = dir("XDG_DATA_HOME", ".local/share").join("containers/storage");
    let is_set = std::env::var_os("CONTAINERS_STORAGE_CONF").is_some()
        || settings.exists()
        || Path::new("/etc/containers/storage.conf").exists();
    !is_set && (!storage.exists() || (storage.join("overlay").exists() && !storage.join("vfs").exists()))
}

/// A directory of this user for what runs; sessions without a login (`su`) have none.
fn runtime_dir() -> Result<PathBuf, String> {
    let uid = rustix::process::getuid();
    let is_own =
        |dir: &PathBuf| fs::symlink_metadata(dir).is_ok_and(|found| found.is_dir() && found.uid() == uid.as_raw());
    let given = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
    let usual = PathBuf::from(format!("/run/user/{}", uid.as_raw()));
    if let Some(dir) = given.into_iter().chain([usual]).find(is_own) {
        return Ok(dir);
    }
    // In a place that does not depend on the data directory: Podman remembers it.
    let dir = std::env::temp_dir().join(format!("ocim-run-{}", uid.as_raw()));
    let made = DirBuilder::new().mode(0o700).create(&dir);
    if is_own(&dir) && fs::metadata(&dir).is_ok_and(|found| found.mode() & 0o077 == 0) {
        return Ok(dir);
    }
    let why = made.err().map_or_else(|| "it belongs to another user".to_owned(), |error| error.to_string());
    Err(format!(
        "there is no directory for what runs: set XDG_RUNTIME_DIR to one of this user ({}: {why})",
        dir.display()
    ))
}

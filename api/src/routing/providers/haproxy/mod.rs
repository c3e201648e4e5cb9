//! The gateway: our own HAProxy, started, adopted, supervised and controlled through its runtime socket; it also asks
//! targets whether they would answer visitors.
//!
//! Invariants: the map file is the desired state, written before HAProxy's table is changed; a restart of either side
//! loads it again. HAProxy keeps serving if ocim crashes, so visitors do not notice.
//!
//! Out of scope: which instance has which host names, and health checks of targets.

mod certificates;
mod claims;
mod config;
mod error;
mod map_file;
mod pages;
mod process;
mod questions;
mod routes;
mod runtime;
mod table;
mod tables;

use std::fs::File;
use std::net::{SocketAddr, TcpListener};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};
use std::{env, fs, io};

use async_trait::async_trait;
use tokio_util::sync::CancellationToken;

use self::certificates::CertificateFiles;
use self::config::{Config, FILE, SOCKET};
pub use self::error::GatewayError;
pub use self::process::HaproxyProcess;
pub use self::routes::HaproxyRoutes;
use crate::config::gateway::GatewaySettings;
use crate::platform::children::{Detached, ProcessId, Signal, User, log_tail, open_log};
use crate::routing::traffic::{
    Answer, AskError, CertificateSource, Challenge, Question, Revisions, Route, Traffic, TrafficError,
};

const START_TIMEOUT: Duration = Duration::from_secs(15);
const LONGEST_BACK_OFF: Duration = Duration::from_secs(10);
/// A process that ran this long did not fail at its start; the back-off is reset.
const LONG_RUN: Duration = Duration::from_secs(30);

/// Directory and settings of the gateway.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GatewayConfig {
    pub settings: GatewaySettings,
    /// The gateway's own directory, created when missing (0700).
    pub dir: PathBuf,
    /// Limit of concurrent visitors' connections; HAProxy needs two open files for each.
    pub connections: u32,
}

impl GatewayConfig {
    /// The certificates that it serves; none: it does not serve HTTPS.
    fn certificates(&self) -> Option<CertificateFiles> {
        let own = self.settings.run_dir.clone().unwrap_or_else(|| self.dir.clone());
        self.settings.listen_tls.map(|_| CertificateFiles::new(own.join("certificates")))
    }
}

/// A gateway that serves. Dropping this leaves HAProxy running.
#[derive(Debug)]
pub struct HaproxyGateway {
    config: GatewayConfig,
    program: PathBuf,
    routes: HaproxyRoutes,
    process: Mutex<ProcessId>,
    stopped: CancellationToken,
}

impl HaproxyGateway {
    /// Starts HAProxy with the routes of its map file, or adopts a running one. When it returns, visitors are served.
    ///
    /// # Errors
    /// [`GatewayError`] with the cause and the remedy.
    pub async fn start(config: GatewayConfig) -> Result<Self, GatewayError> {
        let program = find_program()?;
        fs::DirBuilder::new().recursive(true).mode(0o700).create(&config.dir).map_err(directory_error(&config.dir))?;
        let dir = config.dir.canonicalize().map_err(directory_error(&config.dir))?;
        let config = GatewayConfig { dir, ..config };
        let routes = HaproxyRoutes::new(&config);
        let _lock = lock(&config, &routes).await?;
        let process = bring_up(&config, &program, &routes).await?;
        Ok(Self { config, program, routes, process: Mutex::new(process), stopped: CancellationToken::new() })
    }

    /// The present process, which changes with each restart.
    #[must_use]
    pub fn process(&self) -> ProcessId {
        self.process.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Restarts HAProxy with its routes whenever it ends, first at once and then with a back-off of at most 10 s.
    /// Returns when the gateway is stopped.
    pub async fn supervise(&self) {
        let mut pause = Duration::ZERO;
        loop {
            let began = Instant::now();
            if self.stopped.run_until_cancelled(self.ended()).await.is_none() {
                return;
            }
            tracing::warn!(address = %self.config.settings.listen, "the gateway ended by itself; starting it again");
            if began.elapsed() > LONG_RUN {
                pause = Duration::ZERO;
            }
            if !self.start_again(&mut pause).await {
                return;
            }
            tracing::info!(address = %self.config.settings.listen, "the gateway serves again");
        }
    }

    /// Stops HAProxy within 10 s; open requests are cut. No serving process of it is left.
    ///
    /// # Errors
    /// [`GatewayError::Stop`] if it survives SIGKILL or belongs to another user.
    pub async fn stop(&self) -> Result<(), GatewayError> {
        self.stopped.cancel();
        // Excludes concurrent changes; without a lock, because the directory is gone, HAProxy is stopped all the same.
        let _lock = lock(&self.config, &self.routes).await;
        let process = self.process();
        let steps = [(Signal::TERM, Duration::from_secs(5)), (Signal::KILL, Duration::from_secs(5))];
        let failed = |reason: String| GatewayError::Stop { pid: process.pid, reason };
        match process.stop(&steps).await {
            Ok(true) => Ok(()),
            Ok(false) => Err(failed("it is still there after SIGKILL".to_owned())),
            Err(error) => Err(failed(error.to_string())),
        }
    }

    async fn ended(&self) {
        let process = self.process();
        while !process.wait(Duration::from_secs(3600)).await {}
    }

    /// Retries until HAProxy runs; false if the gateway was stopped.
    async fn start_again(&self, pause: &mut Duration) -> bool {
        let mut is_told = false;
        loop {
            if self.stopped.run_until_cancelled(tokio::time::sleep(*pause)).await.is_none() {
                return false;
            }
            *pause = (*pause * 2).clamp(Duration::from_millis(200), LONGEST_BACK_OFF);
            match self.replace_ended().await {
                Ok(is_started) => return is_started,
                Err(error) if !is_told => {
                    is_told = true;
                    tracing::error!(%error, "the gateway does not start; trying on");
                }
                Err(_) => {}
            }
        }
    }

    /// Never cancelled half-way, and holds the lock throughout: a concurrent stop waits and finds the new process.
    async fn replace_ended(&self) -> Result<bool, GatewayError> {
        let _lock = lock(&self.config, &self.routes).await?;
        if self.stopped.is_cancelled() {
            return Ok(false);
        }
        let process = bring_up(&self.config, &self.program, &self.routes).await?;
        *self.process.lock().unwrap_or_else(PoisonError::into_inner) = process;
        Ok(true)
    }
}

#[async_trait]
impl Traffic for HaproxyGateway {
    async fn apply(&self, routes: &[Route]) -> Result<(), TrafficError> {
        self.routes.apply(routes).await
    }

    async fn replace_all(&self, routes: &[Route]) -> Result<(), TrafficError> {
        self.routes.replace_all(routes).await
    }

    async fn set_challenges(&self, challenges: &[Challenge]) -> Result<(), TrafficError> {
        self.routes.set_challenges(challenges).await
    }

    async fn set_certificates(&self, all: &Revisions, source: &dyn CertificateSource) -> Result<(), TrafficError> {
        self.routes.set_certificates(all, source).await
    }

    async fn open_connections(&self, target: SocketAddr) -> Result<u64, TrafficError> {
        self.routes.open_connections(target).await
    }

    async fn answers(&self) -> Result<(), TrafficError> {
        self.routes.answers().await
    }

    async fn ask(&self, target: SocketAddr, question: &Question<'_>) -> Result<Answer, AskError> {
        self.routes.ask(target, question).await
    }
}

async fn lock(config: &GatewayConfig, routes: &HaproxyRoutes) -> Result<File, GatewayError> {
    let held = routes.lock().await.map_err(directory_error(&config.dir))?;
    held.ok_or_else(|| GatewayError::Busy { directory: config.dir.clone() })
}

/// Adopts a HAProxy that runs with this very configuration; otherwise starts one, which replaces one with another
/// configuration. The caller holds the lock.
async fn bring_up(config: &GatewayConfig, program: &Path, routes: &HaproxyRoutes) -> Result<ProcessId, GatewayError> {
    let wanted = Config::new(config, run_as()?);
    wanted.write(&config.dir).map_err(directory_error(&config.dir))?;
    let running = routes.runtime.info().await.and_then(|info| Some((ProcessId::of(info.pid)?, info.description)));
    let process = match running {
        Some((process, description)) if description == wanted.description => {
            tracing::info!(pid = process.pid, "the gateway runs already; adopting it");
            process
        }
        Some((process, _)) => {
            tracing::info!(pid = process.pid, "the gateway runs with another configuration; replacing it");
            launch(config, program, routes, Some(&process)).await?
        }
        None => launch(config, program, routes, None).await?,
    };
    // It serves the routes that it has; the next comparison of all routes repairs the rest.
    if let Err(error) = routes.load().await {
        tracing::error!(%error, "the gateway runs, and does not have all of its routes");
    }
    Ok(process)
}

/// Starts HAProxy. An old process hands over its listening socket, finishes its visitors' requests and exits.
async fn launch(
    config: &GatewayConfig,
    program: &Path,
    routes: &HaproxyRoutes,
    old: Option<&ProcessId>,
) -> Result<ProcessId, GatewayError> {
    let log = config.dir.join("log");
    let mut line = vec![program.as_os_str().to_owned(), "-C".into(), config.dir.clone().into()];
    line.extend(["-f", FILE, "-db"].map(Into::into));
    match old {
        // Check the port first: HAProxy would share it with a foreign process that allows this.
        None => {
            for address in config.settings.addresses() {
                TcpListener::bind(address).map_err(|error| listen_error(address, &error.to_string()))?;
            }
        }
        Some(old) => line.extend(["-x", SOCKET, "-sf", &old.pid.to_string()].map(Into::into)),
    }
    let file = open_log(&log).map_err(directory_error(&log))?;
    let since = file.metadata().map_err(directory_error(&log))?.len();
    let failed = |reason: String| GatewayError::Start { reason, log: log.clone(), tail: log_tail(&log, since) };
    let process = Detached::new(line).spawn(file).map_err(|error| failed(error.to_string()))?;
    let deadline = Instant::now() + START_TIMEOUT;
    loop {
        if routes.runtime.info().await.is_some_and(|info| info.pid == process.pid) {
            return Ok(process);
        }
        if process.wait(Duration::from_millis(20)).await {
            let is_taken = log_tail(&log, since).contains("cannot bind socket");
            return Err(if is_taken {
                listen_error(config.settings.listen, "address in use")
            } else {
                failed("it ended at once".into())
            });
        }
        if Instant::now() >= deadline {
            let stopped = process.stop(&[(Signal::KILL, Duration::from_secs(5))]).await;
            return Err(failed(format!("not ready after {} s (ended: {stopped:?})", START_TIMEOUT.as_secs())));
        }
    }
}

fn listen_error(address: SocketAddr, reason: &str) -> GatewayError {
    GatewayError::Listen { address, reason: reason.to_owned() }
}

fn directory_error(path: &Path) -> impl FnOnce(io::Error) -> GatewayError {
    let path = path.to_owned();
    move |source| GatewayError::Directory { path, source }
}

/// Users that HAProxy may run as, the first that exists. Never `nobody`, which the embedded Postgres may run as: processes
/// of one user can read and end each other.
const USERS: &[&str] = &["haproxy", "daemon"];

/// User and group for HAProxy once it listens, if ocim runs as root; none otherwise.
fn run_as() -> Result<Option<(u32, u32)>, GatewayError> {
    if !rustix::process::geteuid().is_root() {
        return Ok(None);
    }
    let user = User::first_of(USERS).ok_or(GatewayError::NoUser)?;
    Ok(Some((user.uid, user.gid)))
}

/// Searches the system's directories too, which not every user's PATH has.
fn find_program() -> Result<PathBuf, GatewayError> {
    let path = env::var_os("PATH").unwrap_or_default();
    let mut directories: Vec<PathBuf> = env::split_paths(&path).filter(|part| part.is_absolute()).collect();
    directories.extend(["/usr/sbin", "/usr/local/sbin", "/opt/homebrew/bin"].map(PathBuf::from));
    first_program(&directories)
}

fn first_program(directories: &[PathBuf]) -> Result<PathBuf, GatewayError> {
    let found = directories.iter().map(|directory| directory.join("haproxy")).find(|program| program.is_file());
    found.ok_or_else(|| GatewayError::NotInstalled {
        searched: directories.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", "),
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn names_the_package_where_it_is_not_installed() {
        let error = first_program(&["/nowhere".into(), "/neither".into()]).unwrap_err().to_string();
        assert!(error.contains("/nowhere, /neither") && error.contains("apt-get install haproxy"), "{error}");
    }
}

//! The embedded PostgreSQL, used if no DATABASE_URL is set: installed programs of this host run a cluster below the
//! data directory, on a free port of 127.0.0.1, with a random password.
//!
//! Invariants: one server per data directory, however many processes start it at once. It survives a crash of ocim, and
//! the next start adopts it. Whichever processes were killed, in any order, the next start recovers.
//!
//! Not here: installing PostgreSQL (the messages say how) and the schema.

mod account;
mod binaries;
mod error;
mod files;
mod initdb;
mod session;

use std::ffi::OsString;
use std::fs::File;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use secrecy::{ExposeSecret, SecretString};

use self::account::Account;
use self::binaries::Binaries;
pub use self::error::EmbeddedError;
use self::files::{Files, Running};
use crate::platform::children::{Detached, ProcessId, Signal, log_tail, open_log};

/// The name of the role and of the database. The role may make databases, and no more.
const ROLE: &str = "ocim";
/// The role that owns the cluster. Clusters of earlier versions have none: there, [`ROLE`] does.
const SUPERUSER: &str = "postgres";

#[derive(Debug, Clone, Copy)]
pub struct EmbeddedOptions {
    /// Whether commits survive a power cut. Off is only for tests, where it is faster.
    pub is_durable: bool,
    /// How long a start may take, including recovery after a crash.
    pub start_timeout: Duration,
}

impl Default for EmbeddedOptions {
    fn default() -> Self {
        Self { is_durable: true, start_timeout: Duration::from_secs(120) }
    }
}

/// A server that accepts connections. Dropping this leaves it running. Cheap to clone.
#[derive(Debug, Clone)]
pub struct EmbeddedPostgres {
    files: Files,
    options: EmbeddedOptions,
    process: Arc<Mutex<ProcessId>>,
    url: SecretString,
}

impl EmbeddedPostgres {
    /// Starts the server of this data directory, or adopts a running one. Returns once the database answers.
    ///
    /// # Errors
    /// [`EmbeddedError`], whose message names the remedy. Existing data are never lost.
    pub async fn start(data_dir: &Path, options: EmbeddedOptions) -> Result<Self, EmbeddedError> {
        let deadline = Instant::now() + options.start_timeout;
        let files = Files::prepare(data_dir)?;
        let _lock = files.lock(options.start_timeout).await?;
        if let Some(running) = files.running()
            && let Some(adopted) = Self::adopt(&files, running, options, deadline).await?
        {
            return Ok(adopted);
        }
        let (running, password) = launch(&files, options, deadline).await?;
        session::prepare_database(&files, running.port, &password).await?;
        files.keep_port(running.port)?;
        Ok(Self::of(files, options, running, &password))
    }

    fn of(files: Files, options: EmbeddedOptions, running: Running, password: &SecretString) -> Self {
        let process = Arc::new(Mutex::new(running.process));
        Self { url: url(running.port, password), process, options, files }
    }

    /// Restarts the server whenever it ends, at the same address, so that clients can reconnect. Returns only if the
    /// server now has another port, which is logged.
    pub async fn supervise(&self) {
        loop {
            let process = self.process();
            while !process.wait(Duration::from_secs(3600)).await {}
            tracing::warn!("the database ended by itself; starting it again");
            match Self::start(self.files.data_dir(), self.options).await {
                Ok(again) if again.url.expose_secret() == self.url.expose_secret() => {
                    *self.process.lock().unwrap_or_else(PoisonError::into_inner) = again.process();
                    tracing::info!("the database answers again");
                }
                Ok(_) => {
                    tracing::error!("the database's port was taken meanwhile; restart this program to use the new one");
                    return;
                }
                Err(error) => {
                    tracing::error!(%error, "the database does not start");
                    tokio::time::sleep(Duration::from_secs(5)).await;
                }
            }
        }
    }

    /// Adopts the running server. None: it ended in the meantime.
    async fn adopt(
        files: &Files,
        running: Running,
        options: EmbeddedOptions,
        deadline: Instant,
    ) -> Result<Option<Self>, EmbeddedError> {
        let password = existing_password(files)?;
        tracing::info!(port = running.port, pid = running.process.pid, "the database runs already; adopting it");
        match wait_until_ready(files, &running.process, deadline).await {
            Wait::Ready(_) => {}
            Wait::Ended => return Ok(None),
            Wait::TooLong => return Err(too_long(files, options)),
        }
        match session::prepare_database(files, running.port, &password).await {
            Ok(()) => {}
            Err(_) if running.process.wait(Duration::from_millis(100)).await => return Ok(None),
            Err(error) => return Err(error),
        }
        Ok(Some(Self::of(files.clone(), options, running, &password)))
    }

    /// The URL of the server that another process runs on this data directory. For a process that joins it and must
    /// never stop it.
    ///
    /// # Errors
    /// [`EmbeddedError`] if no server runs, or this user may not read its password.
    pub async fn attach(data_dir: &Path) -> Result<SecretString, EmbeddedError> {
        let home = data_dir.join("postgres");
        let not_running = || EmbeddedError::NotRunning { directory: home.clone() };
        if !home.is_dir() {
            return Err(not_running());
        }
        let files = Files::at(&home)?;
        let running = files.running().filter(|running| running.is_ready).ok_or_else(not_running)?;
        let password = existing_password(&files)?;
        session::prepare_database(&files, running.port, &password).await?;
        Ok(url(running.port, &password))
    }

    /// The server's URL: `postgres://ocim:…@127.0.0.1:port/ocim`.
    #[must_use]
    pub fn url(&self) -> &SecretString {
        &self.url
    }

    /// The postmaster, the server's first process.
    #[must_use]
    pub fn process(&self) -> ProcessId {
        self.process.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Stops the server: open connections are cut, committed data are on disk. Takes at most 70 s.
    ///
    /// # Errors
    /// [`EmbeddedError`] if the server survives SIGKILL, or belongs to another user.
    pub async fn stop(self) -> Result<(), EmbeddedError> {
        // No other process may adopt the server meanwhile. Without a lock (directory deleted), stop it all the same.
        let _lock = self.files.lock(Duration::from_secs(30)).await;
        let steps = [
            // Fast shutdown first; then immediate shutdown, after which the next start recovers.
            (Signal::INT, Duration::from_secs(30)),
            (Signal::QUIT, Duration::from_secs(5)),
            (Signal::KILL, Duration::from_secs(5)),
        ];
        let process = self.process();
        let failed = |reason: String| EmbeddedError::Stop { pid: process.pid, reason };
        match process.stop(&steps).await {
            Ok(true) => Ok(()),
            Ok(false) => Err(failed("it is still there after SIGKILL".to_owned())),
            Err(error) => Err(failed(error.to_string())),
        }
    }
}

/// The path of a PostgreSQL program such as `pg_dump`: of the version that created the data of this data directory, or
/// the newest one.
///
/// # Errors
/// [`EmbeddedError`] if PostgreSQL is not installed on this host.
pub async fn tool(data_dir: &Path, name: &str) -> Result<PathBuf, EmbeddedError> {
    binaries::find_tool(&data_dir.join("postgres/data"), name).await
}

/// Starts a server if none runs. The lock must be held.
async fn launch(
    files: &Files,
    options: EmbeddedOptions,
    deadline: Instant,
) -> Result<(Running, SecretString), EmbeddedError> {
    let binaries = binaries::find(&files.data()).await?;
    let account = Account::choose(files).await?;
    let password = if files.data().exists() {
        existing_password(files)?
    } else {
        let password = files.new_password()?;
        tracing::info!(data = %files.data().display(), version = binaries.major, "making the database");
        let superuser = files.new_superuser_password()?;
        initdb::make_cluster(files, &binaries, &account, &superuser, options.is_durable).await?;
        password
    };
    let mut port = files.last_port().and_then(free_port).map_or_else(any_port, Ok);
    loop {
        let tried = port.map_err(|error| start_error(files, &format!("no free port on 127.0.0.1: {error}")))?;
        files.disown_pid_file()?;
        tracing::info!(port = tried, version = binaries.major, "starting the database");
        let log = open_log(&files.log()).map_err(EmbeddedError::directory("write", &files.log()))?;
        let since = log.metadata().map_err(EmbeddedError::directory("read", &files.log()))?.len();
        let process = spawn(files, &binaries, &account, tried, options, log)?;
        match wait_until_ready(files, &process, deadline).await {
            Wait::Ready(running) => return Ok((running, password)),
            Wait::TooLong => return Err(too_long(files, options)),
            Wait::Ended if Instant::now() >= deadline => return Err(start_error(files, "it ended again and again")),
            Wait::Ended => port = next_try(files, tried, since)?,
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

/// Decides from the log of a server that ended at once whether to try again, and on which port.
fn next_try(files: &Files, tried: u16, since: u64) -> Result<std::io::Result<u16>, EmbeddedError> {
    let tail = log_tail(&files.log(), since);
    // The messages are in English because `lc_messages` is set.
    if tail.contains("could not create any TCP/IP sockets") || tail.contains("Address already in use") {
        tracing::info!(port = tried, "the port was taken meanwhile; choosing another");
        return Ok(any_port());
    }
    if tail.contains("pre-existing shared memory block") {
        tracing::info!("waiting for processes that a killed database left");
        return Ok(Ok(tried));
    }
    Err(start_error(files, "it ended at once"))
}

fn spawn(
    files: &Files,
    binaries: &Binaries,
    account: &Account,
    port: u16,
    options: EmbeddedOptions,
    log: File,
) -> Result<ProcessId, EmbeddedError> {
    let port = format!("port={port}");
    let mut settings = vec![
        port.as_str(),
        "listen_addresses=127.0.0.1",
        // No Unix socket: with a deep data directory its path would be too long.
        "unix_socket_directories=",
        "shared_buffers=128MB",
        "max_connections=200",
        "lc_messages=C",
        "logging_collector=off",
        "log_destination=stderr",
    ];
    if !options.is_durable {
        settings.extend(["fsync=off", "synchronous_commit=off", "full_page_writes=off", "autovacuum=off"]);
    }
    let mut line: Vec<OsString> = vec![binaries.postgres().into(), "-D".into(), account.path("data").into()];
    line.extend(settings.into_iter().flat_map(|setting| ["-c".into(), setting.into()]));
    Detached::new(account.command(line)).spawn(log).map_err(|error| start_error(files, &error.to_string()))
}

/// The outcome of waiting for a starting server.
enum Wait {
    Ready(Running),
    Ended,
    TooLong,
}

/// Waits until the server's pid file says that it is ready. Before that, another program may listen on the port.
async fn wait_until_ready(files: &Files, process: &ProcessId, deadline: Instant) -> Wait {
    let began = Instant::now();
    let mut told = began;
    loop {
        if let Some(running) = files.running().filter(|running| running.is_ready && running.process == *process) {
            return Wait::Ready(running);
        }
        if process.wait(Duration::from_millis(25)).await {
            return Wait::Ended;
        }
        if Instant::now() >= deadline {
            return Wait::TooLong;
        }
        if told.elapsed() >= Duration::from_secs(5) {
            told = Instant::now();
            let waited_s = began.elapsed().as_secs();
            tracing::info!(waited_s, "waiting for the database; after a crash it recovers first");
        }
    }
}

fn existing_password(files: &Files) -> Result<SecretString, EmbeddedError> {
    let missing = || EmbeddedError::NoPassword { data: files.data(), file: files.password_file() };
    files.password()?.ok_or_else(missing)
}

fn url(port: u16, password: &SecretString) -> SecretString {
    SecretString::from(format!("postgres://{ROLE}:{}@127.0.0.1:{port}/{ROLE}", password.expose_secret()))
}

fn free_port(port: u16) -> Option<u16> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).ok().map(|_| port)
}

fn any_port() -> std::io::Result<u16> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr().map(|address| address.port())
}

fn start_error(files: &Files, reason: &str) -> EmbeddedError {
    EmbeddedError::Start { reason: reason.to_owned(), log: files.log(), tail: log_tail(&files.log(), 0) }
}

fn too_long(files: &Files, options: EmbeddedOptions) -> EmbeddedError {
    let waited = options.start_timeout.as_secs();
    start_error(files, &format!("not ready after {waited} s. It goes on; start ocim again to wait for it"))
}

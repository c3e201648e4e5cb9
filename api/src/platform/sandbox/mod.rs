//! The sandbox: every program that touches foreign content (git, pip, ansible-galaxy, Ansible) runs behind a wall.
//!
//! A run has an [`Account`]: as root, a user of its own. Each of its programs has a [`Wall`]: what it sees, writes and
//! reaches; [`Sandbox::cell`] makes a command of it. Programs that need no network get none. See `docs/sandbox.md`.
//!
//! Not here: what the programs need, which they say by their walls.

mod accounts;
mod bubblewrap;
mod build;
mod cell;
mod environment;
mod etc;
mod host;
mod launch;
mod network;
mod probe;
mod settings;
mod trees;
mod wall;
mod watch;

use std::ffi::OsStr;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use shared_types::system::{SandboxLevel, SandboxState};
use tokio::sync::Mutex;

pub use self::accounts::Account;
use self::build::Builder;
pub use self::cell::{Cell, Guard, capture, capture_up_to, settle};
use self::network::Egress;
pub use self::network::Network;
use self::probe::Probed;
pub use self::settings::{RunLimits, SandboxSettings, UIDS};
pub use self::trees::{open_to_runs, take_back, take_back_all};
pub use self::wall::Wall;
use super::command::CommandError;

/// How long a host without a sandbox is taken for one.
const PROBE_AGAIN: Duration = Duration::from_secs(30);

/// Root's directory for the files of programs that run; in memory on most hosts.
const ROOTS_DIR: &str = "/run/ocim-sandbox";

/// Makes walls. Shared by all parts of the program.
#[derive(Debug)]
pub struct Sandbox {
    settings: SandboxSettings,
    probed: Mutex<Option<(Instant, Arc<Probed>)>>,
}

impl Sandbox {
    /// Does no I/O.
    #[must_use]
    pub fn new(settings: SandboxSettings) -> Self {
        Self { settings, probed: Mutex::default() }
    }

    /// What works on this host. Probed once; where there is no sandbox, again after half a minute.
    pub async fn state(&self) -> SandboxState {
        self.probed().await.state.clone()
    }

    /// Why no foreign code may run on this host, in words with the remedy. None: it may.
    pub async fn refusal(&self) -> Option<String> {
        self.probed().await.refusal()
    }

    /// Whether `OCIM_SANDBOX=none` takes all walls away.
    #[must_use]
    pub fn is_off(&self) -> bool {
        self.settings.is_off
    }

    /// A user for a run.
    ///
    /// # Errors
    /// [`CommandError::NoSandbox`] if the host has none, and [`CommandError::System`] if all users are in use.
    pub async fn account(&self) -> Result<Arc<Account>, CommandError> {
        if let Some(words) = self.refusal().await {
            return Err(CommandError::NoSandbox(words));
        }
        probe::account(&self.settings, self.state_dir()).map(Arc::new)
    }

    /// A program behind a wall, as this user.
    ///
    /// # Errors
    /// [`CommandError::NoSandbox`] if the host has none, and [`CommandError::System`] if the wall cannot be built.
    pub async fn cell(
        &self,
        account: &Arc<Account>,
        program: impl AsRef<OsStr>,
        wall: &Wall,
    ) -> Result<Cell, CommandError> {
        let probed = self.probed().await;
        if let Some(words) = probed.refusal() {
            return Err(CommandError::NoSandbox(words));
        }
        let mut builder = Builder::new(&self.settings, &probed.facts, account, wall)?;
        if self.settings.is_off {
            return Ok(builder.open(program.as_ref()));
        }
        if let Some(uid) = account.uid() {
            let given = trees::give_all(wall.written.clone(), uid).await;
            given.map_err(|error| CommandError::System(error.to_string()))?;
        }
        builder.written_before = watch::sizes(wall.written.iter().chain(&wall.watched).cloned().collect()).await;
        let egress = Egress::find(wall.network, &self.settings.networks).await;
        builder.build(program.as_ref(), egress.as_ref())
    }

    async fn probed(&self) -> Arc<Probed> {
        let mut probed = self.probed.lock().await;
        if let Some((at, found)) = &*probed
            && (found.state.level != SandboxLevel::Missing || at.elapsed() < PROBE_AGAIN)
        {
            return found.clone();
        }
        let found =
            if self.settings.is_off { probe::off() } else { probe::probe(&self.settings, self.state_dir()).await };
        let found = Arc::new(found);
        *probed = Some((Instant::now(), found.clone()));
        found
    }

    fn state_dir(&self) -> &Path {
        if rustix::process::geteuid().is_root() { Path::new(ROOTS_DIR) } else { &self.settings.state_dir }
    }
}

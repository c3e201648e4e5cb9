//! What of the sandbox works on this host.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::Duration;

use shared_types::system::{Protection, SandboxLevel, SandboxState};
use tokio_util::sync::CancellationToken;

use super::accounts::{self, Account};
use super::build::{Builder, Facts};
use super::network::{Egress, Network};
use super::settings::{RunLimits, SandboxSettings};
use super::wall::Wall;
use crate::platform::cgroups::{Cgroups, Limits};
use crate::platform::seccomp::{self, Profile};

/// How long a program that does nothing may take.
const LIMIT: Duration = Duration::from_secs(20);

/// The device by which pasta gets the packets of a run.
const TUN: &str = "/dev/net/tun";

/// The owner's name of the control groups: users of runs are unique on a host.
const GROUPS: &str = "sandbox";

/// The result of a probe.
#[derive(Debug)]
pub(super) struct Probed {
    pub(super) facts: Facts,
    pub(super) state: SandboxState,
}

impl Probed {
    /// Why no foreign code may run, in words with the remedy.
    pub(super) fn refusal(&self) -> Option<String> {
        if self.state.level != SandboxLevel::Missing {
            return None;
        }
        let lost = self.state.protections.iter().filter(|wall| !wall.is_active);
        let lost = lost.map(|wall| format!("{} ({})", wall.name, wall.detail)).collect::<Vec<_>>().join("; ");
        Some(format!(
            "this host has no sandbox for foreign code: {lost}. Or set OCIM_SANDBOX=none, which gives playbooks all rights \
             of this program"
        ))
    }
}

/// With `OCIM_SANDBOX=none`.
pub(super) fn off() -> Probed {
    let detail = "OCIM_SANDBOX=none: playbooks, git and pip have all rights of this program".to_owned();
    let walls = vec![Protection { name: "files, processes and network".to_owned(), is_active: false, detail }];
    Probed { facts: Facts::default(), state: SandboxState { level: SandboxLevel::Off, protections: walls } }
}

/// Tries each wall.
pub(super) async fn probe(settings: &SandboxSettings, state: &Path) -> Probed {
    let is_root = rustix::process::geteuid().is_root();
    accounts::sweep(state, &settings.state_dir);
    let facts = Facts {
        seccomp: seccomp::filter(Profile::Run),
        cgroups: is_root.then(|| Cgroups::find(GROUPS)),
        makes_tun: is_root && Path::new(TUN).exists() && !is_open(Path::new(TUN)),
    };
    if let Some(cgroups) = &facts.cgroups {
        let uid = |name: &str| name.strip_prefix("run-")?.split('-').next()?.parse().ok();
        cgroups.sweep(|name| uid(name).is_some_and(|uid| accounts::is_taken(uid, state)));
    }
    let files = tried(settings, &facts, state, Network::None).await;
    let network = match missing_for_network(is_root) {
        Some(words) => Err(words),
        None if files.is_ok() => {
            tried(settings, &facts, state, Network::Public).await.map_err(|error| no_network(&error))
        }
        None => Err("it needs namespaces, too".to_owned()),
    };
    let mut walls = vec![
        protection(
            "files and processes",
            files.map_err(|error| why_no_namespaces(&error)),
            "bubblewrap: own namespaces",
        ),
        protection("network", network, "pasta and nftables: public addresses only"),
        user(is_root, settings),
        system_calls(&facts),
    ];
    let has_walls = walls.iter().take(2).all(|wall| wall.is_active);
    walls.extend(limits(settings.limits, &facts));
    let level = match (has_walls, walls.iter().all(|wall| wall.is_active)) {
        (false, _) => SandboxLevel::Missing,
        (true, false) => SandboxLevel::Partial,
        (true, true) => SandboxLevel::Full,
    };
    Probed { facts, state: SandboxState { level, protections: walls } }
}

/// Runs a program that does nothing behind the wall.
async fn tried(settings: &SandboxSettings, facts: &Facts, state: &Path, network: Network) -> Result<(), String> {
    let account = account(settings, state).map_err(|error| error.to_string())?.into();
    let wall = Wall::new("/tmp").reach(network);
    let egress = Egress::find(network, &settings.networks).await;
    let cell =
        Builder::new(settings, facts, &account, &wall).and_then(|new| new.build("true".as_ref(), egress.as_ref()));
    let cell = cell.map_err(|error| error.to_string())?;
    let output = super::capture(cell, LIMIT, &CancellationToken::new()).await.map_err(|error| error.to_string())?;
    if output.success {
        return Ok(());
    }
    let last =
        output.stderr.lines().map(str::trim).rfind(|line| !line.is_empty()).unwrap_or("it failed without a word");
    Err(last.to_owned())
}

/// The user of a run.
pub(super) fn account(
    settings: &SandboxSettings,
    state: &Path,
) -> Result<Account, crate::platform::command::CommandError> {
    if rustix::process::geteuid().is_root() && !settings.is_off {
        Account::take(&settings.uids, state)
    } else {
        Account::own(state)
    }
}

fn is_open(device: &Path) -> bool {
    fs::metadata(device).is_ok_and(|found| found.permissions().mode() & 0o006 == 0o006)
}

fn protection(name: &str, tried: Result<(), String>, how: &str) -> Protection {
    let is_active = tried.is_ok();
    Protection { name: name.to_owned(), is_active, detail: tried.err().unwrap_or_else(|| how.to_owned()) }
}

fn has(program: &str) -> bool {
    let dirs = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"];
    dirs.iter().any(|dir| Path::new(dir).join(program).exists())
}

fn why_no_namespaces(error: &str) -> String {
    if let Some(missing) =
        [("bwrap", "bubblewrap"), ("setpriv", "util-linux"), ("prlimit", "util-linux"), ("mount", "mount")]
            .iter()
            .find(|(program, _)| !has(program))
    {
        return format!("the program {} is missing: install {}", missing.0, missing.1);
    }
    let set_to = |path: &str, value: &str| fs::read_to_string(path).is_ok_and(|text| text.trim() == value);
    let remedy = if set_to("/proc/sys/kernel/apparmor_restrict_unprivileged_userns", "1") {
        "AppArmor restricts user namespaces: load a profile that allows them for bwrap (docs/sandbox.md)"
    } else if set_to("/proc/sys/kernel/unprivileged_userns_clone", "0") {
        "the kernel refuses user namespaces: set kernel.unprivileged_userns_clone to 1"
    } else if set_to("/proc/sys/user/max_user_namespaces", "0") {
        "the kernel refuses user namespaces: set user.max_user_namespaces to 10000"
    } else {
        "the host refuses namespaces: see docs/sandbox.md"
    };
    format!("{remedy} ({error})")
}

/// What is known to be missing before anything is tried: pasta waits where it should fail.
fn missing_for_network(is_root: bool) -> Option<String> {
    let programs = [("pasta", "passt"), ("nft", "nftables")];
    if let Some((program, package)) = programs.into_iter().find(|(program, _)| !has(program)) {
        return Some(format!("the program {program} is missing: install {package}"));
    }
    let tun = Path::new(TUN);
    if !tun.exists() {
        return Some(format!("{TUN} is missing: load it with `modprobe tun`, or give it to the container"));
    }
    (!is_root && !is_open(tun)).then(|| format!("{TUN} is not open to users: `chmod 666 {TUN}`"))
}

fn no_network(error: &str) -> String {
    format!("no network can be made: see docs/sandbox.md ({error})")
}

fn user(is_root: bool, settings: &SandboxSettings) -> Protection {
    let (start, end) = (settings.uids.start(), settings.uids.end());
    let lost = "this program is not root, so all runs have its user, and the number of their processes is not limited"
        .to_owned();
    let how = format!("each run has a user of its own, {start} to {end}");
    protection("user of its own", if is_root { Ok(()) } else { Err(lost) }, &how)
}

fn system_calls(facts: &Facts) -> Protection {
    let lost = "there is no list for this processor: every system call is allowed".to_owned();
    let tried = facts.seccomp.as_ref().map(drop).ok_or(lost);
    protection("system calls", tried, "seccomp: those that widen the reach into the kernel are refused")
}

fn limits(limits: RunLimits, facts: &Facts) -> Vec<Protection> {
    let wanted = Limits {
        memory_bytes: Some(limits.memory_mb << 20),
        cpus: Some(limits.cpus.into()),
        processes: Some(limits.processes),
        io_weight: None,
    };
    let none = || "not root: no control groups".to_owned();
    let how = facts.cgroups.as_ref().map_or_else(none, Cgroups::describe);
    let lost = facts.cgroups.as_ref().map(|cgroups| cgroups.lost(&wanted));
    let limit = |name: &str| {
        let reason = match &lost {
            None => Some(none()),
            Some(lost) => lost.iter().find(|lost| lost.what == name).map(|lost| lost.reason.clone()),
        };
        protection(name, reason.map_or(Ok(()), Err), &how)
    };
    let disk = "what a run writes is measured every 2 s".to_owned();
    let disk = Protection { name: "disk".to_owned(), is_active: true, detail: disk };
    vec![limit("memory"), limit("processes"), limit("cpu"), disk]
}

//! A data directory with local machines, and helpers to use them.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use ocim::machines::provider::{Machine, MachineRef, MachineSpec, Provider};
use ocim::machines::providers::local::{LocalConfig, LocalProvider, MachineLimits, Subnet};
use shared_types::ServerId;

use super::{DATA_DIR, INSTALLATION};

pub fn is_root() -> bool {
    let output = Command::new("id").arg("-u").output().unwrap();
    let is_root = output.stdout.trim_ascii() == b"0";
    if !is_root {
        println!("skipped: local machines need root");
    }
    is_root
}

pub fn cache_dir() -> PathBuf {
    let default = || PathBuf::from(std::env::var_os("HOME").unwrap()).join(".cache/ocim");
    std::env::var_os("OCIM_CACHE_DIR").map_or_else(default, PathBuf::from)
}

/// A data directory with a key pair for logging in.
pub struct Yard {
    pub dir: tempfile::TempDir,
}

impl Yard {
    pub fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let key = dir.path().join("key");
        run(Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(key));
        Self { dir }
    }

    pub async fn open(&self) -> LocalProvider {
        LocalProvider::open(self.config(None)).await.unwrap()
    }

    pub fn config(&self, subnet: Option<Subnet>) -> LocalConfig {
        let installation = INSTALLATION.to_owned();
        LocalConfig {
            data_dir: self.dir.path().join(DATA_DIR),
            cache_dir: cache_dir(),
            subnet,
            installation,
            limits: MachineLimits::default(),
            base_tree_days: 3650,
            base: None,
            outbound: None,
        }
    }

    pub fn key(&self) -> PathBuf {
        self.dir.path().join("key")
    }

    pub fn spec(&self, id: i64) -> MachineSpec {
        let authorized_key = fs::read_to_string(self.dir.path().join("key.pub")).unwrap().trim().to_owned();
        MachineSpec { server_id: ServerId(id), name: format!("edxapp-demo-{id}"), authorized_key }
    }

    /// Options of `ssh`: only the host key from the provider is accepted.
    pub fn ssh_options(&self, machine: &Machine) -> Vec<String> {
        let ip = machine.endpoint.unwrap().public_ip;
        let known_hosts = self.dir.path().join(format!("known_hosts-{ip}"));
        fs::write(&known_hosts, format!("{ip} {}\n", machine.host_key.as_deref().unwrap())).unwrap();
        ["-F", "none", "-i", self.key().to_str().unwrap()]
            .into_iter()
            .map(str::to_owned)
            .chain(
                [
                    "StrictHostKeyChecking=yes",
                    &format!("UserKnownHostsFile={}", known_hosts.display()),
                    "BatchMode=yes",
                    "ConnectTimeout=2",
                ]
                .into_iter()
                .flat_map(|option| ["-o".to_owned(), option.to_owned()]),
            )
            .collect()
    }

    pub fn try_ssh(&self, machine: &Machine, remote: &str) -> Output {
        let target = format!("ubuntu@{}", machine.endpoint.unwrap().public_ip);
        Command::new("ssh").args(self.ssh_options(machine)).args([&target, remote]).output().unwrap()
    }

    pub fn ssh(&self, machine: &Machine, remote: &str) -> String {
        let output = self.try_ssh(machine, remote);
        assert!(output.status.success(), "{remote}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    /// What happens when the machine's root runs a shell command.
    pub fn as_root(&self, machine: &Machine, script: &str) -> Output {
        self.try_ssh(machine, &format!("sudo sh -c '{}'", script.replace('\'', "'\\''")))
    }

    pub async fn wait_for_ssh(&self, machine: &Machine) {
        eventually("ssh", || self.try_ssh(machine, "true").status.success()).await;
    }
}

impl Drop for Yard {
    /// Terminates the machines of a failed test.
    fn drop(&mut self) {
        if !std::thread::panicking() {
            return;
        }
        let config = self.config(None);
        let cleanup = async move {
            let Ok(provider) = LocalProvider::open(config).await else { return };
            for (server_id, _machine) in provider.list().await.unwrap_or_default() {
                let outcome = provider.terminate(&MachineRef { server_id, provider_id: None }).await;
                println!("cleaning up {server_id}: {outcome:?}");
            }
        };
        // In another thread, since this one belongs to a runtime.
        let thread = std::thread::spawn(|| tokio::runtime::Runtime::new().map(|runtime| runtime.block_on(cleanup)));
        let _ = thread.join();
    }
}

pub fn run(command: &mut Command) -> String {
    let output = command.output().unwrap();
    let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{command:?}: {}\n{text}", output.status);
    text
}

pub async fn eventually(what: &str, mut is_so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < Duration::from_secs(20), "{what} did not come within 20 s");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

pub fn reference(id: i64) -> MachineRef {
    MachineRef { server_id: ServerId(id), provider_id: None }
}

/// All interfaces, namespaces, control groups, processes, mounts, loop devices and tables of nftables of the host that carry
/// a data directory's id, or are in a directory.
pub fn traces(mark: &str) -> Vec<String> {
    let mut traces = Vec::new();
    for dir in ["/sys/class/net", "/run/netns"] {
        let entries = fs::read_dir(dir).into_iter().flatten().flatten();
        traces.extend(entries.map(|entry| entry.path().display().to_string()).filter(|path| path.contains(mark)));
    }
    for controller in fs::read_dir("/sys/fs/cgroup").into_iter().flatten().flatten() {
        let entries = fs::read_dir(controller.path()).into_iter().flatten().flatten();
        let groups = entries.map(|entry| entry.path().display().to_string().replace("ocim-", "ocim"));
        traces.extend(groups.filter(|path| path.contains(mark)));
    }
    for device in fs::read_dir("/sys/block").into_iter().flatten().flatten() {
        let file = fs::read_to_string(device.path().join("loop/backing_file")).unwrap_or_default();
        traces.extend(Some(file.trim_end().to_owned()).filter(|file| file.contains(mark)));
    }
    let tables = Command::new("nft").args(["list", "tables"]).output();
    let tables = tables.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
    traces.extend(tables.lines().filter(|line| line.contains(mark)).map(str::to_owned));
    let processes = run(Command::new("ps").args(["-eo", "args"]));
    traces.extend(processes.lines().filter(|line| line.contains(mark)).map(str::to_owned));
    let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap();
    traces.extend(mounts.lines().filter(|line| line.contains(mark)).map(str::to_owned));
    traces
}

/// The prefix of a machine's provider id: `ocim` and the data directory's id.
pub fn mark_of(machine: &Machine) -> String {
    machine.provider_id.split('-').next().unwrap().to_owned()
}

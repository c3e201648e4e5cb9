//! Local machines for real: namespaces, sshd, reboot, Ansible with the demo configuration, and nothing left behind.
//!
//! Needs root; says so and ends well where it is not. `OCIM_CACHE_DIR` names the cache (base tree, virtualenv).

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]
#![allow(clippy::print_stdout, reason = "the figures are what one wants to see")]

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use ocim::servers::provider::{Machine, MachineRef, MachineSpec, MachineState, Provider};
use ocim::servers::providers::local::{LocalConfig, LocalProvider};
use shared_types::ServerId;

const LMS: &str = "demo.localhost";
const STUDIO: &str = "studio.demo.localhost";

fn is_root() -> bool {
    let output = Command::new("id").arg("-u").output().unwrap();
    let is_root = output.stdout.trim_ascii() == b"0";
    if !is_root {
        println!("skipped: local machines need root");
    }
    is_root
}

fn cache_dir() -> PathBuf {
    let default = || PathBuf::from(std::env::var_os("HOME").unwrap()).join(".cache/ocim");
    std::env::var_os("OCIM_CACHE_DIR").map_or_else(default, PathBuf::from)
}

/// A data directory with a key pair to log in with.
struct Yard {
    dir: tempfile::TempDir,
}

impl Yard {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let key = dir.path().join("key");
        run(Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(key));
        Self { dir }
    }

    async fn open(&self) -> LocalProvider {
        let data_dir = self.dir.path().join("data, with: odd name");
        LocalProvider::open(LocalConfig { data_dir, cache_dir: cache_dir(), subnet: None }).await.unwrap()
    }

    fn key(&self) -> PathBuf {
        self.dir.path().join("key")
    }

    fn spec(&self, id: i64) -> MachineSpec {
        let authorized_key = fs::read_to_string(self.dir.path().join("key.pub")).unwrap().trim().to_owned();
        MachineSpec { server_id: ServerId(id), name: format!("edxapp-demo-{id}"), authorized_key }
    }

    /// Insists on the host key that the provider gave.
    fn ssh_options(&self, machine: &Machine) -> Vec<String> {
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

    fn try_ssh(&self, machine: &Machine, remote: &str) -> Output {
        let target = format!("ubuntu@{}", machine.endpoint.unwrap().public_ip);
        Command::new("ssh").args(self.ssh_options(machine)).args([&target, remote]).output().unwrap()
    }

    fn ssh(&self, machine: &Machine, remote: &str) -> String {
        let output = self.try_ssh(machine, remote);
        assert!(output.status.success(), "{remote}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    async fn wait_for_ssh(&self, machine: &Machine) {
        eventually("ssh", || self.try_ssh(machine, "true").status.success()).await;
    }
}

fn run(command: &mut Command) -> String {
    let output = command.output().unwrap();
    let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{command:?}: {}\n{text}", output.status);
    text
}

async fn eventually(what: &str, mut is_so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < Duration::from_secs(20), "{what} did not come within 20 s");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

fn reference(id: i64) -> MachineRef {
    MachineRef { server_id: ServerId(id), provider_id: None }
}

/// Everything of the host that carries a data directory's id: interfaces, namespaces, processes, mounts.
fn traces(mark: &str) -> Vec<String> {
    let mut traces = Vec::new();
    for dir in ["/sys/class/net", "/run/netns"] {
        let entries = fs::read_dir(dir).into_iter().flatten().flatten();
        traces.extend(entries.map(|entry| entry.path().display().to_string()).filter(|path| path.contains(mark)));
    }
    let processes = run(Command::new("ps").args(["-eo", "args"]));
    traces.extend(processes.lines().filter(|line| line.contains(mark)).map(str::to_owned));
    let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap();
    traces.extend(mounts.lines().filter(|line| line.contains(mark)).map(str::to_owned));
    traces
}

/// `ocim` and the data directory's id, from a machine's name at the provider.
fn mark_of(machine: &Machine) -> String {
    machine.provider_id.split('-').next().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn two_machines_live_apart_survive_their_manager_and_go_without_a_trace() {
    if !is_root() {
        return;
    }
    let yard = Yard::new();
    let provider = yard.open().await;

    let begun = Instant::now();
    let (spec_one, spec_two) = (yard.spec(1), yard.spec(2));
    let (one, two) = tokio::join!(provider.create(&spec_one), provider.create(&spec_two));
    let (one, two) = (one.unwrap(), two.unwrap());
    println!("create, two at once: {:?}", begun.elapsed());
    assert_eq!((&one.state, &two.state), (&MachineState::Active, &MachineState::Active));
    assert_ne!(one.endpoint, two.endpoint);
    assert_ne!(one.host_key, two.host_key);
    yard.wait_for_ssh(&one).await;
    yard.wait_for_ssh(&two).await;
    println!("ssh ready, both: {:?}", begun.elapsed());

    assert_eq!(yard.ssh(&one, "hostname"), "edxapp-demo-1");
    assert_eq!(yard.ssh(&one, "sudo id -u"), "0");
    assert_eq!(yard.ssh(&one, "ps -o comm= -p 1"), "runit");
    yard.ssh(&one, "sudo touch /etc/only-here");
    assert!(!yard.try_ssh(&two, "test -e /etc/only-here").status.success());
    let processes: usize = yard.ssh(&one, "ps -e --no-headers | wc -l").parse().unwrap();
    assert!(processes < 20, "{processes} processes are seen inside");
    is_shut_in(&yard, &one, &two);

    // As after a lost answer, and as another process would.
    assert_eq!(provider.create(&yard.spec(1)).await.unwrap(), one);
    drop(provider);
    let provider = yard.open().await;
    assert_eq!(provider.list().await.unwrap(), [(ServerId(1), one.clone()), (ServerId(2), two.clone())]);
    assert_eq!(provider.find(&reference(2)).await.unwrap().as_ref(), Some(&two));
    assert_eq!(provider.find(&reference(3)).await.unwrap(), None);

    let up_since = yard.ssh(&one, "ps -o lstart= -p 1; cat /proc/1/stat | cut -d' ' -f22");
    let begun = Instant::now();
    provider.reboot(&reference(1)).await.unwrap();
    println!("reboot: {:?}", begun.elapsed());
    yard.wait_for_ssh(&one).await;
    println!("reboot to ssh: {:?}", begun.elapsed());
    assert_ne!(yard.ssh(&one, "ps -o lstart= -p 1; cat /proc/1/stat | cut -d' ' -f22"), up_since);
    yard.ssh(&one, "test -e /etc/only-here");
    assert_eq!(provider.find(&reference(1)).await.unwrap().as_ref(), Some(&one));

    let machine_dir = yard.dir.path().join("data, with: odd name/machines");
    let mark = mark_of(&one);
    let begun = Instant::now();
    provider.terminate(&reference(1)).await.unwrap();
    println!("terminate: {:?}", begun.elapsed());
    assert!(!machine_dir.join("1").exists());
    assert_eq!(provider.find(&reference(1)).await.unwrap(), None);
    assert!(yard.try_ssh(&two, "true").status.success(), "the other one runs on");
    let (first, second) = (reference(1), reference(2));
    let (again, last) = tokio::join!(provider.terminate(&first), provider.terminate(&second));
    again.unwrap();
    last.unwrap();
    assert_eq!(traces(&mark), Vec::<String>::new());
    assert!(traces(machine_dir.to_str().unwrap()).is_empty());
    assert!(provider.list().await.unwrap().is_empty());
}

/// A machine reaches neither another one, nor the host's loopback, nor anything else; root in it cannot change that.
fn is_shut_in(yard: &Yard, machine: &Machine, other: &Machine) {
    let knock = |ip: &str, port: u16| {
        let script = format!("timeout 1 bash -c 'echo >/dev/tcp/{ip}/{port}'");
        yard.try_ssh(machine, &script).status.success()
    };
    let other_ip = other.endpoint.unwrap().public_ip.to_string();
    assert!(knock("127.0.0.1", 22), "the check itself works");
    assert!(!knock(&other_ip, 22), "another machine answers");
    let on_loopback = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    assert!(!knock("127.0.0.1", on_loopback.local_addr().unwrap().port()), "the host's loopback answers");
    assert_eq!(yard.ssh(machine, "ip route show default"), "");
    for forbidden in [
        "sudo ip route add default via 10.213.0.1",
        "sudo mknod /tmp/disk b 254 0",
        "sudo sh -c 'echo x >/proc/sys/kernel/core_pattern'",
        "sudo mount -t tmpfs tmpfs /mnt",
    ] {
        assert!(!yard.try_ssh(machine, forbidden).status.success(), "{forbidden}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn data_directories_get_subnets_of_their_own_and_shut_down_machines_come_back() {
    if !is_root() {
        return;
    }
    let (here, there) = (Yard::new(), Yard::new());
    let (one, other) = tokio::join!(here.open(), there.open());
    assert_ne!(one.subnet(), other.subnet());
    let (spec_one, spec_other) = (here.spec(1), there.spec(1));
    let (machine, others) = tokio::join!(one.create(&spec_one), other.create(&spec_other));
    let (machine, others) = (machine.unwrap(), others.unwrap());
    assert_ne!(mark_of(&machine), mark_of(&others));

    here.wait_for_ssh(&machine).await;
    here.ssh(&machine, "sudo touch /etc/kept");
    let begun = Instant::now();
    assert!(one.shutdown_all().await.unwrap().is_empty());
    one.close().await.unwrap();
    println!("shut down: {:?}", begun.elapsed());
    assert_eq!(traces(&mark_of(&machine)), Vec::<String>::new());
    assert_eq!(one.find(&reference(1)).await.unwrap().unwrap().state, MachineState::Building);

    // Another data directory that starts meanwhile does not take the subnet.
    let third = Yard::new();
    assert_ne!(third.open().await.subnet(), one.subnet());

    let begun = Instant::now();
    let one = here.open().await;
    assert!(one.boot_all().await.unwrap().is_empty());
    println!("boot all: {:?}", begun.elapsed());
    assert_eq!(one.find(&reference(1)).await.unwrap().as_ref(), Some(&machine));
    here.wait_for_ssh(&machine).await;
    here.ssh(&machine, "test -e /etc/kept");

    one.terminate(&reference(1)).await.unwrap();
    other.terminate(&reference(1)).await.unwrap();
    assert_eq!(traces(&mark_of(&machine)), Vec::<String>::new());
    assert_eq!(traces(&mark_of(&others)), Vec::<String>::new());
}

//! Containers for real, with Podman as the user who runs the tests: `make test-containers` runs them as root and as an
//! ordinary user, in a network namespace of its own.

mod moving;

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Output};
use std::sync::Arc;
use std::time::{Duration, Instant};

use ocim::machines::probe::{Probe, SshProbe};
use ocim::machines::provider::{Machine, MachineState, Provider};
use ocim::machines::providers::containers::{ContainersConfig, ContainersProvider, NetworkSettings, Reach, Selected};
use ocim::machines::providers::local::MachineLimits;
use ocim::machines::providers::local::base_tree::{self, Form};

use super::conformance::check_all;
use super::people::a_key_lets_in_until_it_is_deleted;
use super::yard::{Yard, cache_dir, eventually, reference, run};
use crate::app::install_tls;

const INSTALLATIONS: [&str; 2] = ["33333333-aaaa", "44444444-bbbb"];
/// From the create call to the greeting of sshd.
const GOAL: Duration = Duration::from_millis(1500);

/// A data directory, in which Podman's service is started, and a key pair.
struct Harbour {
    yard: Yard,
}

impl Harbour {
    fn new() -> Self {
        install_tls();
        Self { yard: Yard::new() }
    }

    fn config(&self, installation: &str) -> ContainersConfig {
        ContainersConfig {
            socket: None,
            docker_host: None,
            data_dir: self.yard.dir.path().to_owned(),
            cache_dir: cache_dir(),
            network: NetworkSettings { name: "ocim-test".to_owned(), subnet: None },
            reach: Reach::Auto,
            image: None,
            installation: installation.to_owned(),
            limits: MachineLimits { memory_mb: Some(512), ..MachineLimits::default() },
            base_tree_days: 3650,
        }
    }

    async fn open(&self, installation: &str) -> (ContainersProvider, Selected) {
        let provider = ContainersProvider::open(self.config(installation));
        let selected = provider.check(&|line| println!("{line}")).await.unwrap();
        (provider, selected)
    }

    fn socket(&self) -> PathBuf {
        self.yard.dir.path().join("podman/podman.sock")
    }

    /// Ends the service that was started in the data directory; gives how many processes there were.
    fn end_service(&self) -> usize {
        let mark = self.socket().display().to_string();
        let mut ended = 0;
        for entry in fs::read_dir("/proc").unwrap().flatten() {
            let Ok(pid) = entry.file_name().to_string_lossy().parse::<i32>() else { continue };
            let line = fs::read_to_string(entry.path().join("cmdline")).unwrap_or_default();
            if line.contains("service\0") && line.contains(&mark) {
                ended += usize::from(Command::new("kill").args(["-9", &pid.to_string()]).status().unwrap().success());
            }
        }
        ended
    }

    fn try_ssh(&self, machine: &Machine, remote: &str) -> Output {
        let address = machine.endpoint.unwrap().ssh;
        let known_hosts = self.yard.dir.path().join(format!("known-{}", address.port()));
        let host = format!("[{}]:{}", address.ip(), address.port());
        let host = if address.port() == 22 { address.ip().to_string() } else { host };
        fs::write(&known_hosts, format!("{host} {}\n", machine.host_key.as_deref().unwrap())).unwrap();
        Command::new("ssh")
            .args(["-F", "none", "-i", self.yard.key().to_str().unwrap(), "-p", &address.port().to_string()])
            .args(["-o", "StrictHostKeyChecking=yes", "-o", "BatchMode=yes", "-o", "ConnectTimeout=2"])
            .args(["-o", &format!("UserKnownHostsFile={}", known_hosts.display())])
            .arg(format!("ubuntu@{}", address.ip()))
            .arg(remote)
            .output()
            .unwrap()
    }

    fn ssh(&self, machine: &Machine, remote: &str) -> String {
        let output = self.try_ssh(machine, remote);
        assert!(output.status.success(), "{remote}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    async fn make(&self, provider: &ContainersProvider, id: i64) -> Machine {
        provider.create(&self.yard.spec(id)).await.unwrap();
        self.wait(provider, id).await
    }

    /// The machine when it lets us log in.
    async fn wait(&self, provider: &ContainersProvider, id: i64) -> Machine {
        let begun = Instant::now();
        loop {
            let machine = provider.find(&reference(id)).await.unwrap().unwrap();
            if machine.state == MachineState::Active && self.try_ssh(&machine, "true").status.success() {
                return machine;
            }
            assert!(begun.elapsed() < Duration::from_secs(30), "{machine:?}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

impl Drop for Harbour {
    /// Removes the machines of a failed test, and ends the service.
    fn drop(&mut self) {
        if std::thread::panicking() {
            let configs = INSTALLATIONS.map(|installation| self.config(installation));
            let cleanup = async move {
                for config in configs {
                    let provider = ContainersProvider::open(config);
                    for (server_id, _machine) in provider.list().await.unwrap_or_default() {
                        println!("cleaning up {server_id}: {:?}", provider.terminate(&reference(server_id.0)).await);
                    }
                }
            };
            // In another thread, since this one belongs to a runtime.
            let thread = std::thread::spawn(|| tokio::runtime::Runtime::new().map(|runtime| runtime.block_on(cleanup)));
            let _ = thread.join();
        }
        self.end_service();
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "a step of make test-containers: fetches packages"]
async fn the_base_tree_of_the_containers_can_be_made() {
    let tree = base_tree::ensure_in(&cache_dir(), Form::here(), &|line| println!("{line}")).await.unwrap();
    println!("{}", tree.display());
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Podman, and makes thirty containers one after the other: make test-containers"]
async fn containers_keep_the_contract() {
    let harbour = Harbour::new();
    let (provider, selected) = harbour.open(INSTALLATIONS[0]).await;
    println!("{selected:?}");
    let (stranger, _) = harbour.open(INSTALLATIONS[1]).await;
    check_all(&provider, &stranger).await;
    for protection in provider.protections().await {
        println!("{} {}: {}", if protection.is_active { "+" } else { "-" }, protection.name, protection.detail);
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Podman, and a machine that does nothing else: make test-containers"]
async fn a_container_answers_ssh_in_time() {
    let harbour = Harbour::new();
    let (provider, _) = harbour.open(INSTALLATIONS[0]).await;
    let mut times = Vec::new();
    for id in 1..=7 {
        let begun = Instant::now();
        let mut machine = provider.create(&harbour.yard.spec(id)).await.unwrap();
        let created = begun.elapsed();
        loop {
            if let Some(endpoint) = machine.endpoint
                && SshProbe.answers_ssh(endpoint.ssh).await
            {
                break;
            }
            assert!(begun.elapsed() < Duration::from_secs(30), "{machine:?}");
            tokio::time::sleep(Duration::from_millis(10)).await;
            machine = provider.find(&reference(id)).await.unwrap().unwrap();
        }
        println!("created after {created:?}, sshd's greeting after {:?}", begun.elapsed());
        times.push(begun.elapsed());
        let begun = Instant::now();
        provider.terminate(&reference(id)).await.unwrap();
        println!("terminated in {:?}", begun.elapsed());
    }
    times.sort();
    println!("from create to sshd's greeting: median {:?}, slowest {:?}", times[3], times[6]);
    assert!(times[3] <= GOAL, "{times:?}");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Podman: make test-containers"]
async fn a_container_outlives_the_service_and_keeps_its_files_over_a_reboot() {
    let harbour = Harbour::new();
    let (provider, _) = harbour.open(INSTALLATIONS[0]).await;
    let machine = harbour.make(&provider, 1).await;
    let other = harbour.make(&provider, 2).await;
    assert_ne!(machine.endpoint, other.endpoint);
    assert_ne!(machine.host_key, other.host_key);
    assert_eq!(harbour.ssh(&machine, "hostname; sudo id -u"), "edxapp-demo-1\n0");
    harbour.ssh(&machine, "sudo touch /etc/kept /run/lost");
    for forbidden in [
        "sudo mknod /tmp/disk b 254 0",
        "sudo mount -t tmpfs tmpfs /mnt",
        "sudo sh -c 'echo x >/proc/sys/kernel/core_pattern'",
    ] {
        assert!(!harbour.try_ssh(&machine, forbidden).status.success(), "{forbidden}");
    }

    let begun = Instant::now();
    assert_eq!(harbour.end_service(), 1, "the service of this data directory");
    assert!(harbour.try_ssh(&machine, "true").status.success(), "it does not need the service");
    assert_eq!(provider.find(&reference(1)).await.unwrap().unwrap(), machine, "the service is started again");
    println!("found again, with a new service, after {:?}", begun.elapsed());
    let (later, _) = harbour.open(INSTALLATIONS[0]).await;
    assert_eq!(later.find(&reference(1)).await.unwrap().unwrap(), machine);
    assert_eq!(later.start_all().await.unwrap().len(), 0);

    let begun = Instant::now();
    later.reboot(&reference(1)).await.unwrap();
    println!("reboot: {:?}", begun.elapsed());
    assert_eq!(harbour.wait(&later, 1).await, machine);
    println!("reboot to login: {:?}", begun.elapsed());
    assert_eq!(harbour.ssh(&machine, "ls /etc/kept /run/lost 2>/dev/null; true"), "/etc/kept");

    // As when its first process is ended for lack of memory.
    run(podman(&harbour).args(["kill", &machine.provider_id]));
    eventually("its end", || !harbour.try_ssh(&machine, "true").status.success()).await;
    assert_eq!(later.list().await.unwrap()[0].1.state, MachineState::Building);
    assert_eq!(harbour.wait(&later, 1).await, machine);

    for id in [1, 2] {
        later.terminate(&reference(id)).await.unwrap();
    }
    assert_eq!(later.list().await.unwrap(), []);
    let all =
        run(podman(&harbour).args(["ps", "--all", "--quiet", "--filter", "label=ocim.installation=33333333-aaaa"]));
    assert_eq!(all.trim(), "");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Podman: make test-containers"]
async fn a_persons_key_lets_in_to_a_container_until_it_is_deleted() {
    let harbour = Harbour::new();
    let (provider, _) = harbour.open(INSTALLATIONS[0]).await;
    a_key_lets_in_until_it_is_deleted(harbour.yard.dir.path(), Arc::new(provider)).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs Podman: make test-containers"]
async fn an_image_without_sshd_is_refused_in_words() {
    const IMAGE: &str = "localhost/ocim-test-without-sshd:latest";
    let harbour = Harbour::new();
    let (provider, _) = harbour.open(INSTALLATIONS[0]).await;
    let machine = harbour.make(&provider, 1).await;
    harbour.ssh(&machine, "sudo rm /usr/sbin/sshd");
    run(podman(&harbour).args(["commit", "--quiet", &machine.provider_id, IMAGE]));
    let without = ContainersProvider::open(ContainersConfig {
        image: Some(IMAGE.to_owned()),
        ..harbour.config(INSTALLATIONS[0])
    });
    without.create(&harbour.yard.spec(2)).await.unwrap();
    let begun = Instant::now();
    let words = loop {
        let found = without.find(&reference(2)).await.unwrap().unwrap();
        if let MachineState::Failed(words) = found.state {
            break words;
        }
        assert!(begun.elapsed() < Duration::from_secs(20), "{found:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    println!("{words}");
    assert!(words.contains("without-sshd:latest cannot be used: it has no sshd (/usr/sbin/sshd)"), "{words}");
    for id in [1, 2] {
        provider.terminate(&reference(id)).await.unwrap();
    }
    run(podman(&harbour).args(["rmi", IMAGE]));
}

/// The client, on the service of the data directory.
fn podman(harbour: &Harbour) -> Command {
    let mut command = Command::new("podman");
    command.args(["--remote", "--url"]).arg(format!("unix://{}", harbour.socket().display()));
    command
}

//! The conformance suite on real machines: local ones, and those of the example program of the provider contract.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::{Duration, Instant};

use ocim::machines::conformance::{Check, Checked, Limits, Outcome, Subject, run};
use ocim::machines::probe::SshProbe;
use ocim::machines::provider::{MachineState, Provider, ProviderError};
use ocim::machines::providers::command::{CommandConfig, CommandProvider};
use ocim::machines::providers::local::{LocalConfig, LocalProvider, base_tree};
use sha2::{Digest, Sha256};
use tokio::time::timeout;

use super::deployment::{ansible_playbook, shell_words};
use super::yard::{Yard, cache_dir, is_root, reference, run as run_command, traces};

const LIMITS: Limits = Limits {
    read: Duration::from_secs(10),
    change: Duration::from_secs(60),
    ready: Duration::from_secs(60),
    poll: Duration::from_millis(50),
};

fn told(checked: &Checked) {
    println!("{:16} {:6.2} s  {:?}", checked.check.name(), checked.took.as_secs_f64(), checked.outcome);
}

pub(super) async fn check_all(provider: &dyn Provider, stranger: &dyn Provider) {
    let subject = Subject { provider, stranger: Some(stranger), probe: Some(&SshProbe), limits: LIMITS, first_id: 1 };
    let all = run(&subject, &mut told).await.unwrap();
    let failed: Vec<_> = all.iter().filter(|checked| checked.outcome != Outcome::Passed).collect();
    assert!(failed.is_empty(), "{failed:#?}");
    assert_eq!(all.len(), Check::ALL.len());
    assert_eq!((provider.list().await.unwrap(), stranger.list().await.unwrap()), (vec![], vec![]));
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "makes thirty local machines one after the other, about a minute"]
async fn local_machines_keep_the_contract() {
    if !is_root() {
        return;
    }
    let yard = Yard::new();
    let provider = yard.open().await;
    let installation = INSTALLATIONS[1].to_owned();
    let stranger = LocalProvider::open(LocalConfig { installation, ..yard.config(None) }).await.unwrap();
    check_all(&provider, &stranger).await;
    provider.close().await.unwrap();
    assert_eq!(traces(provider.site()), Vec::<String>::new());
}

const INSTALLATIONS: [&str; 2] = ["11111111-aaaa", "22222222-bbbb"];

/// The example of the handbook, with a state directory and a network of its own.
pub(super) struct Example {
    state: tempfile::TempDir,
    tree: PathBuf,
    network: String,
}

impl Example {
    pub(super) async fn new() -> Self {
        static COUNT: AtomicU8 = AtomicU8::new(0);
        let tree = base_tree::ensure(&cache_dir(), &|line| println!("{line}")).await.unwrap();
        let network = format!("10.214.{}.0/24", 128 + COUNT.fetch_add(1, Ordering::Relaxed));
        Self { state: tempfile::tempdir().unwrap(), tree, network }
    }

    fn program() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/examples/provider/namespaces.py")
    }

    pub(super) async fn open(&self, installation: &str) -> Result<CommandProvider, ProviderError> {
        CommandProvider::open(self.config(installation)).await
    }

    fn config(&self, installation: &str) -> CommandConfig {
        let text = |path: &Path| path.to_str().unwrap().to_owned();
        let arguments = ["--tree", &text(&self.tree), "--state", &text(self.state.path()), "--network", &self.network];
        CommandConfig {
            program: Self::program(),
            arguments: arguments.map(str::to_owned).to_vec(),
            environment: Vec::new(),
            ssh_user: "ubuntu".to_owned(),
            installation: installation.to_owned(),
            read_limit: Duration::from_secs(10),
            change_limit: Duration::from_secs(60),
            at_once: 4,
        }
    }

    /// What is left of its machines: namespaces, interfaces, processes, mounts and files.
    pub(super) fn traces(&self) -> Vec<String> {
        let state = self.state.path();
        let mut found = traces(state.to_str().unwrap());
        let id = hex::encode(Sha256::digest(state.to_str().unwrap()));
        found.extend(traces(&id[..6]));
        for dir in ["machines", "drafts"] {
            let entries = std::fs::read_dir(state.join(dir)).into_iter().flatten().flatten();
            found.extend(entries.map(|entry| entry.path().display().to_string()));
        }
        found
    }
}

impl Drop for Example {
    /// Terminates the machines of a failed test.
    fn drop(&mut self) {
        if !std::thread::panicking() {
            return;
        }
        let configs = INSTALLATIONS.map(|installation| self.config(installation));
        let cleanup = async move {
            for config in configs {
                let Ok(provider) = CommandProvider::open(config).await else { return };
                for (server_id, _machine) in provider.list().await.unwrap_or_default() {
                    let outcome = provider.terminate(&reference(server_id.0)).await;
                    println!("cleaning up {server_id}: {outcome:?}");
                }
            }
        };
        // In another thread, since this one belongs to a runtime.
        let thread = std::thread::spawn(|| tokio::runtime::Runtime::new().map(|runtime| runtime.block_on(cleanup)));
        let _ = thread.join();
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "makes thirty machines of the example program one after the other, about a minute"]
async fn the_example_program_keeps_the_contract() {
    if !is_root() {
        return;
    }
    let example = Example::new().await;
    let provider = example.open(INSTALLATIONS[0]).await.unwrap();
    let stranger = example.open(INSTALLATIONS[1]).await.unwrap();
    check_all(&provider, &stranger).await;
    assert_eq!(example.traces(), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "kills the example program forty times, about a minute"]
async fn of_runs_of_the_example_that_are_killed_at_any_point_nothing_is_left_after_a_terminate() {
    const KILLS: u32 = 20;
    if !is_root() {
        return;
    }
    let (example, yard) = (Example::new().await, Yard::new());
    let provider = example.open(INSTALLATIONS[0]).await.unwrap();
    let begun = Instant::now();
    provider.create(&yard.spec(1)).await.unwrap();
    let (create, begun) = (begun.elapsed(), Instant::now());
    provider.terminate(&reference(1)).await.unwrap();
    let terminate = begun.elapsed();
    let (mut killed, mut listed) = (0, 0);
    for n in 0..KILLS {
        let id = i64::from(n) + 2;
        // Dropped, the operation kills the program.
        killed += u32::from(timeout(create * n / KILLS, provider.create(&yard.spec(id))).await.is_err());
        listed += provider.list().await.unwrap().len();
        if n % 2 == 0 {
            let machine = provider.create(&yard.spec(id)).await.unwrap();
            assert_eq!(machine.state, MachineState::Active, "{n}");
        }
        killed += u32::from(timeout(terminate * n / KILLS, provider.terminate(&reference(id))).await.is_err());
        provider.terminate(&reference(id)).await.unwrap();
        assert_eq!(provider.find(&reference(id)).await.unwrap(), None, "{n}");
    }
    println!("{killed} of {} runs were killed; {listed} of the creates had made a machine by then", 2 * KILLS);
    // How long a run takes varies with the load of this host.
    assert!(killed >= KILLS / 2, "{killed}");
    assert_eq!(provider.list().await.unwrap(), []);
    // What was being made when its run was killed goes with the next change.
    provider.create(&yard.spec(1)).await.unwrap();
    provider.terminate(&reference(1)).await.unwrap();
    assert_eq!(example.traces(), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_example_says_what_it_cannot_do() {
    if !is_root() {
        return;
    }
    let (mut example, yard) = (Example::new().await, Yard::new());
    // Room for one machine.
    example.network = example.network.replace("/24", "/30");
    let provider = example.open(INSTALLATIONS[0]).await.unwrap();
    provider.create(&yard.spec(1)).await.unwrap();
    assert!(example.traces().len() > 4, "the control: {:?}", example.traces());
    let full = provider.create(&yard.spec(2)).await;
    let Err(ProviderError::Permanent(words)) = full else { panic!("{full:?}") };
    assert!(words.contains("/30 is full: 1 machines; terminate some or use a larger --network"), "{words}");
    assert_eq!(provider.list().await.unwrap().len(), 1, "nothing is half made");
    let mut spec = yard.spec(1);
    spec.server_id.0 = 3;
    spec.authorized_key.push_str("\nssh-ed25519 AAAA");
    let two_keys = provider.create(&spec).await;
    assert!(
        matches!(&two_keys, Err(ProviderError::Permanent(words)) if words.contains("not one line")),
        "{two_keys:?}"
    );
    provider.terminate(&reference(1)).await.unwrap();

    example.tree = example.state.path().join("no-tree");
    let provider = example.open(INSTALLATIONS[0]).await.unwrap();
    let no_tree = provider.create(&yard.spec(4)).await;
    let Err(ProviderError::Transient(words)) = no_tree else { panic!("{no_tree:?}") };
    assert!(words.contains("the machine did not start") && words.contains("no-tree"), "{words}");
    assert_eq!(provider.list().await.unwrap().len(), 1, "it is listed, so that it is removed");
    provider.terminate(&reference(4)).await.unwrap();
    assert_eq!(example.traces(), Vec::<String>::new());
}

const PLAYBOOK: &str = r#"
- hosts: app
  become: true
  tasks:
    - ansible.builtin.command: id -un
      register: user
    - ansible.builtin.assert:
        that: user.stdout == "root" and ansible_user_id == "root"
    - ansible.builtin.copy:
        dest: /etc/made-by-ansible
        content: "{{ ansible_distribution }}"
"#;

#[tokio::test(flavor = "multi_thread")]
#[ignore = "installs Ansible, unless it is in the cache"]
async fn ansible_works_on_a_machine_of_the_example_and_a_reboot_keeps_what_it_did() {
    if !is_root() {
        return;
    }
    let (example, yard) = (Example::new().await, Yard::new());
    let provider = example.open(INSTALLATIONS[0]).await.unwrap();
    let machine = provider.create(&yard.spec(1)).await.unwrap();
    yard.wait_for_ssh(&machine).await;
    let dir = yard.dir.path();
    std::fs::write(dir.join("site.yml"), PLAYBOOK).unwrap();
    std::fs::write(dir.join("inventory"), format!("[app]\n{}\n", machine.endpoint.unwrap().public_ip)).unwrap();
    let demo = Path::new(env!("CARGO_MANIFEST_DIR")).join("../ansible/demo");
    let output = run_command(
        Command::new(ansible_playbook(&demo))
            .current_dir(dir)
            .args(["-u", provider.ssh_user(), "-i", "inventory", "site.yml"])
            .arg(format!("--private-key={}", yard.key().display()))
            .env("ANSIBLE_SSH_ARGS", shell_words(&yard.ssh_options(&machine)))
            .env("ANSIBLE_LOCAL_TEMP", dir.join("ansible")),
    );
    println!("{output}");
    let boot = yard.ssh(&machine, "cut -d' ' -f22 /proc/1/stat");
    provider.reboot(&reference(1)).await.unwrap();
    yard.wait_for_ssh(&machine).await;
    assert_ne!(yard.ssh(&machine, "cut -d' ' -f22 /proc/1/stat"), boot);
    assert_eq!(yard.ssh(&machine, "sudo cat /etc/made-by-ansible"), "Debian");
    provider.terminate(&reference(1)).await.unwrap();
    assert_eq!(example.traces(), Vec::<String>::new());
}

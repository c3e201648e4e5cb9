//! The keys of machines on real ones: who is let in, and that a take-over keeps the earlier playbook away.

use std::fs;
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use ocim::ansible::port::{Ansible, AnsibleError, LoadSpec, RunOutcome, RunSpec, SpoolPosition, SpoolSink};
use ocim::instances::builds::Builder;
use ocim::machines::key::KeyPair;
use ocim::machines::probe::{Login, Probe, SshError, SshProbe};
use ocim::machines::provider::{Machine, MachineSpec, Provider};
use ocim::machines::providers::local::{LocalConfig, LocalProvider, MachineLimits};
use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use secrecy::ExposeSecret;
use shared_types::{AppServerId, ServerId};
use tokio_util::sync::CancellationToken;

use super::beside::beside;
use super::yard::{Yard, cache_dir, is_root, reference};
use super::{DATA_DIR, INSTALLATION};
use crate::app::{TestApp, until};

fn login(machine: &Machine, keys: &[&KeyPair]) -> Login {
    let keys = keys.iter().map(|key| (*key).clone()).collect();
    let address = machine.endpoint.unwrap().ssh;
    let name = "edxapp-demo".to_owned();
    Login { name, address, user: "ubuntu".to_owned(), host_key: machine.host_key.clone(), keys }
}

async fn made(provider: &LocalProvider, id: i64, key: &KeyPair) -> Machine {
    let authorized_key = key.public().to_owned();
    let spec = MachineSpec { server_id: ServerId(id), name: format!("edxapp-demo-{id}"), authorized_key };
    let machine = provider.create(&spec).await.unwrap();
    until("it answers", async || SshProbe.boot_marker(&login(&machine, &[key])).await.is_ok()).await;
    machine
}

/// The arguments of `ssh` to log in with a key that is written to a file.
fn ssh(dir: &Path, address: std::net::SocketAddr, key: &str) -> Vec<String> {
    let file = dir.join("key-of-the-run");
    let mut open = fs::OpenOptions::new();
    let opened = open.write(true).create(true).truncate(true).mode(0o600).open(&file).unwrap();
    std::io::Write::write_all(&mut { opened }, key.as_bytes()).unwrap();
    let options = ["StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null", "IdentitiesOnly=yes", "BatchMode=yes"];
    let options = options.into_iter().flat_map(|option| ["-o".to_owned(), option.to_owned()]);
    let start = ["ssh", "-F", "/dev/null", "-i", file.to_str().unwrap()].map(str::to_owned);
    start.into_iter().chain(options).chain([format!("ubuntu@{}", address.ip())]).collect()
}

fn run(arguments: &[String], command: &str) -> String {
    let output = Command::new(&arguments[0]).args(&arguments[1..]).arg(command).stdin(Stdio::null()).output().unwrap();
    assert!(output.status.success(), "{command}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_machine_lets_in_its_own_key_and_no_other_machine_s() {
    if !is_root() {
        return;
    }
    let yard = Yard::new();
    let provider = yard.open().await;
    let (one, two) = (KeyPair::generate().unwrap(), KeyPair::generate().unwrap());
    let (first, second) = (made(&provider, 1, &one).await, made(&provider, 2, &two).await);
    let refusal = SshProbe.boot_marker(&login(&first, &[&two])).await.unwrap_err();
    assert!(refusal.to_string().contains("Permission denied"), "{refusal}");
    let with_both = SshProbe.boot_marker(&login(&second, &[&one, &two])).await.unwrap();
    assert_eq!(SshProbe.boot_marker(&login(&second, &[&two])).await.unwrap(), with_both);
    let false_host = Login { host_key: first.host_key.clone(), ..login(&second, &[&two]) };
    let refusal = SshProbe.boot_marker(&false_host).await.unwrap_err();
    assert!(matches!(refusal, SshError::OtherHostKey(_)), "{refusal}");
    for id in [1, 2] {
        provider.terminate(&reference(id)).await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replaced_key_lets_nobody_in_and_what_it_started_ends() {
    if !is_root() {
        return;
    }
    let yard = Yard::new();
    let provider = yard.open().await;
    let (old, new) = (KeyPair::generate().unwrap(), KeyPair::generate().unwrap());
    let machine = made(&provider, 1, &old).await;
    let address = machine.endpoint.unwrap().ssh;
    let with_old = ssh(yard.dir.path(), address, old.private().expose_secret());
    // Someone else's key, and a service that init supervises, stay.
    let others = KeyPair::generate().unwrap();
    run(&with_old, &format!("echo '{}' >>.ssh/authorized_keys", others.public().replace("ocim", "me@home")));
    run(
        &with_old,
        "sudo mkdir -p /etc/sv/kept && printf '#!/bin/sh\nexec sleep 1000\n' | sudo tee /etc/sv/kept/run >/dev/null && \
         sudo chmod 755 /etc/sv/kept/run && sudo ln -s /etc/sv/kept /etc/service/kept",
    );
    until("the service runs", async || run(&with_old, "pgrep -c -f '^sleep 1000' || true") == "1").await;
    // What a playbook starts: a command as the user, one as root, and daemons of both.
    let scribble = |name: &str| format!("while :; do echo {name} >>/tmp/{name}; sleep 0.02; done");
    let mut sessions: Vec<Child> = Vec::new();
    for command in [
        scribble("user"),
        format!("sudo sh -c '{}'", scribble("root")),
        format!("setsid sh -c '{}' >/dev/null 2>&1 & true", scribble("daemon")),
        format!("sudo setsid -f sh -c '{}' >/dev/null 2>&1", scribble("root-daemon")),
    ] {
        let mut session = Command::new(&with_old[0]);
        session.args(&with_old[1..]).arg(command).stdin(Stdio::null()).stderr(Stdio::null());
        sessions.push(session.spawn().unwrap());
    }
    let names = ["user", "root", "daemon", "root-daemon"];
    let counts = |with: &[String]| {
        names.map(|name| run(with, &format!("cat /tmp/{name} 2>/dev/null | wc -l")).parse::<u32>().unwrap())
    };
    until("all write", async || counts(&with_old).iter().all(|count| *count > 3)).await;

    let began = std::time::Instant::now();
    SshProbe.replace_key(&login(&machine, &[&old]), &new).await.unwrap();
    println!("replaced in {:?}", began.elapsed());
    let with_new = ssh(yard.dir.path(), address, new.private().expose_secret());
    let then = counts(&with_new);
    for mut session in sessions {
        session.wait().unwrap();
    }
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(counts(&with_new), then, "{names:?}: they go on");
    let refusal = SshProbe.boot_marker(&login(&machine, &[&old])).await.unwrap_err();
    assert!(refusal.to_string().contains("Permission denied"), "{refusal}");
    assert!(SshProbe.boot_marker(&login(&machine, &[&others])).await.is_ok(), "someone else's key is left alone");
    assert_eq!(run(&with_new, "pgrep -c -f '^sleep 1000' || true"), "1", "the service runs on");
    // Again, as a worker does that does not know how far another one got.
    SshProbe.replace_key(&login(&machine, &[&old, &new]), &new).await.unwrap();
    let last = KeyPair::generate().unwrap();
    SshProbe.replace_key(&login(&machine, &[&old, &new]), &last).await.unwrap();
    assert!(SshProbe.boot_marker(&login(&machine, &[&old, &new])).await.is_err());
    assert!(SshProbe.boot_marker(&login(&machine, &[&last])).await.is_ok());
    provider.terminate(&reference(1)).await.unwrap();
}

/// Playbooks that write lines with their name on the machine, in sessions that they begin again, and in a daemon of root,
/// until they are cancelled. A successor finds nothing of them, as on another host.
#[derive(Debug)]
struct Scribe(&'static str);

#[async_trait]
impl Ansible for Scribe {
    async fn prepare(&self, _: &LoadSpec, _: &mut dyn SpoolSink, _: &CancellationToken) -> Result<u32, AnsibleError> {
        Ok(1)
    }

    async fn run(
        &self,
        spec: &RunSpec,
        _: &mut dyn SpoolSink,
        cancel: &CancellationToken,
    ) -> Result<RunOutcome, AnsibleError> {
        fs::create_dir_all(&spec.dir).unwrap();
        let ssh = ssh(&spec.dir, spec.target.ssh, spec.target.private_key.expose_secret()).join(" ");
        let name = self.0;
        let script = format!(
            "{ssh} \"sudo setsid -f sh -c 'while :; do echo {name} >>/var/tmp/lines; sleep 0.05; done' >/dev/null 2>&1\"\n\
             while :; do {ssh} \"sudo sh -c 'for n in 1 2 3 4 5 6 7 8 9; do echo {name} >>/var/tmp/lines; sleep 0.05; done'\"; \
             sleep 0.1; done"
        );
        let mut playbook = tokio::process::Command::new("sh");
        playbook.args(["-c", &script]).stdin(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
        let _playbook = playbook.spawn().unwrap();
        cancel.cancelled().await;
        Ok(RunOutcome::Cancelled)
    }

    async fn recover(&self, _: &Path, _: SpoolPosition, _: &mut dyn SpoolSink) -> Result<bool, AnsibleError> {
        Ok(false)
    }
}

/// A worker with local machines, whose playbooks are this one's.
async fn worker(url: &str, yard: &Path, name: &'static str, stop: CancellationToken) -> Builder {
    let config = LocalConfig {
        data_dir: yard.join(DATA_DIR),
        cache_dir: cache_dir(),
        subnet: None,
        installation: INSTALLATION.to_owned(),
        limits: MachineLimits::default(),
        base_tree_days: 3650,
        base: None,
        outbound: None,
    };
    let provider = Arc::new(LocalProvider::open(config).await.unwrap());
    Builder::new(beside(url, &yard.join(name), provider, Scribe(name)), 1, stop)
}

/// Not a test of its own: the worker that the test below pauses or kills.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "a process of the test below"]
async fn worker_that_is_taken_over() {
    let (Some(yard), Ok(url)) = (std::env::var_os("OCIM_TEST_YARD"), std::env::var("OCIM_TEST_DATABASE")) else {
        return;
    };
    let builder = worker(&url, Path::new(&yard), "first", CancellationToken::new()).await;
    builder.advance(AppServerId(1)).await.unwrap();
}

/// Lines that each playbook has written on the machine, whose disk only its own processes see.
fn written(machine: &Machine) -> [u32; 2] {
    let pids = Command::new("ip").args(["netns", "pids", &machine.provider_id]).output().unwrap();
    let pids = String::from_utf8(pids.stdout).unwrap();
    let read = |pid: &str| fs::read_to_string(Path::new("/proc").join(pid).join("root/var/tmp/lines")).ok();
    let text = pids.lines().find_map(read).unwrap_or_default();
    ["first", "second"].map(|name| u32::try_from(text.lines().filter(|line| *line == name).count()).unwrap())
}

async fn taken_over(pause: impl Fn(Pid), wake: impl Fn(Pid)) {
    let yard = Yard::new();
    let app = TestApp::idle().await;
    let instance = app.instance("demo").await;
    let id = app.launched(instance).await;
    let first = Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "system::machines::keys::worker_that_is_taken_over"])
        .env("OCIM_TEST_YARD", yard.dir.path())
        .env("OCIM_TEST_DATABASE", app.db.url())
        .process_group(0)
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let mut first = Group(first);
    let provider = yard.open().await;
    let mut machine = None;
    until("the playbook of the first worker writes", async || {
        machine = provider.find(&reference(1)).await.unwrap();
        machine.as_ref().is_some_and(|machine| written(machine)[0] > 3)
    })
    .await;
    let machine = machine.unwrap();
    pause(first.pid());
    // The control: what it has begun goes on.
    let before = written(&machine)[0];
    until("it goes on", async || written(&machine)[0] > before + 5).await;

    app.outlive_leases().await;
    let stop = CancellationToken::new();
    let second = worker(app.db.url(), yard.dir.path(), "second", stop.clone()).await;
    let work = tokio::spawn(async move { second.advance(AppServerId(id)).await });
    until("the playbook of the second worker writes", async || written(&machine)[1] > 3).await;
    let [of_first, of_second] = written(&machine);
    wake(first.pid());
    tokio::time::sleep(Duration::from_secs(2)).await;
    let after = written(&machine);
    assert_eq!(after[0], of_first, "the first playbook still writes");
    assert!(after[1] > of_second + 10, "{after:?}");
    let key: PathBuf = yard.dir.path().join("first/runs/1/0-1/key-of-the-run");
    let login = format!(
        "ssh -F /dev/null -o BatchMode=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -i {} \
        ubuntu@{} true",
        key.display(),
        machine.endpoint.unwrap().ssh.ip()
    );
    let refused = Command::new("sh").args(["-c", &login]).output().unwrap();
    assert!(String::from_utf8_lossy(&refused.stderr).contains("Permission denied"), "{refused:?}");
    first.end();
    stop.cancel();
    work.await.unwrap().unwrap();
    provider.terminate(&reference(1)).await.unwrap();
    app.end().await;
}

/// A process with all that it has started.
struct Group(Child);

impl Group {
    fn pid(&self) -> Pid {
        Pid::from_child(&self.0)
    }

    fn end(&mut self) {
        let _ = kill_process_group(self.pid(), Signal::KILL);
        let _ = self.0.wait();
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.end();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_playbook_of_a_paused_worker_writes_nothing_after_another_took_over() {
    if !is_root() {
        return;
    }
    let send = |pid, signal| kill_process_group(pid, signal).unwrap();
    taken_over(|pid| send(pid, Signal::STOP), |pid| send(pid, Signal::CONT)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_playbook_of_a_killed_worker_writes_nothing_after_another_took_over() {
    if !is_root() {
        return;
    }
    // Only the worker: its playbook lives on.
    taken_over(|pid| kill_process(pid, Signal::KILL).unwrap(), |_| {}).await;
}

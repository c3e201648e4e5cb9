//! Local machines for real: namespaces, sshd, reboot, Ansible with the demo configuration, and nothing left behind.
//!
//! Needs root; says so and ends well where it is not. `OCIM_CACHE_DIR` names the cache (base tree, virtualenv).

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{IpAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use ocim::servers::provider::{Machine, MachineRef, MachineSpec, MachineState, Provider};
use ocim::servers::providers::local::{LocalConfig, LocalProvider, Subnet};
use sha2::{Digest, Sha256};
use shared_types::ServerId;

/// What an overlay's options would take apart, were it named there.
const DATA_DIR: &str = "data, with: odd name";
const INSTALLATION: &str = "11111111-aaaa";
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
        LocalProvider::open(self.config(None)).await.unwrap()
    }

    fn config(&self, subnet: Option<Subnet>) -> LocalConfig {
        let installation = INSTALLATION.to_owned();
        LocalConfig { data_dir: self.dir.path().join(DATA_DIR), cache_dir: cache_dir(), subnet, installation }
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

impl Drop for Yard {
    /// A test that failed leaves no machine behind either.
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
        // A thread of its own, since this one is a runtime's.
        let thread = std::thread::spawn(|| tokio::runtime::Runtime::new().map(|runtime| runtime.block_on(cleanup)));
        let _ = thread.join();
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

    let machine_dir = yard.dir.path().join(DATA_DIR).join("machines");
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

/// A connection that is kept, as the gateway keeps its own.
struct Connection(BufReader<TcpStream>);

struct Answer {
    status: u16,
    body: String,
}

impl Connection {
    fn open(ip: IpAddr) -> std::io::Result<Self> {
        let stream = TcpStream::connect_timeout(&(ip, 80).into(), Duration::from_secs(2))?;
        stream.set_read_timeout(Some(Duration::from_secs(10)))?;
        Ok(Self(BufReader::new(stream)))
    }

    fn get(&mut self, host: &str, path: &str) -> std::io::Result<Answer> {
        self.0.get_mut().write_all(format!("GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n").as_bytes())?;
        let (mut status, mut length) = (0, 0);
        loop {
            let mut line = String::new();
            if self.0.read_line(&mut line)? == 0 {
                return Err(std::io::ErrorKind::UnexpectedEof.into());
            }
            match line.trim_end().split_once(": ") {
                Some((name, value)) if name.eq_ignore_ascii_case("content-length") => length = value.parse().unwrap(),
                Some(_) => {}
                None if line.starts_with("HTTP/") => status = line[9..12].parse().unwrap(),
                None => break,
            }
        }
        let mut body = vec![0; length];
        self.0.read_exact(&mut body)?;
        Ok(Answer { status, body: String::from_utf8(body).unwrap() })
    }
}

fn get(machine: &Machine, host: &str, path: &str) -> std::io::Result<Answer> {
    Connection::open(machine.endpoint.unwrap().public_ip)?.get(host, path)
}

/// A virtualenv of the demo's own requirements, kept in the cache.
fn ansible_playbook(demo: &Path) -> PathBuf {
    let requirements = demo.join("requirements.txt");
    let hash = hex::encode(Sha256::digest(fs::read(&requirements).unwrap()));
    let venv = cache_dir().join(format!("test-venv-{}", &hash[..12]));
    if !venv.join("complete").exists() {
        run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&venv));
        run(Command::new(venv.join("bin/pip")).args(["install", "--quiet", "--requirement"]).arg(requirements));
        fs::write(venv.join("complete"), "").unwrap();
    }
    venv.join("bin/ansible-playbook")
}

struct Deployment<'a> {
    yard: &'a Yard,
    machine: &'a Machine,
    program: PathBuf,
    demo: PathBuf,
}

impl Deployment<'_> {
    fn run(&self, variables: &serde_json::Value) -> Output {
        let dir = self.yard.dir.path();
        fs::write(dir.join("vars.json"), variables.to_string()).unwrap();
        let ip = self.machine.endpoint.unwrap().public_ip;
        fs::write(dir.join("inventory"), format!("[app]\n{ip}\n")).unwrap();
        Command::new(&self.program)
            .current_dir(&self.demo)
            .args(["-u", "ubuntu", "-i"])
            .arg(dir.join("inventory"))
            .arg(format!("--private-key={}", self.yard.key().display()))
            .args(["-e", &format!("@{}", dir.join("vars.json").display())])
            .arg("playbooks/edx_sandbox.yml")
            .env("ANSIBLE_PIPELINING", "1")
            .env("ANSIBLE_SSH_ARGS", shell_words(&self.yard.ssh_options(self.machine)))
            .env("ANSIBLE_LOCAL_TEMP", dir.join("ansible"))
            .output()
            .unwrap()
    }

    fn succeeds(&self, variables: &serde_json::Value) -> String {
        let output = self.run(variables);
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success(), "{text}\n{}", String::from_utf8_lossy(&output.stderr));
        text
    }
}

fn shell_words(words: &[String]) -> String {
    let master = ["-o", "ControlMaster=auto", "-o", "ControlPersist=20s"].map(str::to_owned);
    words.iter().chain(&master).map(|word| format!("'{word}'")).collect::<Vec<_>>().join(" ")
}

#[tokio::test(flavor = "multi_thread")]
async fn the_demo_configuration_deploys_lms_and_studio_that_survive_a_reboot() {
    if !is_root() {
        return;
    }
    let yard = Yard::new();
    let provider = yard.open().await;
    let machine = provider.create(&yard.spec(1)).await.unwrap();
    yard.wait_for_ssh(&machine).await;
    let demo = Path::new(env!("CARGO_MANIFEST_DIR")).join("../ansible/demo");
    let deployment = Deployment { yard: &yard, machine: &machine, program: ansible_playbook(&demo), demo };

    let mut variables = serde_json::json!({
        "EDXAPP_PLATFORM_NAME": "Bob's \"<School>\" & Co: ünïcode",
        "EDXAPP_LMS_BASE": LMS, "EDXAPP_CMS_BASE": STUDIO,
        "EDXAPP_LMS_NGINX_PORT": 80, "EDXAPP_CMS_NGINX_PORT": 80,
        "EDXAPP_CONTACT_EMAIL": "contact@example.com",
        "edx_platform_version": "0123456789abcdef", "forum_version": "open-release/demo",
        "ocim_app_server": "AppServer 2",
    });
    let begun = Instant::now();
    deployment.succeeds(&variables);
    println!("playbook: {:?}", begun.elapsed());
    shows_the_page(&machine);
    let page = get(&machine, LMS, "/").unwrap().body;

    variables["demo_pause_seconds"] = 2.into();
    let begun = Instant::now();
    let again = deployment.succeeds(&variables);
    assert!(begun.elapsed() > Duration::from_secs(2) && again.contains("skipped=1 "), "{again}");
    assert!(again.contains("changed=0"), "a second run changes nothing: {again}");
    holds_the_load(machine.endpoint.unwrap().public_ip);

    let begun = Instant::now();
    provider.reboot(&reference(1)).await.unwrap();
    let answers = |host| get(&machine, host, "/heartbeat").is_ok_and(|answer| answer.status == 200);
    eventually("the services after the reboot", || answers(LMS) && answers(STUDIO)).await;
    println!("reboot to services: {:?}", begun.elapsed());
    assert_eq!(get(&machine, LMS, "/").unwrap().body, page);

    yard.wait_for_ssh(&machine).await;
    variables["demo_fail_message"] = "as you wish".into();
    let failed = deployment.run(&variables);
    let text = String::from_utf8(failed.stdout).unwrap();
    assert_eq!(failed.status.code(), Some(2));
    assert!(text.contains("TASK [demo : fail on request]") && text.contains("as you wish"), "{text}");

    provider.terminate(&reference(1)).await.unwrap();
    assert_eq!(traces(&mark_of(&machine)), Vec::<String>::new());
}

fn shows_the_page(machine: &Machine) {
    let lms = get(machine, LMS, "/").unwrap();
    assert_eq!(lms.status, 200);
    for text in [
        "Bob&#x27;s &quot;&lt;School&gt;&quot; &amp; Co: ünïcode",
        "AppServer 2",
        "open-release/demo",
        "0123456789abcdef",
        ">LMS<",
    ] {
        assert!(lms.body.contains(text), "{text} in {}", lms.body);
    }
    assert!(!lms.body.contains("<School>"));
    assert!(get(machine, STUDIO, "/").unwrap().body.contains(">Studio<"));
    for (host, service) in [(LMS, "lms"), (STUDIO, "cms")] {
        let heartbeat = get(machine, host, "/heartbeat").unwrap();
        let value: serde_json::Value = serde_json::from_str(&heartbeat.body).unwrap();
        assert_eq!((heartbeat.status, &value[service]["status"]), (200, &true.into()));
    }
    assert_eq!(get(machine, "other.example.com", "/").unwrap().status, 404);
    let begun = Instant::now();
    assert_eq!(get(machine, LMS, "/slow?seconds=1.5").unwrap().status, 200);
    assert!(begun.elapsed() >= Duration::from_millis(1500));
    for seconds in ["61", "-1", "nan", "x"] {
        assert_eq!(get(machine, LMS, &format!("/slow?seconds={seconds}")).unwrap().status, 400);
    }
}

/// 8 visitors on kept connections, 250 requests each, one failure fails it.
fn holds_the_load(ip: IpAddr) {
    let begun = Instant::now();
    std::thread::scope(|scope| {
        for visitor in 0..8 {
            scope.spawn(move || {
                let mut connection = Connection::open(ip).unwrap();
                for _ in 0..250 {
                    let host = if visitor % 2 == 0 { LMS } else { STUDIO };
                    assert_eq!(connection.get(host, "/").unwrap().status, 200);
                }
            });
        }
    });
    println!("2000 requests: {:?}", begun.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_data_directory_with_a_new_database_leaves_the_machines_of_the_old_one_alone() {
    if !is_root() {
        return;
    }
    let yard = Yard::new();
    let old = yard.open().await;
    let first = old.create(&yard.spec(1)).await.unwrap();
    yard.wait_for_ssh(&first).await;
    let config = LocalConfig { installation: "22222222-bbbb".to_owned(), ..yard.config(None) };
    let new = LocalProvider::open(config).await.unwrap();
    new.claim(&[(ServerId(1), "edxapp-demo-1".to_owned())]).unwrap();
    let one = MachineRef { server_id: ServerId(1), provider_id: None };
    assert_eq!(new.find(&one).await.unwrap(), None);
    assert!(new.list().await.unwrap().is_empty());
    assert!(new.boot_all().await.unwrap().is_empty());
    assert!(new.reboot(&one).await.is_err());
    new.terminate(&one).await.unwrap();
    assert!(new.shutdown_all().await.unwrap().is_empty());
    assert!(yard.try_ssh(&first, "true").status.success(), "the old one runs on");
    let second = new.create(&yard.spec(1)).await.unwrap();
    assert_ne!(second.endpoint, first.endpoint);
    assert_ne!(second.provider_id, first.provider_id);
    yard.wait_for_ssh(&second).await;
    new.terminate(&one).await.unwrap();
    assert_eq!(new.find(&one).await.unwrap(), None);
    assert!(yard.try_ssh(&first, "true").status.success(), "the old one runs on");
    assert_eq!(old.find(&one).await.unwrap().as_ref(), Some(&first));
    old.terminate(&one).await.unwrap();
    assert!(old.list().await.unwrap().is_empty());
}

/// Not a test of its own: the manager that the test below kills.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "a process of the test below"]
async fn manager_that_makes_a_machine_and_stays() {
    let Some(dir) = std::env::var_os("OCIM_TEST_YARD") else { return };
    let data_dir = Path::new(&dir).join(DATA_DIR);
    let authorized_key = fs::read_to_string(Path::new(&dir).join("key.pub")).unwrap().trim().to_owned();
    let provider = LocalProvider::open(LocalConfig {
        data_dir,
        cache_dir: cache_dir(),
        subnet: None,
        installation: INSTALLATION.into(),
    })
    .await
    .unwrap();
    fs::write(Path::new(&dir).join("opened"), "").unwrap();
    let spec = MachineSpec { server_id: ServerId(1), name: "edxapp-demo-1".into(), authorized_key };
    provider.create(&spec).await.unwrap();
    std::future::pending::<()>().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_manager_killed_at_any_moment_leaves_one_machine_or_none() {
    if !is_root() {
        return;
    }
    let yard = Yard::new();
    let provider = yard.open().await;
    let opened = yard.dir.path().join("opened");
    let machine_dir = yard.dir.path().join(DATA_DIR).join("machines/1");
    for milliseconds in [0, 5, 10, 20, 30, 35, 40, 45, 50, 55, 60, 80, 120, 1000] {
        let mut manager = Command::new(std::env::current_exe().unwrap())
            .args(["--ignored", "--exact", "system::machines::manager_that_makes_a_machine_and_stays"])
            .env("OCIM_TEST_YARD", yard.dir.path())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        eventually("the manager", || opened.exists()).await;
        tokio::time::sleep(Duration::from_millis(milliseconds)).await;
        manager.kill().unwrap();
        manager.wait().unwrap();
        fs::remove_file(&opened).unwrap();

        // Two at once, as from two workers.
        let other = yard.open().await;
        let spec = yard.spec(1);
        let (machine, same) = tokio::join!(provider.create(&spec), other.create(&spec));
        let machine = machine.unwrap();
        assert_eq!(machine, same.unwrap());
        yard.wait_for_ssh(&machine).await;
        let starters = traces(machine_dir.to_str().unwrap());
        assert_eq!(starters.len(), 1, "killed after {milliseconds} ms: {starters:?}");
        provider.terminate(&reference(1)).await.unwrap();
        assert_eq!(traces(&mark_of(&machine)), Vec::<String>::new());
        assert!(!machine_dir.exists());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subnet_that_cannot_be_used_is_refused_with_the_reason() {
    if !is_root() {
        return;
    }
    let (here, there) = (Yard::new(), Yard::new());
    let provider = here.open().await;
    let refusal = async |yard: &Yard, subnet: &str| {
        let config = yard.config(Some(subnet.parse().unwrap()));
        LocalProvider::open(config).await.map(|provider| provider.subnet()).unwrap_err().to_string()
    };
    assert!(refusal(&there, "8.8.8.0/24").await.contains("private network"));
    let taken = provider.subnet().to_string();
    assert!(refusal(&there, &taken).await.contains("meets a network"));

    let moved = LocalProvider::open(there.config(Some("10.214.7.0/28".parse().unwrap()))).await.unwrap();
    assert_eq!(moved.subnet().to_string(), "10.214.7.0/28");
    let machine = moved.create(&there.spec(1)).await.unwrap();
    assert_eq!(machine.endpoint.unwrap().public_ip.to_string(), "10.214.7.2");
    assert!(refusal(&there, "10.214.8.0/28").await.contains("the local machines live in 10.214.7.0/28"));
    assert_eq!(there.open().await.subnet(), moved.subnet(), "unset, it stays");

    let copy = Yard::new();
    run(Command::new("cp").arg("-r").arg(here.dir.path().join(DATA_DIR)).arg(copy.dir.path()));
    let refused = LocalProvider::open(copy.config(None)).await.unwrap_err().to_string();
    assert!(refused.contains("is a copy of"), "{refused}");
    moved.terminate(&reference(1)).await.unwrap();
}

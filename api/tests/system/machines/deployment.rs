//! The demo configuration on a machine: what it deploys, how that answers, and that it survives a reboot.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{IpAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use ocim::machines::provider::{Machine, Provider};
use sha2::{Digest, Sha256};

use super::yard::{Yard, cache_dir, eventually, is_root, mark_of, reference, run, traces};

const LMS: &str = "demo.localhost";
const STUDIO: &str = "studio.demo.localhost";

/// A kept-alive connection, like the gateway's.
struct Connection(BufReader<TcpStream>);

pub(super) struct Answer {
    pub status: u16,
    pub body: String,
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

pub(super) fn get(machine: &Machine, host: &str, path: &str) -> std::io::Result<Answer> {
    Connection::open(machine.endpoint.unwrap().public_ip)?.get(host, path)
}

/// `ansible-playbook` in a virtualenv with the demo's requirements, kept in the cache.
pub(super) fn ansible_playbook(demo: &Path) -> PathBuf {
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
            .arg("playbooks/openedx_native.yml")
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

pub(super) fn shell_words(words: &[String]) -> String {
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

/// 8 visitors with kept-alive connections, 250 requests each; one failure fails the test.
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

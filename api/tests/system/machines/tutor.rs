//! The playbooks of `ansible/tutor` on local machines: real Ansible, real sshd, Tutor from its wheels. In place of
//! Docker, `system/tutor/docker.py` records its calls and serves the host names that Tutor rendered.
//!
//! Not covered: images, migrations, Docker's installation, and how Compose itself reads its files.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use ocim::applications::tutor::{Defaults, Tutor};
use ocim::instances::application::{Application, Moment, SecretKind, SecretSpec, SnapshotInput};
use ocim::machines::provider::{Machine, Provider};
use ocim::platform::vault;
use serde_json::{Map, Value, json};
use shared_types::yaml;

use super::deployment::{ansible_playbook, get, shell_words};
use super::yard::{Yard, cache_dir, eventually, is_root, reference, run};

const LMS: &str = "demo.example.org";
const STUDIO: &str = "studio.demo.example.org";
const APPS: &str = "apps.demo.example.org";
const CALLS: &str = "/var/lib/recording-docker/calls.jsonl";
/// Addresses without a server: the recording Docker runs no job.
const DATABASES: &str = "MYSQL_HOST: 10.255.0.1\nOPENEDX_MYSQL_DATABASE: demo\nOPENEDX_MYSQL_USERNAME: demo\n\
                         OPENEDX_MYSQL_PASSWORD: given\nMONGODB_HOST: 10.255.0.1\nREDIS_HOST: 10.255.0.1\n";

#[tokio::test(flavor = "multi_thread")]
#[ignore = "deploys two machines with packages that are fetched: make test-tutor"]
async fn tutor_deploys_the_same_platform_on_two_machines_and_survives_a_reboot() {
    if !is_root() {
        return;
    }
    let yard = Yard::new();
    let provider = yard.open().await;
    let (spec_one, spec_two) = (yard.spec(1), yard.spec(2));
    let (one, two) = tokio::join!(provider.create(&spec_one), provider.create(&spec_two));
    let machines = [one.unwrap(), two.unwrap()];
    let site = Site::new(&yard);
    let variables = site.variables(&json!({"sub_domain": "demo"}));
    for machine in &machines {
        yard.wait_for_ssh(machine).await;
        site.install_docker(machine);
        site.succeeds(machine, "deploy.yml", &variables);
    }

    let [first, second] = &machines;
    let rendered = "sudo sh -c 'cd /opt/tutor/root && find env config.yml -type f -exec sha256sum {} + | sort -k 2'";
    let files = yard.ssh(first, rendered);
    assert!(files.lines().count() > 150, "{files}");
    assert_eq!(files, yard.ssh(second, rendered), "app servers of one instance differ");
    let calls = site.calls(first);
    assert_eq!(verbs(&calls), ["pull", "up", "run"], "one after the other");
    assert!(calls.iter().all(|call| call["uid"] != 0), "Tutor must not run as root");
    answers_everywhere(first);

    provider.reboot(&reference(1)).await.unwrap();
    let is_up = |host| get(first, host, "/heartbeat").is_ok_and(|answer| answer.status == 200);
    eventually("the sites after the reboot", || is_up(LMS) && is_up(STUDIO)).await;
    answers_everywhere(first);

    workers_follow_the_traffic(&site, second);
    a_value_that_would_be_random_ends_the_build(&site, second, variables);
    for id in [1, 2] {
        provider.terminate(&reference(id)).await.unwrap();
    }
}

fn answers_everywhere(machine: &Machine) {
    for (host, path) in [
        (LMS, "/heartbeat"),
        (LMS, "/heartbeat?extended"),
        (STUDIO, "/heartbeat"),
        (APPS, "/authn/login"),
        (APPS, "/api/mfe_config/v1?mfe=authn"),
    ] {
        assert_eq!(get(machine, host, path).unwrap().status, 200, "{host}{path}");
    }
    assert_eq!(get(machine, "preview.demo.example.org", "/").unwrap().status, 404);
}

/// With external databases, a build does not start the workers, and no job gets an administrator's password.
fn workers_follow_the_traffic(site: &Site<'_>, machine: &Machine) {
    site.yard.ssh(machine, &format!("sudo truncate -s 0 {CALLS}"));
    // A build does not touch running workers, so those of the first build are stopped here.
    let settings = json!({"sub_domain": "demo", "databases": DATABASES});
    let held = site.variables(&settings);
    site.hook_succeeds(machine, Moment::AfterTraffic, &settings);
    site.succeeds(machine, "deploy.yml", &held);
    let calls = site.calls(machine);
    let words = |call: &Value| call["argv"].to_string();
    assert!(!calls.iter().any(|call| words(call).contains("mysql-job")), "{calls:?}");
    assert!(!calls.iter().any(|call| words(call).contains("MYSQL_ROOT") || words(call).contains("ALTER USER")));
    let extended = || get(machine, LMS, "/heartbeat?extended").unwrap().status;
    assert_eq!(extended(), 503, "a worker runs");
    // Each hook may run twice.
    for (moment, status) in [
        (Moment::BeforeTraffic, 200),
        (Moment::BeforeTraffic, 200),
        (Moment::AfterTraffic, 503),
        (Moment::BeforeTraffic, 200),
        (Moment::BeforeEnd, 503),
        (Moment::BeforeEnd, 503),
    ] {
        site.hook_succeeds(machine, moment, &settings);
        assert_eq!(extended(), status, "after {moment:?}");
    }
    let last = site.calls(machine).pop().unwrap();
    let stop = json!(["stop", "--timeout", "600", "lms-worker", "cms-worker"]);
    assert!(last["argv"].as_array().unwrap().ends_with(stop.as_array().unwrap()), "{last}");
}

fn a_value_that_would_be_random_ends_the_build(site: &Site<'_>, machine: &Machine, mut variables: Map<String, Value>) {
    variables["tutor_config"].as_object_mut().unwrap().remove("OPENEDX_SECRET_KEY");
    let output = site.run(machine, "deploy.yml", &variables);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(!output.status.success() && text.contains("Tutor would make up OPENEDX_SECRET_KEY"), "{text}");
}

/// The playbooks, wheels and secrets of one instance.
struct Site<'a> {
    yard: &'a Yard,
    program: PathBuf,
    playbooks: PathBuf,
    tutor: Tutor,
    secrets: Map<String, Value>,
}

impl<'a> Site<'a> {
    fn new(yard: &'a Yard) -> Self {
        let repository = Path::new(env!("CARGO_MANIFEST_DIR")).join("../ansible/tutor");
        let tutor = Tutor {
            defaults: Defaults {
                base_domain: "example.org".into(),
                email: "contact@example.org".into(),
                protocol: "https".into(),
                release: "verawood".into(),
                playbooks_repository_url: "/unused".into(),
                playbooks_version: "master".into(),
                wheels: wheels().display().to_string(),
            },
        };
        let secrets = tutor.secrets().iter().map(|spec| (spec.name.to_owned(), made(spec).into())).collect();
        Self { yard, program: ansible_playbook(&repository), playbooks: repository.join("playbooks"), tutor, secrets }
    }

    /// Runs the hook of this moment with the build's variables; it must succeed.
    fn hook_succeeds(&self, machine: &Machine, moment: Moment, settings: &Value) {
        let hooks = self.tutor.hooks(&self.stored(settings)).unwrap();
        let hook = hooks.into_iter().find(|hook| hook.moment == moment).unwrap();
        let playbook = hook.playbook.strip_prefix("playbooks/").unwrap();
        self.succeeds(machine, playbook, &self.variables(settings));
    }

    fn stored(&self, settings: &Value) -> Value {
        self.tutor.settings(None, settings.as_object().unwrap()).unwrap()
    }

    /// The variables of an app server with these settings, on a machine that already has Docker.
    fn variables(&self, settings: &Value) -> Map<String, Value> {
        let settings = self.stored(settings);
        let input = SnapshotInput {
            name: "Bob's \"{{ School }}\"",
            settings: &settings,
            secrets: &self.secrets,
            previous: None,
            resources: &[],
        };
        let mut variables = self.tutor.snapshot(input).unwrap().variables;
        let here = json!({"tutor_docker_is_installed": true, "tutor_user_groups": [], "tutor_async_poll": 1});
        variables.extend(here.as_object().unwrap().clone());
        variables
    }

    fn install_docker(&self, machine: &Machine) {
        let playbook = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/system/tutor/recording_docker.yml");
        let output = self.ansible(machine, &playbook, &Map::new());
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    }

    fn succeeds(&self, machine: &Machine, playbook: &str, variables: &Map<String, Value>) {
        let output = self.run(machine, playbook, variables);
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{playbook}: {text}\n{}", String::from_utf8_lossy(&output.stderr));
    }

    fn run(&self, machine: &Machine, playbook: &str, variables: &Map<String, Value>) -> Output {
        self.ansible(machine, &self.playbooks.join(playbook), variables)
    }

    fn ansible(&self, machine: &Machine, playbook: &Path, variables: &Map<String, Value>) -> Output {
        let dir = self.yard.dir.path();
        fs::write(dir.join("vars.json"), yaml::for_ansible(variables)).unwrap();
        let ip = machine.endpoint.unwrap().public_ip;
        fs::write(dir.join("inventory"), format!("[app]\n{ip}\n")).unwrap();
        Command::new(&self.program)
            .args(["-u", "ubuntu", "-i"])
            .arg(dir.join("inventory"))
            .arg(format!("--private-key={}", self.yard.key().display()))
            .args(["-e", &format!("@{}", dir.join("vars.json").display())])
            .arg(playbook)
            .env("ANSIBLE_PIPELINING", "1")
            .env("ANSIBLE_SSH_ARGS", shell_words(&self.yard.ssh_options(machine)))
            .env("ANSIBLE_LOCAL_TEMP", dir.join("ansible"))
            .output()
            .unwrap()
    }

    /// All calls of `docker` on the machine, in order.
    fn calls(&self, machine: &Machine) -> Vec<Value> {
        let lines = self.yard.ssh(machine, &format!("cat {CALLS}"));
        lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

/// The verbs of Compose without repetitions and without Tutor's queries about other projects.
fn verbs(calls: &[Value]) -> Vec<String> {
    let known = ["pull", "up", "run", "stop"];
    let verb = |call: &Value| {
        let words = call["argv"].as_array().unwrap().iter().filter_map(Value::as_str);
        words.into_iter().find(|word| known.contains(word)).map(str::to_owned)
    };
    let mut verbs: Vec<_> = calls.iter().filter_map(verb).collect();
    verbs.dedup();
    verbs
}

fn made(spec: &SecretSpec) -> String {
    match spec.kind {
        SecretKind::Letters(length) => "a".repeat(length),
        SecretKind::Uuid => vault::uuid().unwrap(),
        SecretKind::Rsa(bits) => vault::rsa_private_key(bits).unwrap(),
    }
}

/// The newest release's wheels for this host's Python, kept in the cache; machines have the same Debian release.
fn wheels() -> PathBuf {
    let release = shared_types::applications::tutor::releases::RELEASES.last().unwrap();
    let packages: Vec<_> = release.packages.iter().map(|(name, version)| format!("{name}=={version}")).collect();
    let dir = cache_dir().join(format!("test-wheels-{}", packages.join("-").replace("==", "-")));
    if !dir.exists() {
        let partial = dir.with_extension("partial");
        run(Command::new("python3")
            .args(["-m", "pip", "wheel", "--quiet", "--wheel-dir"])
            .arg(&partial)
            .args(&packages));
        fs::rename(&partial, &dir).unwrap();
    }
    dir
}

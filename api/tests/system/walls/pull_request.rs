//! A pull request whose settings are plain data, and have a playbook copy files of the manager to its machine: on the
//! whole path, by the program itself with local machines and a fake GitHub.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::app::github::{FakeGithub, PullSpec};
use crate::app::{Client, Credentials, http, own_address};
use crate::system::ansible::support::Repository;
use crate::system::machines::yard::{cache_dir, is_root, run};

const FORK: &str = "acme/edx-platform";
const PASSWORD: &str = "seven otters juggle lamps";

/// How long a build may take: the first one on a host makes a virtualenv.
const PATIENCE: Duration = Duration::from_secs(180);

/// What `roles/nginx` of edx/configuration does in every release since Eucalyptus.
const PLAYBOOK: &str = "- hosts: all
  become: true
  gather_facts: false
  vars: {ansible_python_interpreter: /usr/bin/python3}
  tasks:
    - name: copy ssl cert
      copy: {src: '{{ NGINX_SSL_CERTIFICATE }}', dest: /etc/ssl/certs/walls, mode: '0644'}
      when: NGINX_ENABLE_SSL
    - name: gives up
      fail: {msg: the certificate was copied}
";

/// How a build of the pull request ended.
struct Built {
    /// The app server's reason.
    failure: String,
    /// The file that the playbook made on the machine.
    copied: Option<String>,
    /// The manager's file.
    keys: String,
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pull_request_gets_no_file_of_the_manager_onto_its_machine() {
    if !is_root() {
        return;
    }
    let (walled, open) = tokio::join!(build(None), build(Some("none")));
    // The control: with `OCIM_SANDBOX=none` the keys of the vault arrive.
    assert_eq!(open.copied.as_deref(), Some(open.keys.as_str()), "{}", open.failure);
    assert!(open.failure.contains("the certificate was copied"), "{}", open.failure);
    assert_eq!(walled.copied, None);
    assert!(walled.failure.contains("copy ssl cert") && walled.failure.contains("keys/secrets"), "{}", walled.failure);
    assert!(!walled.failure.contains(walled.keys.trim()));
}

/// Starts the program with this `OCIM_SANDBOX`, opens the pull request, and waits until its build has failed.
async fn build(sandbox: Option<&'static str>) -> Built {
    let github = FakeGithub::start().await;
    github.repository(FORK);
    github.set_team("acme", "owners", &["ada"]);
    let repository = Repository::with_playbook("- hosts: all\n");
    repository.commit("playbooks/openedx_native.yml", PLAYBOOK);
    let program = Program::start(&github, &repository, sandbox).await;
    let keys = program.data.path().join("keys/secrets");
    let yaml = format!("NGINX_ENABLE_SSL: true\r\nNGINX_SSL_CERTIFICATE: {}", keys.display());
    let body = format!("What it does.\r\n\r\n**Settings**\r\n```yaml\r\n{yaml}\r\n```\r\n");
    github.open_pull(FORK, PullSpec { body, ..PullSpec::default() });
    let server = program.until_failed().await;
    let copied = machine_root(&server).map(|root| root.join("etc/ssl/certs/walls")).filter(|path| path.is_file());
    let built = Built {
        failure: server["failure"].as_str().unwrap_or_default().to_owned(),
        copied: copied.map(|path| fs::read_to_string(path).unwrap()),
        keys: fs::read_to_string(keys).unwrap(),
    };
    program.stop().await;
    github.stop().await;
    built
}

/// The root directory of a machine that runs.
fn machine_root(server: &Value) -> Option<PathBuf> {
    let id = server["server"]["provider_id"].as_str().unwrap_or_else(|| panic!("it has no machine: {server:#}"));
    let names = fs::read_dir("/run/netns").unwrap().flatten().map(|entry| entry.file_name().into_string().unwrap());
    let name = names.into_iter().find(|name| name == id).unwrap_or_else(|| panic!("no namespace of {id}"));
    let pids = run(Command::new("ip").args(["netns", "pids", &name]));
    let root = |pid: &str| PathBuf::from(format!("/proc/{pid}/root"));
    let root = pids.lines().map(root).find(|root| root.join("etc/hostname").is_file());
    Some(root.unwrap_or_else(|| panic!("no process of {id}")))
}

/// `ocim server`, with a database and machines of its own.
struct Program {
    data: tempfile::TempDir,
    child: tokio::process::Child,
    client: Client,
}

impl Program {
    async fn start(github: &FakeGithub, repository: &Repository, sandbox: Option<&str>) -> Self {
        let data = tempfile::tempdir().unwrap();
        // Postgres, which runs as another user, reaches its own directory in it.
        fs::set_permissions(data.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let (listen, gateway) = (own_address(), own_address());
        let log = fs::File::create(data.path().join("server.log")).unwrap();
        let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_ocim"));
        command.arg("server").env("OCIM_DATA_DIR", data.path()).env("OCIM_CACHE_DIR", cache_dir());
        command.env("OCIM_LISTEN", &listen).env("OCIM_GATEWAY_LISTEN", gateway).env("OCIM_ADMIN_PASSWORD", PASSWORD);
        command
            .env("DEFAULT_CONFIGURATION_REPO_URL", repository.address())
            .env("DEFAULT_CONFIGURATION_VERSION", "master");
        command.env("OCIM_CONFIGURATION_SOURCES", format!("https://*,{}", repository.address()));
        command.env("GITHUB_API_URL", &github.base).env("WATCH_FORK", FORK).env("WATCH_ORGANIZATION", "acme");
        command.env("WATCH_INTERVAL", "1").env("WATCH_REPORT", "nothing");
        command.envs(sandbox.map(|mode| ("OCIM_SANDBOX", mode)));
        command.stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log).kill_on_drop(true);
        let child = command.spawn().unwrap();
        let http = http().build().unwrap();
        let base = format!("http://{listen}");
        let credentials = Credentials::None;
        let mut program = Self { data, child, client: Client::at(http.clone(), base.clone(), credentials) };
        program
            .until("the program answers", async || {
                http.get(format!("{base}/readyz")).send().await.is_ok_and(|answer| answer.status() == 200)
            })
            .await;
        program.client = Client::of_admin(http, base, PASSWORD).await;
        program
    }

    /// Waits for the first build of the pull request; gives its app server.
    async fn until_failed(&self) -> Value {
        let mut found = Value::Null;
        self.until("the build has failed", async || {
            let page = self.client.get("/api/v1/app-servers").await.expect(200);
            let Some(id) = page["items"].as_array().and_then(|items| items.last()).and_then(|one| one["id"].as_i64())
            else {
                return false;
            };
            found = self.client.get(&format!("/api/v1/app-servers/{id}")).await.expect(200);
            let is_building = ["new", "waiting", "configuring"].iter().any(|status| found["status"] == *status);
            assert!(is_building || found["status"] == "failed", "it did not fail in its playbook: {found:#}");
            !is_building
        })
        .await;
        found
    }

    async fn until(&self, what: &str, mut is_so: impl AsyncFnMut() -> bool) {
        let began = Instant::now();
        while !is_so().await {
            let log = || log_of(self.data.path());
            assert!(began.elapsed() < PATIENCE, "waited {PATIENCE:?}, and still not: {what}\n{}", log());
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }

    /// Stops the program, which stops its machines, its gateway and its database.
    async fn stop(mut self) {
        let pid = self.child.id().unwrap().to_string();
        run(Command::new("kill").args(["-TERM", &pid]));
        let end = tokio::time::timeout(Duration::from_secs(60), self.child.wait()).await;
        end.unwrap_or_else(|_| panic!("the program does not stop: {}", log_of(self.data.path()))).unwrap();
    }
}

fn log_of(data: &Path) -> String {
    fs::read_to_string(data.join("server.log")).unwrap_or_default()
}

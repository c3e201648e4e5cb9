//! Helpers: a configuration repository, an sshd, a sink that keeps all lines, and lists of processes.

use std::fs;
use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use ocim::ansible::port::{
    Ansible, LoadSpec, Requirements, RunSpec, SpoolLine, SpoolPosition, SpoolSink, Target, TaskProgress,
};
use ocim::ansible::real::{AnsibleConfig, AnsibleCore};
use ocim::git::real::GitCli;
use ocim::git::sources::Sources;
use ocim::platform::sandbox::{Sandbox, SandboxSettings};
use serde_json::{Map, Value, json};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

use crate::app::ports;

/// The Ansible that each test repository requires.
pub const REQUIREMENTS: &str = "ansible-core>=2.16,<2.21\n";

/// A value that must not appear outside of the variables' file.
pub const SECRET: &str = "a-secret-value-of-the-variables";

/// The cache is shared by all tests on this host, so that the virtualenv is made once.
pub fn cache_dir() -> PathBuf {
    std::env::var_os("OCIM_TEST_CACHE_DIR").map_or_else(|| std::env::temp_dir().join("ocim-cache"), PathBuf::from)
}

/// The walls of the product, with this host's directories for all runs to read.
pub fn sandbox(readable: &[&Path]) -> Arc<Sandbox> {
    let readable = readable.iter().map(|path| (*path).to_owned()).collect();
    Arc::new(Sandbox::new(SandboxSettings { readable, ..SandboxSettings::new(cache_dir().join("sandbox")) }))
}

/// Probed once.
static SANDBOX: LazyLock<Arc<Sandbox>> = LazyLock::new(|| sandbox(&[]));

pub fn config() -> AnsibleConfig {
    AnsibleConfig { cache_dir: cache_dir(), pythons: vec!["python3".to_owned()], sandbox: SANDBOX.clone() }
}

pub fn git() -> GitCli {
    git_from(&["/", "https://*"])
}

/// Git that reads repositories of these sources only.
pub fn git_from(sources: &[&str]) -> GitCli {
    let sources = Sources::new(sources.iter().copied(), Vec::new()).unwrap();
    GitCli::public(cache_dir(), sources, SANDBOX.clone())
}

/// The same without walls: it reaches servers on the loopback interface.
pub fn git_without_walls(sources: &[&str]) -> GitCli {
    let sandbox = SandboxSettings { is_off: true, ..SandboxSettings::new(cache_dir().join("sandbox")) };
    let sources = Sources::new(sources.iter().copied(), Vec::new()).unwrap();
    GitCli::public(cache_dir(), sources, Arc::new(Sandbox::new(sandbox)))
}

pub fn ansible() -> AnsibleCore {
    AnsibleCore::new(config(), Arc::new(git()))
}

/// An Ansible whose runs may read these directories.
pub fn ansible_that_reads(readable: &[&Path]) -> AnsibleCore {
    AnsibleCore::new(AnsibleConfig { sandbox: sandbox(readable), ..config() }, Arc::new(git()))
}

/// A temporary directory that every user may read, as repositories and indexes of this host must be.
pub fn open_dir() -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
    dir
}

/// A git repository in a temporary directory.
pub struct Repository(pub TempDir);

impl Repository {
    /// A repository with this playbook in one commit on `master`.
    pub fn with_playbook(playbook: &str) -> Self {
        let repository = Self(open_dir());
        repository.git(&["init", "--quiet", "--initial-branch=master"]);
        repository.commit("playbooks/site.yml", playbook);
        repository.commit("requirements.txt", REQUIREMENTS);
        repository
    }

    pub fn commit(&self, path: &str, text: &str) -> String {
        let path = self.0.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
        self.git(&["add", "--all"]);
        self.git(&["-c", "user.name=t", "-c", "user.email=t@example.com", "commit", "--quiet", "--message=x"]);
        self.git(&["rev-parse", "HEAD"])
    }

    pub fn git(&self, arguments: &[&str]) -> String {
        let output = Command::new("git").arg("-C").arg(self.0.path()).args(arguments).output().unwrap();
        assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    pub fn address(&self) -> String {
        self.0.path().display().to_string()
    }

    /// What to load for the playbook, in the run directory `dir`.
    pub fn load_spec(&self, dir: &Path) -> LoadSpec {
        load(&self.spec(dir))
    }

    /// A run of the playbook in `dir`, on an address without a machine.
    pub fn spec(&self, dir: &Path) -> RunSpec {
        RunSpec {
            dir: dir.to_owned(),
            source_repo: self.address(),
            commit: "master".to_owned(),
            playbook_path: "playbooks/site.yml".to_owned(),
            requirements: Requirements::File("requirements.txt".to_owned()),
            variables: variables(),
            target: Target {
                ssh: "127.0.0.2:22".parse().unwrap(),
                user: "root".to_owned(),
                private_key: "/nonexistent".into(),
                host_key: None,
                python: None,
            },
            line_timeout: Duration::from_secs(60),
            global_timeout: Duration::from_secs(120),
        }
    }
}

fn variables() -> Map<String, Value> {
    let output = Command::new("python3").args(["-c", "import sys; print(sys.executable)"]).output().unwrap();
    let python = String::from_utf8(output.stdout).unwrap().trim().to_owned();
    match json!({"ansible_python_interpreter": python, "EDXAPP_MYSQL_PASSWORD": SECRET}) {
        Value::Object(map) => map,
        other @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_)) => {
            panic!("{other}")
        }
    }
}

/// A play on localhost that gathers no facts.
pub fn local_play(tasks: &str) -> String {
    format!("- name: Test\n  hosts: app\n  connection: local\n  gather_facts: false\n  tasks:\n{tasks}")
}

/// A sink that keeps all lines; each batch is a transaction.
#[derive(Debug, Default)]
pub struct Taken {
    pub lines: Vec<SpoolLine>,
    pub position: SpoolPosition,
    pub largest_batch: usize,
}

impl Taken {
    pub fn texts(&self) -> Vec<&str> {
        self.lines.iter().map(|line| line.text.as_str()).collect()
    }

    pub fn count(&self, progress: TaskProgress) -> usize {
        self.lines.iter().filter(|line| line.progress == Some(progress)).count()
    }
}

#[async_trait]
impl SpoolSink for Taken {
    async fn take(&mut self, lines: Vec<SpoolLine>, position: SpoolPosition) -> Result<(), String> {
        self.largest_batch = self.largest_batch.max(lines.len());
        self.lines.extend(lines);
        self.position = position;
        Ok(())
    }
}

/// What to load for this run, in the run's own directory.
pub fn load(spec: &RunSpec) -> LoadSpec {
    LoadSpec {
        dir: spec.dir.clone(),
        source_repo: spec.source_repo.clone(),
        commit: spec.commit.clone(),
        playbook_path: spec.playbook_path.clone(),
        requirements: spec.requirements.clone(),
        variables: spec.variables.clone(),
    }
}

/// Prepares a run; gives its number of tasks.
pub async fn prepare(spec: &RunSpec) -> u32 {
    ansible().prepare(&load(spec), &mut Taken::default(), &CancellationToken::new()).await.unwrap()
}

/// The processes of a run: those whose environment or arguments name its directory.
pub fn processes_of(dir: &Path) -> Vec<String> {
    let needle = dir.to_str().unwrap();
    let names = |file: PathBuf| fs::read(file).is_ok_and(|bytes| String::from_utf8_lossy(&bytes).contains(needle));
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc").unwrap().flatten() {
        let path = entry.path();
        let is_process = entry.file_name().to_str().is_some_and(|name| name.parse::<u32>().is_ok());
        if is_process && (names(path.join("environ")) || names(path.join("cmdline"))) {
            found.push(arguments(&path));
        }
    }
    found
}

/// The arguments of every process of this host.
pub fn all_arguments() -> Vec<String> {
    let entries = fs::read_dir("/proc").unwrap().flatten();
    entries.map(|entry| arguments(&entry.path())).filter(|text| !text.is_empty()).collect()
}

fn arguments(process: &Path) -> String {
    String::from_utf8_lossy(&fs::read(process.join("cmdline")).unwrap_or_default()).replace('\0', " ")
}

/// Polls until the condition holds; gives the time that it took.
pub async fn until(what: &str, limit: Duration, mut is_so: impl FnMut() -> bool) -> Duration {
    let began = Instant::now();
    while !is_so() {
        assert!(began.elapsed() < limit, "not within {limit:?}: {what}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    began.elapsed()
}

/// A real sshd on a free port, with its own keys.
pub struct Sshd {
    child: Child,
    pub dir: TempDir,
    pub address: SocketAddr,
}

impl Sshd {
    pub async fn start() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str| dir.path().join(name).display().to_string();
        for name in ["host", "client"] {
            let status = Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-f", &path(name)]).status();
            assert!(status.unwrap().success());
        }
        let address = ports::reserved();
        let config = format!(
            "HostKey {}\nAuthorizedKeysFile {}\nPidFile none\nStrictModes no\nUsePAM no\nPermitRootLogin yes\n",
            path("host"),
            path("client.pub"),
        );
        fs::write(path("config"), config).unwrap();
        fs::create_dir_all("/run/sshd").unwrap();
        let mut command = Command::new("/usr/sbin/sshd");
        command.args(["-D", "-e", "-f", &path("config"), "-o", &format!("ListenAddress={address}")]);
        let child = command.stdin(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        until("sshd answers", Duration::from_secs(10), || TcpStream::connect(address).is_ok()).await;
        Self { child, dir, address }
    }

    /// The public key in a file that `ssh-keygen` made.
    pub fn public_key(&self, name: &str) -> String {
        fs::read_to_string(self.dir.path().join(name)).unwrap().trim().to_owned()
    }

    pub fn target(&self, host_key: Option<String>) -> Target {
        let private_key = fs::read_to_string(self.dir.path().join("client")).unwrap().into();
        Target { ssh: self.address, user: "root".to_owned(), private_key, host_key, python: None }
    }
}

impl Drop for Sshd {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

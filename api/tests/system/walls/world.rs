//! A host of the test's own: this test again, in new mount, network, IPC and host name namespaces, with what a manager
//! has. So attempts may be tried without a wall, and nothing of the real host is in their reach.

use std::fs::{self, File, Permissions};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use ocim::ansible::real::{AnsibleConfig, AnsibleCore};
use ocim::git::real::GitCli;
use ocim::git::sources::Sources;
use ocim::platform::sandbox::{RunLimits, Sandbox, SandboxSettings};
use tempfile::TempDir;

use super::attempts::{Attempt, Control, LOOT, PREAMBLE, assert_none};
use super::servers::{NETWORK, serve};
use crate::system::ansible::support::{self, Repository, local_play};
use crate::system::machines::yard::{is_root, run};

/// Says to the test that it is in its own world.
const MARK: &str = "OCIM_TEST_WALLS";
/// Users for runs, apart from those of other programs on this host.
const FIRST_UID: u32 = 1_900_020_000;
const UIDS: u32 = 20;

/// The host, its manager and what they have.
pub struct World {
    dir: TempDir,
    uids: std::ops::RangeInclusive<u32>,
    victim: Child,
    sacrifice: Child,
    segment: String,
    /// Those of the host, which may take them away meanwhile.
    mounts: Vec<String>,
}

/// Runs a test in a world of its own: starts itself again in there. `name` is the test's.
pub fn inside<F: Future<Output = ()>>(name: &str, body: impl FnOnce(World) -> F) {
    if std::env::var_os(MARK).is_some() {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        runtime.block_on(body(World::make()));
        return;
    }
    if !is_root() {
        return;
    }
    make_virtualenv();
    let mut command = Command::new("unshare");
    command.args(["--mount", "--net", "--ipc", "--uts", "--propagation", "private", "--", "timeout", "300"]);
    command.arg(std::env::current_exe().unwrap());
    command.args(["--exact", &format!("system::walls::{name}"), "--nocapture", "--test-threads=1"]);
    let agent = format!("{}/agent", std::env::temp_dir().display());
    command.env(MARK, "1").env("OCIM_SECRET_KEYS", LOOT).env("DATABASE_URL", LOOT).env("SSH_AUTH_SOCK", agent);
    let output = command.output().unwrap();
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    println!("{said}");
    assert!(output.status.success() && said.contains("1 passed"), "{name} fails in its own world: see above");
}

/// The virtualenv of the tests' requirements, once for all of them.
fn make_virtualenv() {
    static ONCE: std::sync::Once = std::sync::Once::new();
    ONCE.call_once(|| {
        let make = async {
            let (repository, dir) = (Repository::with_playbook(&local_play("    - meta: noop\n")), support_dir());
            support::prepare(&repository.spec(&dir.path().join("run"))).await;
        };
        let make = move || tokio::runtime::Runtime::new().unwrap().block_on(make);
        std::thread::spawn(make).join().unwrap();
    });
}

fn support_dir() -> TempDir {
    tempfile::tempdir().unwrap()
}

impl World {
    fn make() -> Self {
        let mounts = mounts().lines().map(str::to_owned).collect();
        run(Command::new("sh").args(["-c", NETWORK]));
        let dir = tempfile::tempdir().unwrap();
        let first = FIRST_UID + std::process::id() % 1000 * UIDS;
        let segment = run(Command::new("ipcmk").args(["-M", "4096", "-p", "0666"]));
        let segment = segment.trim().rsplit(' ').next().unwrap().to_owned();
        overlay(&support::config().cache_dir, dir.path());
        write(&dir.path().join("data/keys/secrets"));
        let (victim, sacrifice) = (sleeper(dir.path()), sleeper(dir.path()));
        let world = Self { dir, uids: first..=first + UIDS - 1, victim, sacrifice, segment, mounts };
        world.furnish();
        serve(&world.data(), &world.agent());
        world
    }

    /// The manager's data directory.
    pub fn data(&self) -> PathBuf {
        self.dir.path().join("data")
    }

    /// The directory of this run.
    pub fn run_dir(&self, name: &str) -> PathBuf {
        self.data().join("runs").join(name)
    }

    fn home(&self) -> PathBuf {
        self.dir.path().join("home")
    }

    fn cache() -> PathBuf {
        support::config().cache_dir
    }

    /// Writes what the attempts are after, as it was before any of them.
    fn furnish(&self) {
        for name in [
            "keys/secrets",
            "ssh/id_ed25519",
            "postgres/password",
            "postgres/superuser-password",
            "runs/7/variables.json",
            "runs/7/events",
        ] {
            write(&self.data().join(name));
        }
        write(&self.data().join("runs/7/checkout/file"));
        write(&self.home().join(".ssh/id_ed25519"));
        write(&Self::cache().join("venv/other/bin/ansible-playbook"));
        write(Path::new("/dev/shm/walls-loot"));
        fs::create_dir_all(Self::cache().join("git")).unwrap();
        fs::create_dir_all(Self::cache().join("wheels")).unwrap();
        fs::set_permissions(self.data(), Permissions::from_mode(0o700)).unwrap();
        fs::set_permissions(Path::new("/dev/shm/walls-loot"), Permissions::from_mode(0o644)).unwrap();
    }

    fn agent(&self) -> PathBuf {
        self.dir.path().join("agent.sock")
    }

    /// A script that makes the attempt in a run with this directory.
    pub fn script(&self, shell: &str, run_dir: &Path) -> String {
        let disk = fs::read_to_string("/proc/partitions").unwrap();
        let disk: Vec<_> = disk.lines().nth(2).unwrap_or("0 0 0 none").split_whitespace().collect();
        let first = fs::read_to_string("/proc/1/comm").unwrap();
        let mut text = PREAMBLE.to_owned();
        for (name, value) in [
            ("DATA", self.data().display().to_string()),
            ("MANAGERS_HOME", self.home().display().to_string()),
            ("CACHE", Self::cache().display().to_string()),
            ("RUN", run_dir.display().to_string()),
            ("AGENT", self.agent().display().to_string()),
            ("VICTIM", self.victim.id().to_string()),
            ("SACRIFICE", self.sacrifice.id().to_string()),
            ("SEGMENT", self.segment.clone()),
            ("DISK", disk[3].to_owned()),
            ("DISK_MAJOR", disk[0].to_owned()),
            ("DISK_MINOR", disk[1].to_owned()),
            ("FIRST", first.trim().to_owned()),
        ] {
            text.push_str(&format!("{name}='{value}'\n"));
        }
        text + shell + "\n"
    }

    /// What the script prints without the wall; none if this host cannot show it. Afterwards all is as before.
    pub fn without_wall(&mut self, attempt: &Attempt) -> Option<String> {
        let dir = self.run_dir("control");
        fs::create_dir_all(dir.join("work")).unwrap();
        let at = |shell: &str| {
            let mut command = Command::new("unshare");
            command.args(["--mount", "--propagation", "private"]);
            if attempt.control == Control::OwnProcesses {
                command.args(["--pid", "--fork", "--kill-child", "--mount-proc"]);
            }
            command.args(["--", "timeout", "20", "sh", "-c", &self.script(shell, &dir)]).current_dir(dir.join("work"));
            let output = command.env("HOME", dir.join("work")).stdin(Stdio::null()).output().unwrap();
            let said = [output.stdout, output.stderr].concat();
            (output.status.success(), String::from_utf8_lossy(&said).into_owned())
        };
        if let Control::If(condition) = attempt.control
            && !at(condition).0
        {
            println!("no control on this host, which lacks what it needs: {}", attempt.name);
            return None;
        }
        let said = at(attempt.shell).1;
        self.restore();
        Some(said)
    }

    /// Undoes what an attempt did without the wall.
    pub fn restore(&mut self) {
        if self.sacrifice.try_wait().unwrap().is_some() {
            self.sacrifice = sleeper(self.dir.path());
        }
        for path in ["wheels/evil-1.0-py3-none-any.whl", "galaxy/evil", "git/evil"] {
            let _ = fs::remove_file(Self::cache().join(path));
        }
        let _ = fs::remove_dir_all(self.run_dir("control"));
        self.furnish();
    }

    /// The sandbox of this world.
    pub fn sandbox(&self, is_off: bool, limits: RunLimits) -> Arc<Sandbox> {
        let settings = SandboxSettings::new(Self::cache().join("sandbox"));
        Arc::new(Sandbox::new(SandboxSettings { is_off, uids: self.uids.clone(), limits, ..settings }))
    }

    /// The real Ansible with this sandbox, for repositories anywhere.
    pub fn ansible(&self, is_off: bool, limits: RunLimits) -> AnsibleCore {
        self.ansible_from(&["/"], is_off, limits)
    }

    /// The real Ansible with this sandbox, for repositories of these sources.
    pub fn ansible_from(&self, sources: &[&str], is_off: bool, limits: RunLimits) -> AnsibleCore {
        let sandbox = self.sandbox(is_off, limits);
        let config = AnsibleConfig { sandbox: sandbox.clone(), ..support::config() };
        let sources = Sources::new(sources.iter().copied(), Vec::new()).unwrap();
        AnsibleCore::new(config, Arc::new(GitCli::public(Self::cache(), sources, sandbox)))
    }

    /// All that a run might have changed or left, apart from its own directory: contents and owners of the manager's
    /// files, set-uid files anywhere, mounts, interfaces, control groups, and processes of runs.
    pub fn state(&mut self) -> Vec<String> {
        assert!(self.victim.try_wait().unwrap().is_none(), "the victim was ended");
        assert!(self.sacrifice.try_wait().unwrap().is_none(), "a process of the manager was ended");
        let mut state = Vec::new();
        // Of the shared cache what this world has written: the tests beside it use the cache, too.
        let wheels = self.dir.path().join("overlay/upper/wheels");
        for root in [self.data(), self.home(), Self::cache().join("venv/other"), wheels] {
            list(&root, &mut state);
        }
        for file in [Self::cache().join("git/evil"), Self::cache().join("galaxy/evil"), PathBuf::from("/run/evil")] {
            assert!(!file.exists(), "{} was written", file.display());
        }
        let mut add = |what: &str, rows: String| state.extend(rows.lines().map(|row| format!("{what}: {row}")));
        let shell = |script: &str| run(Command::new("sh").args(["-c", script]));
        add("set-uid file", shell(&format!("find '{}' -perm /6000 -type f", self.dir.path().display())));
        let own = |row: &&str| !self.mounts.iter().any(|mount| mount == row);
        add("mount", mounts().lines().filter(own).collect::<Vec<_>>().join("\n"));
        add("address", run(Command::new("ip").args(["-o", "address"])));
        add("process of a run", self.processes());
        let groups = shell("find /sys/fs/cgroup -maxdepth 4 -type d -name 'run-*'");
        let own = |line: &&str| self.uids.clone().any(|uid| line.contains(&uid.to_string()));
        add("control group", groups.lines().filter(own).collect::<Vec<_>>().join("\n"));
        state
    }

    /// Fails with what is not as it was.
    pub fn assert_is_still(&mut self, before: &[String]) {
        let now = self.state();
        let gone = before.iter().filter(|row| !now.contains(row)).map(|row| format!("- {row}"));
        let new = now.iter().filter(|row| !before.contains(row)).map(|row| format!("+ {row}"));
        assert_none("not as before", &gone.chain(new).collect::<Vec<_>>());
    }

    /// The processes of this world's runs, after a moment for what is ending. One that has ended, and that the first
    /// process of the host has not taken note of yet, is none.
    fn processes(&self) -> String {
        let (first, last) = (self.uids.start(), self.uids.end());
        let condition = format!("$1 >= {first} && $1 <= {last} && $2 !~ /^Z/");
        let script = format!("ps -e -o uid= -o stat= -o args= | awk '{condition}'");
        for _ in 0..20 {
            if run(Command::new("sh").args(["-c", &script])).is_empty() {
                return String::new();
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        run(Command::new("sh").args(["-c", &script]))
    }
}

impl Drop for World {
    fn drop(&mut self) {
        for child in [&mut self.victim, &mut self.sacrifice] {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

fn mounts() -> String {
    fs::read_to_string("/proc/self/mountinfo").unwrap()
}

/// Lets this world write to the shared cache without changing it.
fn overlay(cache: &Path, dir: &Path) {
    for name in ["upper", "work"] {
        fs::create_dir_all(dir.join("overlay").join(name)).unwrap();
    }
    let at = dir.join("overlay").display().to_string();
    let options = format!("lowerdir={},upperdir={at}/upper,workdir={at}/work", cache.display());
    run(Command::new("mount").args(["-t", "overlay", "overlay", "-o", &options]).arg(cache));
}

fn write(path: &Path) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    let mut file = File::create(path).unwrap();
    file.write_all(LOOT.as_bytes()).unwrap();
    file.set_permissions(Permissions::from_mode(0o600)).unwrap();
}

/// A process of the manager: works in its data directory, with a secret file open.
fn sleeper(dir: &Path) -> Child {
    let keys = File::open(dir.join("data/keys/secrets")).unwrap();
    Command::new("sleep").arg("1000").current_dir(dir.join("data")).stdin(keys).spawn().unwrap()
}

/// Paths, owners, modes and contents.
fn list(path: &Path, found: &mut Vec<String>) {
    use std::os::unix::fs::MetadataExt as _;
    // Runs write into their own directories.
    if path.parent().is_some_and(|parent| parent.ends_with("data/runs")) && !path.ends_with("7") {
        return;
    }
    let Ok(data) = path.symlink_metadata() else { return };
    let mut content = Vec::new();
    if data.is_file() {
        File::open(path).unwrap().take(4096).read_to_end(&mut content).unwrap();
    }
    let content = String::from_utf8_lossy(&content).into_owned();
    found.push(format!("{} {:o} {}:{} {content}", path.display(), data.mode(), data.uid(), data.gid()));
    if data.is_dir() {
        let mut entries: Vec<_> = fs::read_dir(path).unwrap().flatten().map(|entry| entry.path()).collect();
        entries.sort();
        entries.iter().for_each(|entry| list(entry, found));
    }
}

//! A PostgreSQL on another host: in a network namespace that local machines may reach, as they may not reach this host.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use crate::app::until_within;
use crate::system::machines::yard::run;
use crate::system::resources::postgresql::Postgres;
use crate::system::resources::{Running, START};

/// The network between this host and the other one, which the settings name.
pub const NETWORK: &str = "10.214.77.0/30";
const HERE: &str = "10.214.77.1";
const THERE: &str = "10.214.77.2";
/// Names of interfaces that begin with `ocim` are those of machines, which reach none of each other.
const NAMESPACE: &str = "data-elsewhere";
const PORT: u16 = 5432;
const PASSWORD: &str = "seven-otters";

/// The other host with its server. Both end when this is dropped.
pub struct Elsewhere {
    pub postgres: Postgres,
    _server: Running,
    _dir: tempfile::TempDir,
    _network: Network,
}

impl Elsewhere {
    pub async fn start() -> Self {
        let network = Network::make();
        let dir = tempfile::tempdir().unwrap();
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let (data, password) = (dir.path().join("data"), dir.path().join("password"));
        fs::create_dir(&data).unwrap();
        fs::write(&password, PASSWORD).unwrap();
        run(Command::new("chown").arg("postgres:").args([&data, &password]));
        let programs = run(Command::new("pg_config").arg("--bindir"));
        let program = |name: &str| Path::new(programs.trim()).join(name).to_string_lossy().into_owned();
        let mut initdb = Command::new("setpriv");
        initdb.args(AS_POSTGRES).arg(program("initdb")).args([
            "--username=root_of_data",
            "--auth=scram-sha-256",
            "--no-sync",
        ]);
        run(initdb.arg("--pgdata").arg(&data).arg("--pwfile").arg(&password).current_dir(dir.path()));
        let rules = data.join("pg_hba.conf");
        let more = format!("{}host all all {HERE}/32 scram-sha-256\n", fs::read_to_string(&rules).unwrap());
        fs::write(&rules, more).unwrap();
        let (data, listens) = (data.to_string_lossy().into_owned(), format!("listen_addresses={THERE}"));
        let server = program("postgres");
        let mut arguments = vec!["netns", "exec", NAMESPACE, "setpriv"];
        arguments.extend(AS_POSTGRES);
        arguments.extend([
            server.as_str(),
            "-D",
            &data,
            "-c",
            &listens,
            "-c",
            "unix_socket_directories=",
            "-c",
            "fsync=off",
        ]);
        let server = Running::start("ip", &arguments);
        let listens = async || tokio::net::TcpStream::connect((THERE, PORT)).await.is_ok();
        until_within(START, "the server listens", listens).await;
        let url = format!("postgresql://root_of_data:{PASSWORD}@{THERE}:{PORT}/postgres").parse().unwrap();
        Self { postgres: Postgres::at(url), _server: server, _dir: dir, _network: network }
    }

    /// The table of the settings file.
    pub fn table(&self) -> String {
        format!("{}tls = false\ndefault = true\n", self.postgres.table())
    }
}

const AS_POSTGRES: [&str; 3] = ["--reuid=postgres", "--regid=postgres", "--clear-groups"];

/// A namespace with a link to this host.
struct Network;

impl Network {
    fn make() -> Self {
        // What a test that was killed has left.
        drop(Self);
        let script = format!(
            "set -e
             ip netns add {NAMESPACE}
             ip link add {NAMESPACE} type veth peer name data netns {NAMESPACE}
             ip address add {HERE}/30 dev {NAMESPACE}
             ip link set {NAMESPACE} up
             ip -n {NAMESPACE} link set lo up
             ip -n {NAMESPACE} address add {THERE}/30 dev data
             ip -n {NAMESPACE} link set data up"
        );
        run(Command::new("sh").args(["-c", &script]));
        Self
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        let _ = Command::new("ip").args(["link", "delete", NAMESPACE]).output();
        let _ = Command::new("ip").args(["netns", "delete", NAMESPACE]).output();
    }
}

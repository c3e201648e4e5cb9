//! Databases and buckets at real servers on loopback, started by the test that needs them: MariaDB, PostgreSQL, Redis, Swift with its
//! interface of S3, and moto, which also has what that lacks. `make test-resources`.

mod away;
mod contract;
mod life;
pub(super) mod mariadb;
pub(super) mod moto;
pub(super) mod objects;
pub(super) mod postgresql;
mod redis;
mod s3;
mod stores;
mod strangers;
pub(super) mod swift;

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use ocim::config::Settings;
use ocim::resources::registry::Servers;
use ocim::resources::server::{Account, ResourceServer};

use crate::app::{ports, until_within};

/// How long a server may take to start on a busy machine.
const START: Duration = Duration::from_secs(60);

/// A program that ends with the test, however that ends.
struct Running(Child);

impl Running {
    fn start(program: &str, arguments: &[&str]) -> Self {
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL", program]).args(arguments).stdin(Stdio::null());
        Self(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A port of loopback that no other program gets.
fn free_port() -> u16 {
    ports::reserved().port()
}

/// A client of HTTP.
fn client() -> reqwest::Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().no_proxy().build().unwrap()
}

async fn until_listens(port: u16) {
    let listens = async || tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_ok();
    until_within(START, "the server listens", listens).await;
}

/// Runs a program to its end.
pub(super) fn run(program: &str, arguments: &[&str]) {
    let output = Command::new(program).args(arguments).stdin(Stdio::null()).output().unwrap();
    assert!(
        output.status.success(),
        "{program}: {}",
        String::from_utf8_lossy(&[output.stdout, output.stderr].concat())
    );
}

/// Makes an authority (`ca.pem`), and a certificate of it for `localhost` (`server.pem`, `server.key`).
pub(super) fn certificates(dir: &Path) {
    std::fs::write(dir.join("names"), "subjectAltName=DNS:localhost\nbasicConstraints=CA:FALSE\n").unwrap();
    let openssl = |arguments: &str| {
        let ran = Command::new("openssl").current_dir(dir).args(arguments.split(' ')).stderr(Stdio::null()).status();
        assert!(ran.unwrap().success(), "openssl {arguments}");
    };
    openssl("req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.pem -days 2 -subj /CN=authority");
    openssl("req -new -newkey rsa:2048 -nodes -keyout server.key -out server.csr -subj /CN=server");
    openssl("x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile names -out server.pem");
}

/// The servers of a settings file with these tables.
pub(super) fn servers(tables: &str) -> Servers {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("ocim.toml");
    std::fs::write(&file, tables).unwrap();
    let variables = [("OCIM_CONFIG", file.to_str().unwrap()), ("OCIM_PROVIDER", "local")];
    ocim::start::servers(&Settings::of(variables, &[]).unwrap()).unwrap()
}

/// The only server of these.
pub(super) fn only(servers: &Servers) -> std::sync::Arc<dyn ResourceServer> {
    servers.iter().next().unwrap().server.clone()
}

pub(super) fn account(username: &str, password: &str) -> Account {
    Account { username: username.to_owned(), password: password.to_owned().into() }
}

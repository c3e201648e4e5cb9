//! knot as the primary and as the secondary server of a zone. The secondary is not notified, so that it is late until the
//! test refreshes it.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ocim::dns::Resolver;
use tokio::net::TcpStream;

use super::ZONE;
use crate::app::{ports, until_within};

/// The secret of the key `ocim`.
pub(super) const SECRET: &[u8] = b"a secret of thirty-two bytes, ok";
/// The secret of the key `reader`, which may transfer the zone and change nothing.
pub(super) const READERS: &[u8] = b"another one of thirty-two bytes.";

/// What the zone has at the start.
const RECORDS: &str = "\
@ 60 SOA ns1 admin 1 86400 86400 864000 60
@ 60 NS ns1
@ 60 NS ns2
ns1 60 A 127.0.0.1
ns2 60 A 127.0.0.2
foreign 60 A 198.51.100.7
shared 60 A 198.51.100.8
_ocim.shared 60 TXT \"heritage=ocim,installation=other,instance=1\"
*.wild 60 A 192.0.2.1
*.wild 60 AAAA 2001:db8::1
texts 60 TXT \"v=spf1 -all\"
";

/// Both servers, on one port of two addresses of loopback. They end with the test.
pub(super) struct Knot {
    port: u16,
    dir: tempfile::TempDir,
    running: Vec<Child>,
}

impl Knot {
    /// Starts the primary server alone; the other one's address is silent.
    pub(super) async fn primary_only() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut knot = Self { port: ports::reserved().port(), dir, running: Vec::new() };
        std::fs::write(knot.dir.path().join("zone"), RECORDS).unwrap();
        let zone = "acl: [update, read, second]\n    file: ../zone\n    zonefile-load: difference-no-serial\n    journal-content: all";
        knot.start("primary", "127.0.0.1", zone).await;
        knot
    }

    /// Starts both, and waits until the secondary has the zone.
    pub(super) async fn start_both() -> Self {
        let mut knot = Self::primary_only().await;
        let zone = "master: primary\n    acl: [read]\n    zonefile-sync: -1";
        knot.start("secondary", "127.0.0.2", zone).await;
        knot.until_synced().await;
        knot
    }

    pub(super) fn primary(&self) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], self.port))
    }

    /// A resolver that knows the zone, with this port for the authoritative servers.
    pub(super) fn resolver(&self) -> Arc<Resolver> {
        Arc::new(Resolver::new(Some(self.primary())).with_port(self.port))
    }

    /// Has the secondary fetch the zone, and waits until it has.
    pub(super) async fn refresh(&self) {
        let output = self.knotc("secondary", &["zone-retransfer", ZONE]);
        assert!(output.contains("OK"), "{output}");
        self.until_synced().await;
    }

    /// The serial number of the zone at a server; none: it has none yet.
    pub(super) fn serial(&self, server: &str) -> Option<String> {
        let output = self.knotc(server, &["zone-read", ZONE, "@", "SOA"]);
        output.split_whitespace().rev().nth(4).map(str::to_owned)
    }

    /// Every record of the zone at the primary, sorted, but for the SOA record.
    pub(super) fn records(&self) -> Vec<String> {
        let output = self.knotc("primary", &["zone-read", ZONE]);
        let mut lines: Vec<_> = output.lines().filter(|line| !line.contains(" SOA ")).map(str::to_owned).collect();
        lines.sort();
        lines
    }

    async fn until_synced(&self) {
        let is_synced = async || {
            let (primary, secondary) = (self.serial("primary"), self.serial("secondary"));
            primary.is_some() && primary == secondary
        };
        until_within(Duration::from_secs(30), "the secondary has the zone", is_synced).await;
    }

    fn knotc(&self, server: &str, arguments: &[&str]) -> String {
        let config = self.dir.path().join(server).join("knot.conf");
        let output = Command::new(program("knotc")).arg("-c").arg(config).args(arguments).output().unwrap();
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
    }

    async fn start(&mut self, name: &str, address: &str, zone: &str) {
        let dir = self.dir.path().join(name);
        std::fs::create_dir(&dir).unwrap();
        let config = self.config(&dir, address, zone);
        std::fs::write(dir.join("knot.conf"), config).unwrap();
        let log = std::fs::File::create(dir.join("log")).unwrap();
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL"]).arg(program("knotd")).arg("-c").arg(dir.join("knot.conf"));
        command.stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log);
        self.running.push(command.spawn().unwrap());
        let at = format!("{address}:{}", self.port);
        let listens = async || TcpStream::connect(&at).await.is_ok();
        until_within(Duration::from_secs(30), "knot listens", listens).await;
        if name == "primary" {
            let has_zone = async || self.serial("primary").is_some();
            until_within(Duration::from_secs(30), "knot has the zone", has_zone).await;
        }
    }

    fn config(&self, dir: &Path, address: &str, zone: &str) -> String {
        let (port, dir) = (self.port, dir.display());
        let (secret, readers) = (STANDARD.encode(SECRET), STANDARD.encode(READERS));
        format!(
            "server:\n    rundir: {dir}\n    listen: {address}@{port}\n    udp-workers: 1\n    tcp-workers: 1\n    background-workers: 1\n\
             log:\n  - target: stderr\n    any: info\n\
             database:\n    storage: {dir}\n    journal-db-max-size: 8M\n    kasp-db-max-size: 5M\n    timer-db-max-size: 1M\n\
             key:\n  - id: ocim\n    algorithm: hmac-sha256\n    secret: {secret}\n  - id: reader\n    algorithm: hmac-sha256\n    secret: {readers}\n\
             remote:\n  - id: primary\n    address: 127.0.0.1@{port}\n    via: 127.0.0.2\n\
             acl:\n  - id: update\n    key: ocim\n    action: [update, transfer]\n  - id: read\n    key: reader\n    action: transfer\n\
             \x20 - id: second\n    address: 127.0.0.2\n    action: transfer\n\
             zone:\n  - domain: {ZONE}\n    storage: {dir}\n    {zone}\n"
        )
    }
}

impl Drop for Knot {
    fn drop(&mut self) {
        for child in &mut self.running {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// Debian's servers are not in every user's PATH.
fn program(name: &str) -> PathBuf {
    let path = Path::new("/usr/sbin").join(name);
    if path.exists() { path } else { name.into() }
}

//! A host of the test's own: this test again, in new mount and network namespaces, with a default route that leads into a
//! third namespace, “the internet”. Nothing of the real host's network is changed.

use std::io::{BufRead as _, BufReader};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::system::machines::yard::{is_root, run};

/// Says to the test that it is in its own world.
const MARK: &str = "OCIM_TEST_OUTBOUND";

/// This host's own address.
pub const HOST: &str = "203.0.113.2";
/// The server of the package repositories, and the name server.
pub const PACKAGES: &str = "198.51.100.10";
const RESOLVER: &str = "198.51.100.53";
/// A server in a private network, and another one in the same network.
pub const PRIVATE: &str = "10.99.0.5";
/// Servers that machines never reach, although this host does.
pub const CLOSED: &[&str] = &[
    PRIVATE,
    "192.168.77.5",
    "172.20.0.5",
    "100.64.0.5",
    "100.100.100.200",
    "168.63.129.16",
    "169.254.169.254",
    "169.254.7.7",
    "192.0.0.192",
    "198.18.0.5",
    "2001:db8:88::1",
    "fd00:ec2::254",
];

/// Locks and control groups stay those of the real host: with it, this one has its subnets and processes in common.
const NETWORK: &str = "
set -e
mount -t tmpfs tmpfs /mnt
mkdir -p /mnt/lock /mnt/cgroup /run/lock
mount --bind /run/lock /mnt/lock
mount --rbind /sys/fs/cgroup /mnt/cgroup
mount -t sysfs sysfs /sys
mount --move /mnt/cgroup /sys/fs/cgroup
mount -t tmpfs tmpfs /run
mkdir /run/lock /run/netns
mount --move /mnt/lock /run/lock
umount /mnt
# New namespaces begin with the real host's parameters, and that may be a router.
echo 0 >/proc/sys/net/ipv4/ip_forward
ip link set lo up
ip netns add internet
ip link add uplink type veth peer name host netns internet
ip address add 203.0.113.2/24 dev uplink
ip -6 address add 2001:db8:77::2/64 dev uplink nodad
ip link set uplink up
ip -n internet link set lo up
ip -n internet address add 203.0.113.1/24 dev host
ip -n internet -6 address add 2001:db8:77::1/64 dev host nodad
ip -n internet link set host up
ip route add default via 203.0.113.1
ip -6 route add default via 2001:db8:77::1
";

/// The other networks, and what serves them.
pub struct World {
    pub dir: tempfile::TempDir,
    servers: Child,
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
    let mut command = Command::new("unshare");
    command.args(["--mount", "--net", "--propagation", "private", "--", "timeout", "300"]);
    command.arg(std::env::current_exe().unwrap());
    command.args(["--exact", &format!("system::machines::outbound::{name}"), "--nocapture", "--test-threads=1"]);
    let output = command.env(MARK, "1").output().unwrap();
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    println!("{said}");
    assert!(output.status.success() && said.contains("1 passed"), "{name} fails in its own world: see above");
}

impl World {
    fn make() -> Self {
        let dir = tempfile::tempdir().unwrap();
        run(Command::new("sh").args(["-c", NETWORK]));
        for address in [&[PACKAGES, RESOLVER], CLOSED].concat() {
            let prefix = if address.contains(':') { "128" } else { "32" };
            run(Command::new("ip").args([
                "-n",
                "internet",
                "address",
                "add",
                &format!("{address}/{prefix}"),
                "dev",
                "lo",
            ]));
        }
        let web = dir.path().join("web");
        let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/system/machines/outbound");
        run(Command::new("sh").arg(scripts.join("repositories.sh")).arg(&web));
        let mut servers = Command::new("ip")
            .args(["netns", "exec", "internet", "python3"])
            .arg(scripts.join("internet.py"))
            .arg(&web)
            .args([RESOLVER, PACKAGES])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(servers.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert_eq!(line, "ready\n", "the servers of the other networks");
        let world = Self { dir, servers };
        world.name_servers(&[RESOLVER]);
        world
    }

    /// Sets this host's name servers.
    pub fn name_servers(&self, addresses: &[&str]) {
        let text: String = addresses.iter().map(|address| format!("nameserver {address}\n")).collect();
        let file = self.dir.path().join("resolv.conf");
        std::fs::write(&file, text).unwrap();
        run(Command::new("mount").arg("--bind").arg(file).arg(Path::new("/etc/resolv.conf").canonicalize().unwrap()));
    }

    /// Puts a file in the place of another, for this world; [`Self::unhide`] takes it away.
    pub fn hide(&self, path: &str, by: &str) {
        run(Command::new("mount").args(["--bind", by]).arg(Path::new(path).canonicalize().unwrap()));
    }

    pub fn unhide(&self, path: &str) {
        run(Command::new("umount").arg(Path::new(path).canonicalize().unwrap()));
    }
}

impl Drop for World {
    fn drop(&mut self) {
        let _ = self.servers.kill();
        let _ = self.servers.wait();
    }
}

/// Whether this host can connect.
pub fn host_reaches(address: &str, port: u16) -> bool {
    let to = SocketAddr::new(address.parse().unwrap(), port);
    TcpStream::connect_timeout(&to, Duration::from_secs(2)).is_ok()
}

/// Whether a program in a network namespace can connect.
pub fn reaches_from(namespace: &str, address: &str, port: u16) -> bool {
    let script = format!("timeout 2 bash -c 'echo >/dev/tcp/{address}/{port}'");
    let output = Command::new("ip").args(["netns", "exec", namespace, "sh", "-c", &script]).output().unwrap();
    output.status.success()
}

/// The kernel's parameter for forwarding of an interface.
pub fn forwarding(interface: &str) -> String {
    let path = format!("/proc/sys/net/ipv4/conf/{interface}/forwarding");
    std::fs::read_to_string(path).unwrap().trim().to_owned()
}

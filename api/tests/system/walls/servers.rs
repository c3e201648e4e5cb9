//! The networks of a test's world, and the servers in them.

use std::fs::{self, Permissions};
use std::net::{TcpListener, UdpSocket};
use std::os::linux::net::SocketAddrExt as _;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::{SocketAddr, UnixListener};
use std::path::{Path, PathBuf};
use std::process::Command;

use super::attempts::LOOT;
use crate::system::machines::yard::run;

/// The only server that a run may reach.
pub const MACHINE: &str = "10.213.0.7:22";

/// Wires to nowhere: their addresses are the host's own, so that servers on them answer. The locks of the
/// runs' users stay those of the real host.
pub const NETWORK: &str = "
set -e
ip link set lo up
wire() { NAME=$1; ip link add $1 type veth peer name $1-far; ready $1; ready $1-far; }
ready() { ip link set $1 addrgenmode none; ip link set $1 up; }
address() { ip address add $1 dev $NAME $2; }
wire uplink
address 203.0.113.10/24; address 2001:db8:77::10/64 nodad; address fe80::77/64 nodad
ip route add default via 203.0.113.1; ip -6 route add default via 2001:db8:77::1
wire second; address 198.51.100.10/24; address 2001:db8:88::10/64 nodad
wire metadata; address 169.254.169.254/32
wire machines; address 10.213.0.7/24; address 10.213.0.9/24
wire office; address 192.168.77.5/24; address fd00:77::5/64 nodad
mkdir -p -m 700 /run/ocim-sandbox
mount -t tmpfs -o mode=1777 tmpfs /dev/shm
mkdir /dev/shm/kept; mount --bind /run/ocim-sandbox /dev/shm/kept
mount -t tmpfs tmpfs /run; mkdir -m 700 /run/ocim-sandbox; mount --move /dev/shm/kept /run/ocim-sandbox; rmdir /dev/shm/kept
";

/// Where servers listen; the link-local address has its interface's number.
const SERVERS: &[&str] = &[
    "127.0.0.1:5000",
    "127.8.8.8:5000",
    "[::1]:5000",
    "127.0.0.1:5432",
    "203.0.113.10:5001",
    "198.51.100.10:5001",
    "[2001:db8:88::10]:5001",
    "169.254.169.254:80",
    "10.213.0.9:22",
    MACHINE,
    "10.213.0.7:80",
    "192.168.77.5:8000",
    "[fd00:77::5]:8000",
];

/// Starts the servers; each gives the loot to everyone who connects.
pub fn serve(data: &Path, agent: &Path) {
    let uplink = run(Command::new("ip").args(["-o", "link", "show", "uplink"]));
    let link_local = format!("[fe80::77%{}]:8000", uplink.split(':').next().unwrap());
    for address in SERVERS.iter().copied().chain([link_local.as_str()]) {
        let listener = TcpListener::bind(address).unwrap_or_else(|error| panic!("{address}: {error}"));
        std::thread::spawn(move || listener.incoming().flatten().for_each(|mut guest| tell(&mut guest)));
    }
    fs::create_dir_all(data.join("gateway")).unwrap();
    let (postgres, gateway) = (data.join("postgres/.s.PGSQL.5432"), data.join("gateway/admin.sock"));
    for path in [postgres, gateway, agent.to_owned(), PathBuf::from("/run/docker.sock")] {
        let listener = UnixListener::bind(&path).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(0o666)).unwrap();
        serve_local(listener);
    }
    serve_local(UnixListener::bind_addr(&SocketAddr::from_abstract_name("walls-abstract").unwrap()).unwrap());
    let socket = UdpSocket::bind("10.213.0.9:53").unwrap();
    std::thread::spawn(move || {
        let mut bytes = [0; 16];
        while let Ok((_, guest)) = socket.recv_from(&mut bytes) {
            socket.send_to(LOOT.as_bytes(), guest).unwrap();
        }
    });
}

fn tell(guest: &mut impl std::io::Write) {
    // The guest may be gone already.
    let _ = guest.write_all(LOOT.as_bytes());
}

fn serve_local(listener: UnixListener) {
    std::thread::spawn(move || listener.incoming().flatten().for_each(|mut guest| tell(&mut guest)));
}

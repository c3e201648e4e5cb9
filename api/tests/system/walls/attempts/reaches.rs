//! Servers of the host and of its networks. Each answers every connection with the loot.

use super::{Attempt, Kind};

const fn reaches(name: &'static str, shell: &'static str) -> Attempt {
    Attempt::new(Kind::Reaches, name, shell)
}

pub(super) const REACHES: &[Attempt] = &[
    reaches("API on the loopback interface", "tcp 127.0.0.1 5000"),
    reaches("API on the loopback interface by IPv6", "tcp ::1 5000"),
    reaches("API by another loopback address", "tcp 127.8.8.8 5000"),
    reaches("API by the address of no host", "tcp 0.0.0.0 5000"),
    reaches("API by a mapped address", "tcp ::ffff:127.0.0.1 5000"),
    reaches("API on the public address of the host", "tcp 203.0.113.10 5001"),
    reaches("API on a second public address of the host", "tcp 198.51.100.10 5001"),
    reaches("API on a public IPv6 address of the host", "tcp 2001:db8:88::10 5001"),
    reaches("port of Postgres", "tcp 127.0.0.1 5432"),
    reaches("socket of Postgres", r#"local_socket "$DATA/postgres/.s.PGSQL.5432""#),
    reaches("admin socket of the gateway", r#"local_socket "$DATA/gateway/admin.sock""#),
    reaches("socket of Docker", "local_socket /run/docker.sock"),
    reaches("agent of the manager", r#"local_socket "$AGENT""#),
    reaches("abstract socket", "local_socket @walls-abstract"),
    reaches("metadata of a cloud", "tcp 169.254.169.254 80"),
    reaches("metadata of a cloud by a mapped address", "tcp ::ffff:169.254.169.254 80"),
    reaches("port of another machine", "tcp 10.213.0.9 22"),
    reaches("datagrams of another machine", "udp 10.213.0.9 53"),
    reaches("another port of its own machine", "tcp 10.213.0.7 80"),
    reaches("private network", "tcp 192.168.77.5 8000"),
    reaches("private network of IPv6", "tcp fd00:77::5 8000"),
    reaches(
        "link-local address of IPv6",
        r#"timeout 5 python3 -c '
import socket
for number, name in socket.if_nameindex():
    try:
        s = socket.socket(socket.AF_INET6); s.settimeout(0.3); s.connect(("fe80::77", 8000, 0, number))
        print(s.recv(99).decode())
    except OSError as error: print(name, error)'"#,
    ),
];

//! Addresses for programs that a test starts.

use std::net::{Ipv4Addr, TcpListener};

/// An address and a port that stay free until the program takes them: no other test process uses this loopback address, and
/// no connection comes from it.
pub fn own_address() -> String {
    let [a, b, c, _] = std::process::id().to_le_bytes();
    let address = Ipv4Addr::new(127, 64 + (c & 63), b, a);
    TcpListener::bind((address, 0)).unwrap().local_addr().unwrap().to_string()
}

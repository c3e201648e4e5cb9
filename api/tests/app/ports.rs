//! Ports for programs that a test starts.

use std::net::SocketAddr;
use std::sync::{Mutex, PoisonError};

use tokio::net::TcpSocket;

/// Sockets that keep ports from other programs while the tests run.
static RESERVED: Mutex<Vec<TcpSocket>> = Mutex::new(Vec::new());

/// A free address of loopback for a program that listens with `SO_REUSEADDR`, as servers do. No other test and no outgoing
/// connection gets its port: a socket that does not listen stays bound to it.
pub fn reserved() -> SocketAddr {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_reuseaddr(true).unwrap();
    socket.bind(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
    let address = socket.local_addr().unwrap();
    RESERVED.lock().unwrap_or_else(PoisonError::into_inner).push(socket);
    address
}

//! Networks: the loopback interface of this host, private and link-local addresses.

use std::io::Write as _;
use std::net::TcpListener;

use ocim::platform::sandbox::Network;

use super::{attempt, bare, behind, connect};

/// Says hello to everybody who connects; gives its port.
fn greeter() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let _ = stream.and_then(|mut stream| stream.write_all(b"hello"));
        }
    });
    port
}

#[tokio::test]
async fn the_loopback_interface_of_this_host_is_not_that_of_a_run() {
    let port = greeter();
    attempt(&connect("127.0.0.1", port), &bare().reach(Network::Public)).await;
    attempt(&connect("127.0.0.1", port), &bare()).await;
}

#[tokio::test]
async fn of_this_host_a_run_reaches_the_port_of_its_machine_alone() {
    let (own, other) = (greeter(), greeter());
    let wall = bare().reach(Network::Machine(([127, 0, 0, 1], own).into()));
    let ended = behind(&connect("127.0.0.1", own), &wall).await;
    assert!(ended.success && ended.said.contains("hello"), "{ended:?}");
    attempt(&connect("127.0.0.1", other), &wall).await;
}

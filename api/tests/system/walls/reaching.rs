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

#[tokio::test]
async fn private_and_link_local_addresses_are_refused_at_once() {
    for address in ["169.254.169.254", "10.1.2.3", "172.16.1.1", "192.168.1.1", "100.64.0.1"] {
        let script = format!("bash -c 'exec 3<>/dev/tcp/{address}/80'");
        let began = std::time::Instant::now();
        let ended = behind(&script, &bare().reach(Network::Public)).await;
        assert!(!ended.success, "{address}: {ended:?}");
        assert!(began.elapsed().as_secs() < 10, "{address} was waited for: {:?}", began.elapsed());
    }
}

#[tokio::test]
async fn a_run_cannot_change_the_rules_of_its_network() {
    for script in [
        "nft flush ruleset",
        "ip link add x type dummy",
        "unshare --user true",
        "unshare --net true",
        "mount -t tmpfs x /tmp",
    ] {
        let ended = behind(&format!("PATH=$PATH:/usr/sbin:/sbin; {script}"), &bare().reach(Network::Public)).await;
        assert!(!ended.success, "{script}: {ended:?}");
    }
}

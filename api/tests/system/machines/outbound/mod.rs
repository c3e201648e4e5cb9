//! The way out of local machines: what it opens, what stays closed, and that it is confined or refused.

mod world;

use std::net::TcpListener;
use std::process::{Command, Stdio};
use std::time::Duration;

use ocim::machines::provider::{Machine, Provider};
use ocim::machines::providers::local::{LocalConfig, LocalProvider, Outbound};
use shared_types::system::Protection;

use self::world::{CLOSED, HOST, PACKAGES, PRIVATE, World, forwarding, host_reaches, inside, reaches_from};
use super::yard::{Yard, mark_of, reference, run, traces};

const APT: &str = "
set -e
rm -rf /etc/apt/sources.list /etc/apt/sources.list.d/*
echo 'deb [trusted=yes] http://packages.example/apt ./' >/etc/apt/sources.list
apt-get -q -o Acquire::Retries=0 -o Acquire::http::Timeout=5 update
apt-get -q -o Acquire::Retries=0 -o Acquire::http::Timeout=5 -y install hello-outbound
hello-outbound
";
const PIP: &str = "
set -e
python3 -m venv /tmp/environment
/tmp/environment/bin/pip install --disable-pip-version-check --retries 0 --timeout 5 \\
    --index-url http://packages.example/pip --trusted-host packages.example hello-outbound
/tmp/environment/bin/python -m hello_outbound
";

async fn open(yard: &Yard, outbound: Option<Outbound>) -> LocalProvider {
    try_open(yard, outbound).await.unwrap()
}

async fn try_open(yard: &Yard, outbound: Option<Outbound>) -> Result<LocalProvider, String> {
    let config = LocalConfig { outbound, ..yard.config(None) };
    LocalProvider::open(config).await.map_err(|error| error.to_string())
}

async fn create(yard: &Yard, provider: &LocalProvider, id: i64) -> Machine {
    let machine = provider.create(&yard.spec(id)).await.unwrap();
    yard.wait_for_ssh(&machine).await;
    machine
}

fn reaches(yard: &Yard, machine: &Machine, address: &str, port: u16) -> bool {
    yard.try_ssh(machine, &format!("timeout 2 bash -c 'echo >/dev/tcp/{address}/{port}'")).status.success()
}

async fn protection(provider: &LocalProvider, name: &str) -> Option<Protection> {
    provider.protections().await.into_iter().find(|one| one.name == name)
}

async fn end(provider: &LocalProvider, mark: &str, ids: &[i64]) {
    for id in ids {
        provider.terminate(&reference(*id)).await.unwrap();
    }
    assert_eq!(traces(mark), Vec::<String>::new());
}

#[test]
fn a_machine_installs_from_apt_and_pip_repositories_of_other_networks_only_with_a_way_out() {
    let name = "a_machine_installs_from_apt_and_pip_repositories_of_other_networks_only_with_a_way_out";
    inside(name, async |_world: World| {
        let yard = Yard::new();
        let provider = open(&yard, Some(Outbound::default())).await;
        let machine = create(&yard, &provider, 1).await;
        for (script, hello) in [(APT, "hello from apt"), (PIP, "hello from pip")] {
            let output = yard.as_root(&machine, script);
            let said = String::from_utf8_lossy(&output.stdout).into_owned();
            println!("{said}{}", String::from_utf8_lossy(&output.stderr));
            assert!(output.status.success() && said.trim_end().ends_with(hello), "{hello}");
        }
        end(&provider, &mark_of(&machine), &[1]).await;

        // The control: without a way out, even with the routes and name servers of one.
        let provider = open(&yard, None).await;
        let machine = create(&yard, &provider, 2).await;
        assert_eq!(yard.ssh(&machine, "cat /etc/resolv.conf; ip route show default"), "");
        let gateway = provider.subnet().to_string().replace("0/24", "1");
        run(Command::new("ip").args(["-n", &machine.provider_id, "route", "add", "default", "via", &gateway]));
        yard.ssh(&machine, "echo nameserver 198.51.100.53 | sudo tee /etc/resolv.conf");
        assert!(host_reaches(PACKAGES, 80), "the repositories are there");
        assert!(!reaches(&yard, &machine, PACKAGES, 80));
        for script in [APT, PIP] {
            assert!(!yard.as_root(&machine, script).status.success(), "{script}");
        }
        end(&provider, &mark_of(&machine), &[2]).await;
    });
}

#[test]
fn a_way_out_leads_to_no_host_no_machine_and_no_private_or_metadata_address() {
    let name = "a_way_out_leads_to_no_host_no_machine_and_no_private_or_metadata_address";
    inside(name, async |_world: World| {
        let yard = Yard::new();
        let provider = open(&yard, Some(Outbound::default())).await;
        let (one, two) = (create(&yard, &provider, 1).await, create(&yard, &provider, 2).await);
        let bridge = mark_of(&one);
        let other = two.endpoint.unwrap().public_ip.to_string();
        let listener = TcpListener::bind("0.0.0.0:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let on_bridge = provider.subnet().to_string().replace("0/24", "1");
        let open_ones = |when: &str| {
            let mut open: Vec<&str> = CLOSED.iter().copied().filter(|to| reaches(&yard, &one, to, 80)).collect();
            open.extend([HOST, &on_bridge, "127.0.0.1"].into_iter().filter(|to| reaches(&yard, &one, to, port)));
            open.extend(Some(other.as_str()).filter(|to| reaches(&yard, &one, to, 22)));
            println!("{when}: reached {open:?}");
            open.into_iter().map(str::to_owned).collect::<Vec<_>>()
        };
        // The controls: each target answers from elsewhere, and the attempt itself works.
        for address in CLOSED {
            assert!(host_reaches(address, 80), "the control: {address}");
        }
        assert!(reaches_from("internet", HOST, port) && host_reaches(&on_bridge, port) && host_reaches(&other, 22));
        assert!(reaches(&yard, &one, PACKAGES, 80), "the control");
        assert_eq!(open_ones("both walls"), Vec::<String>::new());
        assert!(
            yard.try_ssh(&one, "sudo ip route del unreachable 10.0.0.0/8").status.code() != Some(0),
            "its root cannot"
        );

        // The rules alone hold everything.
        let namespace = one.provider_id.clone();
        let routes = run(Command::new("ip").args(["-n", &namespace, "route", "show", "type", "unreachable"]));
        for route in routes.lines().map(|line| line.replace("unreachable", "").trim().to_owned()) {
            let route = route.split_whitespace().next().unwrap().to_owned();
            run(Command::new("ip").args(["-n", &namespace, "route", "del", "unreachable", &route]));
        }
        assert!(routes.lines().count() >= 8, "{routes}");
        assert_eq!(open_ones("the rules alone"), Vec::<String>::new());
        assert!(reaches(&yard, &one, PACKAGES, 80));
        assert!(protection(&provider, "way out").await.unwrap().is_active);

        // The routes alone keep private and metadata addresses closed, when something has flushed the rules; NAT is gone.
        run(Command::new("nft").args(["flush", "ruleset"]));
        run(Command::new("ip").args(["netns", "exec", "internet", "ip", "route", "add", "10.213.0.0/16", "via", HOST]));
        assert!(reaches(&yard, &one, PRIVATE, 80), "the control: a machine without these routes");
        assert!(reaches(&yard, &one, HOST, port), "the control: the host, without rules");
        assert!(!CLOSED.iter().any(|to| reaches(&yard, &two, to, 80)), "the routes of the other machine");
        for wall in ["network", "way out"] {
            assert!(!protection(&provider, wall).await.unwrap().is_active, "{wall}: and the System page says so");
        }
        run(Command::new("ip").args(["netns", "exec", "internet", "ip", "route", "del", "10.213.0.0/16"]));
        assert!(!reaches(&yard, &one, PACKAGES, 80), "no NAT");

        // The next launch sets the rules again, for all machines.
        create(&yard, &provider, 3).await;
        assert_eq!(open_ones("after the next launch"), Vec::<String>::new());
        assert!(reaches(&yard, &one, PACKAGES, 80));
        for wall in ["network", "way out"] {
            assert!(protection(&provider, wall).await.unwrap().is_active, "{wall}");
        }
        end(&provider, &bridge, &[1, 2, 3]).await;
    });
}

#[test]
fn a_private_network_is_reached_only_if_the_settings_name_it() {
    inside("a_private_network_is_reached_only_if_the_settings_name_it", async |_world: World| {
        let yard = Yard::new();
        let networks = ["10.0.0.0/8", "169.254.0.0/16", "100.100.100.0/24"].map(|text| text.parse().unwrap()).to_vec();
        let provider = open(&yard, Some(Outbound { networks, ..Outbound::default() })).await;
        let (one, two) = (create(&yard, &provider, 1).await, create(&yard, &provider, 2).await);
        assert!(reaches(&yard, &one, PRIVATE, 80));
        let still: Vec<_> = CLOSED.iter().filter(|to| **to != PRIVATE).collect();
        let open_ones: Vec<_> = still.iter().filter(|to| reaches(&yard, &one, to, 80)).collect();
        assert!(open_ones.is_empty(), "metadata and networks that are not named: {open_ones:?}");
        // The machines' own network is in the named one.
        let other = two.endpoint.unwrap().public_ip.to_string();
        assert!(host_reaches(&other, 22) && !reaches(&yard, &one, &other, 22));
        end(&provider, &mark_of(&one), &[1, 2]).await;

        let closed = open(&yard, Some(Outbound::default())).await;
        let machine = create(&yard, &closed, 3).await;
        assert!(!reaches(&yard, &machine, PRIVATE, 80) && host_reaches(PRIVATE, 80));
        end(&closed, &mark_of(&machine), &[3]).await;
    });
}

#[test]
fn a_way_out_that_cannot_be_confined_is_refused_and_machines_that_run_lose_theirs() {
    let name = "a_way_out_that_cannot_be_confined_is_refused_and_machines_that_run_lose_theirs";
    inside(name, async |world: World| {
        let yard = Yard::new();
        let provider = open(&yard, Some(Outbound::default())).await;
        let machine = create(&yard, &provider, 1).await;
        let bridge = mark_of(&machine);
        let nft = run(Command::new("sh").args(["-c", "command -v nft"]));
        assert!(reaches(&yard, &machine, PACKAGES, 80), "the control");

        world.hide(nft.trim(), "/bin/false");
        let words = try_open(&yard, Some(Outbound::default())).await.unwrap_err();
        assert!(words.contains("OCIM_LOCAL_NETWORK=outbound") && words.contains("nftables"), "{words}");
        assert_eq!(forwarding(&bridge), "0");
        assert!(!reaches(&yard, &machine, PACKAGES, 80), "it was open before");
        let words = provider.create(&yard.spec(2)).await.unwrap_err().to_string();
        assert!(words.contains("OCIM_LOCAL_NETWORK=outbound"), "{words}");
        assert_eq!(forwarding(&bridge), "0");
        world.unhide(nft.trim());
        provider.terminate(&reference(2)).await.unwrap();

        // And where forwarding cannot be turned on.
        run(Command::new("sh").args(["-ec", "mount --bind /proc/sys /proc/sys; mount -o remount,bind,ro /proc/sys"]));
        let words = try_open(&yard, Some(Outbound::default())).await.unwrap_err();
        assert!(words.contains("forwarding of packets cannot be turned on"), "{words}");
        run(Command::new("umount").arg("/proc/sys"));

        let provider = open(&yard, Some(Outbound::default())).await;
        assert!(reaches(&yard, &machine, PACKAGES, 80), "with nft, it is back");
        // Without a way out in the settings, a machine that runs has none at once.
        let provider_without = open(&yard, None).await;
        assert!(!reaches(&yard, &machine, PACKAGES, 80));
        assert_eq!((forwarding(&bridge), forwarding("uplink")), ("0".into(), "0".into()));
        drop(provider);
        end(&provider_without, &bridge, &[1]).await;
    });
}

#[test]
fn forwarding_is_turned_on_for_machines_alone_and_off_with_the_last_one() {
    inside("forwarding_is_turned_on_for_machines_alone_and_off_with_the_last_one", async |_world: World| {
        let (here, there) = (Yard::new(), Yard::new());
        // Another network of this host, which answers others if this host lets them in.
        let office =
            "ip netns add office; ip -n office link set lo up; ip link add lan type veth peer name desk netns office
            ip address add 192.0.2.1/24 dev lan; ip link set lan up
            ip -n office address add 192.0.2.50/24 dev desk; ip -n office link set desk up
            ip -n office route add default via 192.0.2.1
            ip -n internet route add 192.0.2.0/24 via 203.0.113.2
            echo 1 >/proc/sys/net/ipv4/conf/lan/forwarding";
        run(Command::new("sh").args(["-ec", office]));
        let _desk = ServerIn::start("office", 8000);
        assert!(host_reaches("192.0.2.50", 8000));
        assert!(!reaches_from("internet", "192.0.2.50", 8000));

        let one = open(&here, Some(Outbound::default())).await;
        assert_eq!(forwarding("uplink"), "0", "nothing before the first machine");
        let machine = create(&here, &one, 1).await;
        assert_eq!((forwarding("uplink"), forwarding("all")), ("1".into(), "0".into()));
        let shown = protection(&one, "way out").await.unwrap();
        assert!(shown.is_active && shown.detail.contains("turned on forwarding for uplink"), "{shown:?}");
        assert!(!reaches_from("internet", "192.0.2.50", 8000), "this host is no router for others");
        let bridge = mark_of(&machine);
        run(Command::new("nft").args(["delete", "table", "inet", &bridge]));
        assert!(reaches_from("internet", "192.0.2.50", 8000), "the control: without the rules it would be");

        // A second data directory keeps it on until its last machine ends, too.
        let other = open(&there, Some(Outbound::default())).await;
        let neighbour = create(&there, &other, 1).await;
        assert!(!reaches_from("internet", "192.0.2.50", 8000));
        let its_address = neighbour.endpoint.unwrap().public_ip.to_string();
        assert!(
            host_reaches(&its_address, 22) && !reaches(&here, &machine, &its_address, 22),
            "its machines are apart"
        );
        end(&one, &bridge, &[1]).await;
        assert_eq!(forwarding("uplink"), "1");
        assert!(reaches(&there, &neighbour, PACKAGES, 80));
        end(&other, &mark_of(&neighbour), &[1]).await;
        assert_eq!(forwarding("uplink"), "0");

        // A host that is a router stays one.
        run(Command::new("sh").args(["-c", "echo 1 >/proc/sys/net/ipv4/ip_forward"]));
        let machine = create(&here, &one, 2).await;
        assert!(reaches(&here, &machine, PACKAGES, 80));
        assert!(reaches_from("internet", "192.0.2.50", 8000), "and forwards for others as before");
        end(&one, &mark_of(&machine), &[2]).await;
        assert_eq!(forwarding("uplink"), "1");
    });
}

#[test]
fn a_machine_holds_a_limited_number_of_connections_and_others_go_on() {
    inside("a_machine_holds_a_limited_number_of_connections_and_others_go_on", async |_world: World| {
        let yard = Yard::new();
        let provider = open(&yard, Some(Outbound::default())).await;
        let (one, two) = (create(&yard, &provider, 1).await, create(&yard, &provider, 2).await);
        let many = |count: u32| {
            let script = format!(
                "python3 -c '
import socket
for port in range({count}):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind((\"\", 10000 + port))
    s.sendto(b\"x\", (\"{PACKAGES}\", 9))
    s.close()
'"
            );
            yard.ssh(&one, &script);
        };
        many(2000);
        assert!(reaches(&yard, &one, PACKAGES, 80), "the control: half of the limit");
        many(6000);
        assert!(!reaches(&yard, &one, PACKAGES, 80));
        assert!(reaches(&yard, &two, PACKAGES, 80), "each machine has its own");
        // A launch writes the rules again, and the count stays.
        create(&yard, &provider, 3).await;
        assert!(!reaches(&yard, &one, PACKAGES, 80));
        end(&provider, &mark_of(&one), &[1, 2, 3]).await;
    });
}

#[test]
fn name_servers_of_machines_are_those_that_they_can_reach() {
    inside("name_servers_of_machines_are_those_that_they_can_reach", async |world: World| {
        let yard = Yard::new();
        // A server in a private network is reached for names alone.
        world.name_servers(&["127.0.0.53", "169.254.169.254", HOST, PRIVATE, "fd00::53"]);
        let provider = open(&yard, Some(Outbound::default())).await;
        let machine = create(&yard, &provider, 1).await;
        assert_eq!(yard.ssh(&machine, "cat /etc/resolv.conf"), format!("nameserver {PRIVATE}"));
        let _server = ServerIn::start("internet", 53);
        assert!(reaches(&yard, &machine, PRIVATE, 53));
        assert!(host_reaches(PRIVATE, 80) && !reaches(&yard, &machine, PRIVATE, 80));
        end(&provider, &mark_of(&machine), &[1]).await;

        world.name_servers(&["127.0.0.53"]);
        let provider = open(&yard, Some(Outbound::default())).await;
        let shown = protection(&provider, "way out").await.unwrap();
        assert!(shown.detail.contains("OCIM_LOCAL_RESOLVERS"), "{shown:?}");
        for resolver in ["127.0.0.53", HOST, "169.254.169.254"] {
            let outbound = Outbound { resolvers: vec![resolver.parse().unwrap()], ..Outbound::default() };
            let words = try_open(&yard, Some(outbound)).await.unwrap_err();
            assert!(words.contains("OCIM_LOCAL_RESOLVERS") && words.contains(resolver), "{words}");
        }
        let resolvers = vec!["198.51.100.53".parse().unwrap()];
        let provider = open(&yard, Some(Outbound { resolvers, ..Outbound::default() })).await;
        let machine = create(&yard, &provider, 2).await;
        let found = yard.ssh(&machine, "getent ahostsv4 packages.example");
        assert!(found.starts_with(PACKAGES), "{found}");
        end(&provider, &mark_of(&machine), &[2]).await;
    });
}

/// A server that accepts connections on all addresses of a network namespace.
struct ServerIn(std::process::Child);

impl ServerIn {
    fn start(namespace: &str, port: u16) -> Self {
        let program = format!("import socket, time; s = socket.create_server((\"\", {port})); time.sleep(1000)");
        let mut command = Command::new("ip");
        command
            .args(["netns", "exec", namespace, "python3", "-c", &program])
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let server = Self(command.spawn().unwrap());
        let begun = std::time::Instant::now();
        while !reaches_from(namespace, "127.0.0.1", port) {
            assert!(begun.elapsed() < Duration::from_secs(10), "the server in {namespace}");
            std::thread::sleep(Duration::from_millis(50));
        }
        server
    }
}

impl Drop for ServerIn {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

//! Local machines for real: namespaces, sshd, reboot, Ansible with the demo configuration, and cleanup.
//!
//! Without root, the tests pass without a check. `OCIM_CACHE_DIR` names the cache (base tree, virtualenv).

mod bases;
mod beside;
mod conformance;
mod containers;
mod deployment;
mod host_keys;
mod keys;
mod outbound;
mod people;
mod tutor;
mod walls;
pub(super) mod yard;

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use ocim::machines::provider::{Machine, MachineRef, MachineSpec, MachineState, Provider};
use ocim::machines::providers::local::{LocalConfig, LocalProvider, MachineLimits};
use shared_types::ServerId;
use yard::{Yard, cache_dir, eventually, is_root, mark_of, reference, run, traces};

/// A name that would break the options of an overlay mount if it was used there.
const DATA_DIR: &str = "data, with: odd name";
const INSTALLATION: &str = "11111111-aaaa";

#[tokio::test(flavor = "multi_thread")]
async fn two_machines_live_apart_survive_their_manager_and_go_without_a_trace() {
    if !is_root() {
        return;
    }
    let yard = Yard::new();
    let provider = yard.open().await;

    let begun = Instant::now();
    let (spec_one, spec_two) = (yard.spec(1), yard.spec(2));
    let (one, two) = tokio::join!(provider.create(&spec_one), provider.create(&spec_two));
    let (one, two) = (one.unwrap(), two.unwrap());
    println!("create, two at once: {:?}", begun.elapsed());
    assert_eq!((&one.state, &two.state), (&MachineState::Active, &MachineState::Active));
    assert_ne!(one.endpoint, two.endpoint);
    assert_ne!(one.host_key, two.host_key);
    yard.wait_for_ssh(&one).await;
    yard.wait_for_ssh(&two).await;
    println!("ssh ready, both: {:?}", begun.elapsed());

    assert_eq!(yard.ssh(&one, "hostname"), "edxapp-demo-1");
    assert_eq!(yard.ssh(&one, "sudo id -u"), "0");
    assert_eq!(yard.ssh(&one, "ps -o comm= -p 1"), "runit");
    yard.ssh(&one, "sudo touch /etc/only-here");
    assert!(!yard.try_ssh(&two, "test -e /etc/only-here").status.success());
    let processes: usize = yard.ssh(&one, "ps -e --no-headers | wc -l").parse().unwrap();
    assert!(processes < 20, "{processes} processes are seen inside");
    is_shut_in(&yard, &one, &two);

    // As after a lost answer, and as another process would.
    assert_eq!(provider.create(&yard.spec(1)).await.unwrap(), one);
    drop(provider);
    let provider = yard.open().await;
    assert_eq!(provider.list().await.unwrap(), [(ServerId(1), one.clone()), (ServerId(2), two.clone())]);
    assert_eq!(provider.find(&reference(2)).await.unwrap().as_ref(), Some(&two));
    assert_eq!(provider.find(&reference(3)).await.unwrap(), None);

    let up_since = yard.ssh(&one, "ps -o lstart= -p 1; cat /proc/1/stat | cut -d' ' -f22");
    let begun = Instant::now();
    provider.reboot(&reference(1)).await.unwrap();
    println!("reboot: {:?}", begun.elapsed());
    yard.wait_for_ssh(&one).await;
    println!("reboot to ssh: {:?}", begun.elapsed());
    assert_ne!(yard.ssh(&one, "ps -o lstart= -p 1; cat /proc/1/stat | cut -d' ' -f22"), up_since);
    yard.ssh(&one, "test -e /etc/only-here");
    assert_eq!(provider.find(&reference(1)).await.unwrap().as_ref(), Some(&one));

    let machine_dir = yard.dir.path().join(DATA_DIR).join("machines");
    let mark = mark_of(&one);
    let begun = Instant::now();
    provider.terminate(&reference(1)).await.unwrap();
    println!("terminate: {:?}", begun.elapsed());
    assert!(!machine_dir.join("1").exists());
    assert_eq!(provider.find(&reference(1)).await.unwrap(), None);
    assert!(yard.try_ssh(&two, "true").status.success(), "the other one runs on");
    let (first, second) = (reference(1), reference(2));
    let (again, last) = tokio::join!(provider.terminate(&first), provider.terminate(&second));
    again.unwrap();
    last.unwrap();
    assert_eq!(traces(&mark), Vec::<String>::new());
    eventually("the end of the loop devices", || traces(machine_dir.to_str().unwrap()).is_empty()).await;
    assert!(provider.list().await.unwrap().is_empty());
}

/// A machine reaches no other machine, not the host's loopback and no network; its root cannot change that.
fn is_shut_in(yard: &Yard, machine: &Machine, other: &Machine) {
    let knock = |ip: &str, port: u16| {
        let script = format!("timeout 1 bash -c 'echo >/dev/tcp/{ip}/{port}'");
        yard.try_ssh(machine, &script).status.success()
    };
    let other_ip = other.endpoint.unwrap().public_ip.to_string();
    assert!(knock("127.0.0.1", 22), "the check itself works");
    assert!(!knock(&other_ip, 22), "another machine answers");
    let on_loopback = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    assert!(!knock("127.0.0.1", on_loopback.local_addr().unwrap().port()), "the host's loopback answers");
    assert_eq!(yard.ssh(machine, "ip route show default"), "");
    for forbidden in [
        "sudo ip route add default via 10.213.0.1",
        "sudo mknod /tmp/disk b 254 0",
        "sudo sh -c 'echo x >/proc/sys/kernel/core_pattern'",
        "sudo mount -t tmpfs tmpfs /mnt",
    ] {
        assert!(!yard.try_ssh(machine, forbidden).status.success(), "{forbidden}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn data_directories_get_subnets_of_their_own_and_shut_down_machines_come_back() {
    if !is_root() {
        return;
    }
    let (here, there) = (Yard::new(), Yard::new());
    let (one, other) = tokio::join!(here.open(), there.open());
    assert_ne!(one.subnet(), other.subnet());
    let (spec_one, spec_other) = (here.spec(1), there.spec(1));
    let (machine, others) = tokio::join!(one.create(&spec_one), other.create(&spec_other));
    let (machine, others) = (machine.unwrap(), others.unwrap());
    assert_ne!(mark_of(&machine), mark_of(&others));

    here.wait_for_ssh(&machine).await;
    here.ssh(&machine, "sudo touch /etc/kept");
    let begun = Instant::now();
    assert!(one.shutdown_all().await.unwrap().is_empty());
    one.close().await.unwrap();
    println!("shut down: {:?}", begun.elapsed());
    assert_eq!(traces(&mark_of(&machine)), Vec::<String>::new());
    assert_eq!(one.find(&reference(1)).await.unwrap().unwrap().state, MachineState::Building);

    // Another data directory that starts meanwhile does not take the subnet.
    let third = Yard::new();
    assert_ne!(third.open().await.subnet(), one.subnet());

    let begun = Instant::now();
    let one = here.open().await;
    assert!(one.boot_all().await.unwrap().is_empty());
    println!("boot all: {:?}", begun.elapsed());
    assert_eq!(one.find(&reference(1)).await.unwrap().as_ref(), Some(&machine));
    here.wait_for_ssh(&machine).await;
    here.ssh(&machine, "test -e /etc/kept");

    one.terminate(&reference(1)).await.unwrap();
    other.terminate(&reference(1)).await.unwrap();
    assert_eq!(traces(&mark_of(&machine)), Vec::<String>::new());
    assert_eq!(traces(&mark_of(&others)), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_data_directory_with_a_new_database_leaves_the_machines_of_the_old_one_alone() {
    if !is_root() {
        return;
    }
    let yard = Yard::new();
    let old = yard.open().await;
    let first = old.create(&yard.spec(1)).await.unwrap();
    yard.wait_for_ssh(&first).await;
    let config = LocalConfig { installation: "22222222-bbbb".to_owned(), ..yard.config(None) };
    let new = LocalProvider::open(config).await.unwrap();
    new.claim(&[(ServerId(1), "edxapp-demo-1".to_owned())]).unwrap();
    let one = MachineRef { server_id: ServerId(1), provider_id: None };
    assert_eq!(new.find(&one).await.unwrap(), None);
    assert!(new.list().await.unwrap().is_empty());
    assert!(new.boot_all().await.unwrap().is_empty());
    assert!(new.reboot(&one).await.is_err());
    new.terminate(&one).await.unwrap();
    assert!(new.shutdown_all().await.unwrap().is_empty());
    assert!(yard.try_ssh(&first, "true").status.success(), "the old one runs on");
    let second = new.create(&yard.spec(1)).await.unwrap();
    assert_ne!(second.endpoint, first.endpoint);
    assert_ne!(second.provider_id, first.provider_id);
    yard.wait_for_ssh(&second).await;
    new.terminate(&one).await.unwrap();
    assert_eq!(new.find(&one).await.unwrap(), None);
    assert!(yard.try_ssh(&first, "true").status.success(), "the old one runs on");
    assert_eq!(old.find(&one).await.unwrap().as_ref(), Some(&first));
    old.terminate(&one).await.unwrap();
    assert!(old.list().await.unwrap().is_empty());
}

/// Not a test of its own: the process that the test below kills.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "a process of the test below"]
async fn manager_that_makes_a_machine_and_stays() {
    let Some(dir) = std::env::var_os("OCIM_TEST_YARD") else { return };
    let data_dir = Path::new(&dir).join(DATA_DIR);
    let authorized_key = fs::read_to_string(Path::new(&dir).join("key.pub")).unwrap().trim().to_owned();
    let provider = LocalProvider::open(LocalConfig {
        data_dir,
        cache_dir: cache_dir(),
        subnet: None,
        installation: INSTALLATION.into(),
        limits: MachineLimits::default(),
        base_tree_days: 3650,
        base: None,
        outbound: None,
    })
    .await
    .unwrap();
    fs::write(Path::new(&dir).join("opened"), "").unwrap();
    let spec = MachineSpec { server_id: ServerId(1), name: "edxapp-demo-1".into(), authorized_key };
    provider.create(&spec).await.unwrap();
    std::future::pending::<()>().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_manager_killed_at_any_moment_leaves_one_machine_or_none() {
    if !is_root() {
        return;
    }
    let yard = Yard::new();
    let provider = yard.open().await;
    let opened = yard.dir.path().join("opened");
    let machine_dir = yard.dir.path().join(DATA_DIR).join("machines/1");
    for milliseconds in [0, 5, 10, 20, 30, 35, 40, 45, 50, 55, 60, 80, 120, 1000] {
        let mut manager = Command::new(std::env::current_exe().unwrap())
            .args(["--ignored", "--exact", "system::machines::manager_that_makes_a_machine_and_stays"])
            .env("OCIM_TEST_YARD", yard.dir.path())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        eventually("the manager", || opened.exists()).await;
        tokio::time::sleep(Duration::from_millis(milliseconds)).await;
        manager.kill().unwrap();
        manager.wait().unwrap();
        fs::remove_file(&opened).unwrap();

        // Two processes create the machine at once, as two workers would.
        let other = yard.open().await;
        let spec = yard.spec(1);
        let (machine, same) = tokio::join!(provider.create(&spec), other.create(&spec));
        let machine = machine.unwrap();
        assert_eq!(machine, same.unwrap());
        yard.wait_for_ssh(&machine).await;
        let (disks, starters): (Vec<_>, Vec<_>) =
            traces(machine_dir.to_str().unwrap()).into_iter().partition(|trace| trace.contains("disk.img"));
        // The kernel takes a moment to let go of the disk of the machine before.
        let disks: Vec<_> = disks.into_iter().filter(|disk| !disk.ends_with("(deleted)")).collect();
        assert_eq!((disks.len(), starters.len()), (1, 1), "killed after {milliseconds} ms: {disks:?} {starters:?}");
        provider.terminate(&reference(1)).await.unwrap();
        assert_eq!(traces(&mark_of(&machine)), Vec::<String>::new());
        assert!(!machine_dir.exists());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subnet_that_cannot_be_used_is_refused_with_the_reason() {
    if !is_root() {
        return;
    }
    let (here, there) = (Yard::new(), Yard::new());
    let provider = here.open().await;
    let refusal = async |yard: &Yard, subnet: &str| {
        let config = yard.config(Some(subnet.parse().unwrap()));
        LocalProvider::open(config).await.map(|provider| provider.subnet()).unwrap_err().to_string()
    };
    assert!(refusal(&there, "8.8.8.0/24").await.contains("private network"));
    let taken = provider.subnet().to_string();
    assert!(refusal(&there, &taken).await.contains("meets a network"));

    let moved = LocalProvider::open(there.config(Some("10.214.7.0/28".parse().unwrap()))).await.unwrap();
    assert_eq!(moved.subnet().to_string(), "10.214.7.0/28");
    let machine = moved.create(&there.spec(1)).await.unwrap();
    assert_eq!(machine.endpoint.unwrap().public_ip.to_string(), "10.214.7.2");
    assert!(refusal(&there, "10.214.8.0/28").await.contains("the local machines live in 10.214.7.0/28"));
    assert_eq!(there.open().await.subnet(), moved.subnet(), "unset, it stays");

    let copy = Yard::new();
    run(Command::new("cp").arg("-r").arg(here.dir.path().join(DATA_DIR)).arg(copy.dir.path()));
    let refused = LocalProvider::open(copy.config(None)).await.unwrap_err().to_string();
    assert!(refused.contains("is a copy of"), "{refused}");
    moved.terminate(&reference(1)).await.unwrap();
}

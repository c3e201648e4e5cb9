//! What the root of a local machine tries, and what holds it. Attempts that read or reach something have a control that
//! succeeds without the wall; attempts that exhaust something are tried in a small measure on both sides.

use std::fs;
use std::net::{Ipv4Addr, TcpListener, UdpSocket};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use ocim::machines::provider::{Machine, Provider};
use ocim::machines::providers::local::{LocalConfig, LocalProvider, MachineLimits};

use super::yard::{Yard, eventually, is_root, mark_of, reference, run, traces};

/// Attempts that root may make on this host: in namespaces of its own there, each succeeds. `perl -e` makes system calls
/// by number (x86_64).
const ATTEMPTS: &[(&str, &str)] = &[
    ("mount a file system", "mount -t tmpfs tmpfs /mnt"),
    ("mount by the new calls", "perl -e '$t = qq(tmpfs); exit(syscall(430, $t, 0) < 0)'"),
    ("bind a directory", "mount --bind /etc /mnt"),
    ("make a node of the host's disk", "rm -f /var/tmp/node; mknod /var/tmp/node b 254 0 && rm /var/tmp/node"),
    ("make a user namespace", "unshare --user --map-root-user true"),
    ("make a mount namespace", "unshare --mount true"),
    ("make a network namespace", "unshare --net true"),
    ("use the keyring", "perl -e 'exit(syscall(250, 0, -3, 1) < 0)'"),
    (
        "trace a process",
        "perl -e '$pid = fork; $pid or (sleep 5, exit); $failed = syscall(101, 0x4206, $pid, 0, 0) < 0; kill 9, $pid; exit $failed'",
    ),
    ("handle page faults", "perl -e 'exit(syscall(323, 1) < 0)'"),
    ("use io_uring", "perl -e '$p = qq(\\0) . qq(\\0) x 119; exit(syscall(425, 8, $p) < 0)'"),
    ("send raw packets", "python3 -c 'import socket; socket.socket(socket.AF_INET, socket.SOCK_RAW, 1)'"),
    ("see all packets", "python3 -c 'import socket; socket.socket(socket.AF_PACKET, socket.SOCK_RAW)'"),
    ("change an interface", "ip link set lo mtu 1400"),
    ("change the host's name", "hostname other"),
    ("enter init's network", "nsenter --net=/proc/1/ns/net true"),
    ("raise a limit", "bash -c 'ulimit -c unlimited'"),
];

/// Attempts that are not made on the host, since they could succeed there.
const ATTEMPTS_INSIDE: &[(&str, &str)] = &[
    ("set the time", "date -s @1000000000"),
    ("load a module", "perl -e '$a = qq(x); exit(syscall(175, $a, 1, $a) < 0 && $! == 1)'"),
    ("load another kernel", "perl -e 'exit(syscall(246, 0, 0, 0, 0) < 0 && $! == 1)'"),
    ("swap", "perl -e '$p = qq(/x); exit(syscall(167, $p, 0) < 0 && $! == 1)'"),
    ("restart the host", "perl -e 'exit(syscall(169, 0xfee1dead, 672274793, 0, 0) < 0 && $! == 1)'"),
    (
        "read the kernel's messages",
        "perl -e '$b = qq(\\0) . qq(\\0) x 99; exit(syscall(103, 3, $b, 100) < 0 && $! == 1)'",
    ),
    ("set the core pattern", "sh -c 'echo x >/proc/sys/kernel/core_pattern'"),
    ("press a key", "sh -c 'echo h >/proc/sysrq-trigger'"),
    ("write to sysfs", "sh -c 'find /sys -maxdepth 3 -type f -writable | grep .'"),
    ("read the kernel's memory", "sh -c 'head -c 1 /proc/kcore | grep -q .'"),
    ("be the last to be killed", "sh -c 'echo -900 >/proc/self/oom_score_adj'"),
    ("find a disk", "sh -c 'find /dev -type b | grep .'"),
    ("see the host's processes", "sh -c 'test $(ls -d /proc/[0-9]* | wc -l) -gt 40'"),
    ("write its program's groups", "sh -c 'find / -xdev -name cgroup.procs | grep .'"),
];

#[tokio::test(flavor = "multi_thread")]
async fn root_of_a_machine_reaches_no_part_of_the_kernel_that_is_the_host_s() {
    if !is_root() {
        return;
    }
    let yard = Yard::new();
    let provider = yard.open().await;
    let machine = provider.create(&yard.spec(1)).await.unwrap();
    yard.wait_for_ssh(&machine).await;
    let mut got_through = Vec::new();
    for (name, attempt) in ATTEMPTS {
        let control = Command::new("unshare")
            .args(["--mount", "--pid", "--net", "--uts", "--ipc", "--fork", "--mount-proc", "--", "sh", "-c", attempt])
            .stdin(Stdio::null())
            .output()
            .unwrap();
        assert!(control.status.success(), "the control of: {name}: {}", String::from_utf8_lossy(&control.stderr));
        if yard.as_root(&machine, attempt).status.success() {
            got_through.push(*name);
        }
    }
    for (name, attempt) in ATTEMPTS_INSIDE {
        if yard.as_root(&machine, attempt).status.success() {
            got_through.push(*name);
        }
    }
    assert_eq!(got_through, Vec::<&str>::new());

    // And what has to work does.
    assert_eq!(yard.ssh(&machine, "sudo -n id -u"), "0");
    let status = yard.ssh(&machine, "sudo cat /proc/1/status");
    assert!(status.contains("NoNewPrivs:\t0") && status.contains("Seccomp:\t2"), "{status}");
    yard.ssh(
        &machine,
        "sudo chown ubuntu /srv && touch /srv/x && sudo su -s /bin/sh www-data -c true && sudo nginx -t",
    );
    provider.terminate(&reference(1)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_machine_begins_no_connection_to_the_host_or_to_another_machine() {
    if !is_root() {
        return;
    }
    let yard = Yard::new();
    let provider = yard.open().await;
    let (spec_one, spec_two) = (yard.spec(1), yard.spec(2));
    let (one, two) = tokio::join!(provider.create(&spec_one), provider.create(&spec_two));
    let (one, two) = (one.unwrap(), two.unwrap());
    yard.wait_for_ssh(&one).await;
    yard.wait_for_ssh(&two).await;
    let bridge = mark_of(&one);
    let listener = TcpListener::bind("0.0.0.0:0").unwrap();
    let datagrams = UdpSocket::bind("0.0.0.0:0").unwrap();
    datagrams.set_read_timeout(Some(Duration::from_millis(500))).unwrap();
    let host = Ipv4Addr::from((u32::from_be_bytes(octets(&one)) & 0xffff_ff00) | 1).to_string();
    let (tcp, udp) = (listener.local_addr().unwrap().port(), datagrams.local_addr().unwrap().port());
    let metadata = "169.254.169.254";
    run(Command::new("ip").args(["address", "add", &format!("{metadata}/32"), "dev", &bridge]));
    let namespace = one.provider_id.clone();
    run(Command::new("ip").args(["-n", &namespace, "route", "add", "169.254.0.0/16", "dev", "eth0"]));

    let knock = |ip: &str, port: u16| {
        yard.try_ssh(&one, &format!("timeout 1 bash -c 'echo >/dev/tcp/{ip}/{port}'")).status.success()
    };
    let arrives = || {
        let mut buffer = [0; 16];
        yard.ssh(&one, &format!("echo hello >/dev/udp/{host}/{udp}"));
        datagrams.recv(&mut buffer).is_ok()
    };
    let network = async || {
        let list = provider.protections().await;
        list.into_iter().find(|one| one.name == "network").unwrap().is_active
    };
    let is_walled = || !knock(&host, tcp) && !arrives() && !knock(metadata, tcp) && !knock(&host, 22);
    assert!(is_walled());
    assert!(network().await);
    run(Command::new("nft").args(["delete", "table", "inet", &bridge]));
    assert!(knock(&host, tcp) && arrives() && knock(metadata, tcp), "the control");
    assert!(!network().await, "and the System page says so");
    // Another machine: where the kernel shows bridged packets to nftables, the rules are a second wall.
    let other = two.endpoint.unwrap().public_ip.to_string();
    assert!(!knock(&other, 22));
    let port = format!("{bridge}-{:x}", octets(&two)[3]);
    let isolate =
        |word: &str| run(Command::new("ip").args(["link", "set", &port, "type", "bridge_slave", "isolated", word]));
    isolate("off");
    assert!(knock(&other, 22), "the control");
    isolate("on");
    assert!(!knock(&other, 22));
    // Another process of the same data directory puts the rules back.
    let again = yard.open().await;
    assert!(is_walled());
    assert!(network().await);
    assert!(!knock(&other, 22));
    drop(again);

    for id in [1, 2] {
        provider.terminate(&reference(id)).await.unwrap();
    }
    assert_eq!(traces(&bridge), Vec::<String>::new());
}

fn octets(machine: &Machine) -> [u8; 4] {
    match machine.endpoint.unwrap().public_ip {
        std::net::IpAddr::V4(address) => address.octets(),
        std::net::IpAddr::V6(address) => panic!("{address}"),
    }
}

/// A yard with a machine of generous limits (1) and one of small limits (2).
async fn large_and_small(limits: MachineLimits) -> (Yard, LocalProvider, Machine, Machine) {
    let yard = Yard::new();
    let provider = yard.open().await;
    let narrow = LocalProvider::open(LocalConfig { limits, ..yard.config(None) }).await.unwrap();
    let (spec_one, spec_two) = (yard.spec(1), yard.spec(2));
    let (large, small) = tokio::join!(provider.create(&spec_one), narrow.create(&spec_two));
    let (large, small) = (large.unwrap(), small.unwrap());
    yard.wait_for_ssh(&large).await;
    yard.wait_for_ssh(&small).await;
    (yard, provider, large, small)
}

async fn end(yard: &Yard, provider: &LocalProvider, machine: &Machine) {
    for id in [1, 2] {
        provider.terminate(&reference(id)).await.unwrap();
    }
    assert_eq!(traces(&mark_of(machine)), Vec::<String>::new());
    let dir = yard.dir.path().to_str().unwrap().to_owned();
    eventually("the end of the loop devices", || traces(&dir).is_empty()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_machine_gets_no_more_processes_and_memory_than_its_limits() {
    if !is_root() {
        return;
    }
    let limits = MachineLimits { processes: 50, memory_mb: Some(160), ..MachineLimits::default() };
    let (yard, provider, large, small) = large_and_small(limits).await;
    let fork = "python3 -c '
import os, signal
made = []
for _ in range(64):
    try:
        pid = os.fork()
    except OSError:
        break
    if pid == 0:
        signal.pause()
    made.append(pid)
print(len(made))
for pid in made: os.kill(pid, 9)
'";
    let made = |machine: &Machine| yard.ssh(machine, fork).parse::<u32>().unwrap();
    assert_eq!(made(&large), 64, "the control");
    assert!(made(&small) < 50);

    let hog = "head -c 300m /dev/zero | tail -c 300m | wc -c";
    let held = |machine: &Machine| yard.try_ssh(machine, hog).stdout.trim_ascii() == b"314572800";
    assert!(held(&large), "the control");
    assert!(!held(&small));
    // The machine goes on: what it was short of is back.
    yard.wait_for_ssh(&small).await;
    assert_eq!(yard.ssh(&small, "echo alive"), "alive");
    end(&yard, &provider, &small).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_machine_fills_its_own_disk_and_no_other() {
    if !is_root() {
        return;
    }
    let limits = MachineLimits { disk_mb: 256, ..MachineLimits::default() };
    let (yard, provider, large, small) = large_and_small(limits).await;
    let fill = |machine: &Machine| {
        let written = yard.as_root(machine, "head -c 300m /dev/zero >/fill").status.success();
        yard.ssh(machine, "sync");
        written
    };
    assert!(fill(&large), "the control");
    assert!(!fill(&small));
    let used = yard.ssh(&small, "stat -c %s /fill").parse::<u64>().unwrap();
    assert!(used < 256 << 20, "{used}");
    // And many small files: inodes are of the machine's own file system, too.
    let many = "python3 -c 'for i in range(200000): open(f\"/srv/{i}\", \"w\").close()'";
    assert!(!yard.as_root(&small, many).status.success());
    assert!(yard.try_ssh(&small, "true").status.success(), "it still answers");
    // What is deleted is the host's again.
    let image = yard.dir.path().join(super::DATA_DIR).join("machines/1/disk.img");
    let blocks =
        || run(Command::new("du").args(["-m"]).arg(&image)).split('\t').next().unwrap().parse::<u64>().unwrap();
    assert!(blocks() > 300);
    yard.ssh(&large, "sudo rm /fill; sync");
    eventually("the space", || {
        yard.ssh(&large, "sync");
        blocks() < 100
    })
    .await;

    // Its disk comes back with it after a restart.
    yard.ssh(&large, "sudo touch /etc/kept");
    assert!(provider.shutdown_all().await.unwrap().is_empty());
    let dir = yard.dir.path().to_str().unwrap().to_owned();
    eventually("the end of the loop devices", || traces(&dir).is_empty()).await;
    assert!(provider.boot_all().await.unwrap().is_empty());
    yard.wait_for_ssh(&large).await;
    yard.ssh(&large, "test -e /etc/kept");
    end(&yard, &provider, &small).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn programs_that_root_replaced_get_no_more_at_the_next_boot() {
    if !is_root() {
        return;
    }
    let yard = Yard::new();
    let provider = yard.open().await;
    let machine = provider.create(&yard.spec(1)).await.unwrap();
    yard.wait_for_ssh(&machine).await;
    let before = yard.ssh(&machine, "sudo grep -E '^(Cap|Seccomp)' /proc/1/status");
    // Each program that a start could run, and the init itself, tells what it was given.
    yard.ssh(
        &machine,
        "sudo sh -c '
for program in /usr/bin/umount /usr/bin/mount /usr/bin/rmdir /usr/bin/flock /usr/bin/setpriv /usr/bin/perl /usr/sbin/ip /usr/bin/dash; do
    test -e $program || continue
    mv $program $program.real
    printf \"#!/usr/bin/bash\\ncat /proc/self/status >>/status-of-start\\nexec $program.real \\\"\\$@\\\"\\n\" >$program
    chmod 755 $program
done
mv /usr/sbin/runit /usr/sbin/runit.real
printf \"#!/usr/bin/bash\\ncat /proc/self/status >/status-of-init\\nexec /usr/sbin/runit.real\\n\" >/usr/sbin/runit
chmod 755 /usr/sbin/runit
ln -sf /etc/shadow /etc/hostname
'",
    );
    provider.reboot(&reference(1)).await.unwrap();
    yard.wait_for_ssh(&machine).await;
    let given = yard.ssh(&machine, "sudo grep -E '^(Cap|Seccomp)' /status-of-init");
    assert_eq!(given, before);
    let all = yard.ssh(&machine, "sudo grep -hE '^CapBnd' /status-of-init /status-of-start | sort -u");
    assert_eq!(all.lines().count(), 1, "{all}");
    assert_eq!(yard.ssh(&machine, "cat /proc/sys/kernel/hostname"), "edxapp-demo-1");
    provider.terminate(&reference(1)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_machine_prints_and_leaves_does_not_stay() {
    if !is_root() {
        return;
    }
    let yard = Yard::new();
    let provider = yard.open().await;
    let machine = provider.create(&yard.spec(1)).await.unwrap();
    yard.wait_for_ssh(&machine).await;
    let machine_dir = yard.dir.path().join(super::DATA_DIR).join("machines/1");
    // The console: bounded by the file system that it is in, and no file of the host.
    yard.as_root(&machine, "head -c 200m /dev/zero >/proc/1/fd/1");
    let console = yard.ssh(&machine, "stat -c %s /run/console.log").parse::<u64>().unwrap();
    assert!(console > 10 << 20 && console <= 64 << 20, "{console}");
    assert!(fs::metadata(machine_dir.join("console.log")).unwrap().len() < 10_000);

    yard.ssh(
        &machine,
        "sudo python3 -c '
import os, socket
os.chdir(\"/srv\")
for _ in range(5000):
    os.mkdir(\"d\")
    os.chdir(\"d\")
os.mkfifo(\"pipe\")
socket.socket(socket.AF_UNIX).bind(\"socket\")
'",
    );
    let begun = Instant::now();
    provider.terminate(&reference(1)).await.unwrap();
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
    assert!(!machine_dir.exists());
    assert_eq!(traces(&mark_of(&machine)), Vec::<String>::new());
}

/// A machine of the version before has its files beside its record, without a disk of its own.
#[tokio::test(flavor = "multi_thread")]
async fn a_machine_of_the_version_before_boots_again_and_is_removed_whole() {
    if !is_root() {
        return;
    }
    let yard = Yard::new();
    let provider = yard.open().await;
    let machine = provider.create(&yard.spec(1)).await.unwrap();
    yard.wait_for_ssh(&machine).await;
    assert!(provider.shutdown_all().await.unwrap().is_empty());
    let dir = yard.dir.path().join(super::DATA_DIR).join("machines/1");
    let script = "mount -o loop disk.img disk && cp -a disk/upper disk/work . && umount disk && rmdir disk && rm disk.img init.pl";
    run(Command::new("sh").args(["-ec", script]).current_dir(&dir));
    let record = fs::read_to_string(dir.join("machine.json")).unwrap();
    let early: Vec<&str> = record.lines().filter(|line| !line.contains("disk_mb")).collect();
    fs::write(dir.join("machine.json"), early.join("\n")).unwrap();

    let provider = yard.open().await;
    assert!(provider.boot_all().await.unwrap().is_empty());
    yard.wait_for_ssh(&machine).await;
    yard.ssh(
        &machine,
        "sudo python3 -c '
import os
os.chdir(\"/srv\")
for _ in range(5000):
    os.mkdir(\"d\")
    os.chdir(\"d\")
'",
    );
    provider.terminate(&reference(1)).await.unwrap();
    assert!(!dir.exists());
    assert_eq!(traces(&mark_of(&machine)), Vec::<String>::new());
}

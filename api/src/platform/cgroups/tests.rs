#![allow(clippy::unwrap_used, reason = "tests")]

use std::process::{Command, Output, Stdio};

use super::*;

const PATIENCE: Duration = Duration::from_secs(10);

/// An owner that no other test has. None, with a note, where this host has no groups or this user may not make them.
fn groups(owner: &str) -> Option<Cgroups> {
    let groups = Cgroups::find(&format!("{owner}{}", std::process::id()));
    if rustix::process::geteuid().is_root() && !groups.group("x").joins().is_empty() {
        return Some(groups);
    }
    eprintln!("skipped: no control groups ({})", groups.describe());
    None
}

/// Runs a shell command that joins the group first.
fn run_in(group: Option<&Group>, script: &str) -> Output {
    let mut command = Command::new("sh");
    command.args(["-c", "for f in \"$@\"; do echo 0 >\"$f\" || exit 99; done; eval \"$SCRIPT\"", "sh"]);
    command.args(group.map(Group::joins).unwrap_or_default());
    command.env("SCRIPT", script).stdin(Stdio::null()).output().unwrap()
}

/// Holds 96 MB of memory.
const HOG: &str = "head -c 96m /dev/zero | tail -c 96m | wc -c";

#[tokio::test]
async fn a_fork_bomb_meets_the_limit_and_without_it_does_not() {
    let Some(groups) = groups("forks") else { return };
    let group = groups.make("bomb", &Limits { processes: Some(50), ..Limits::default() }).unwrap();
    let count = |group: Option<&Group>| {
        let script = "python3 -c \"
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
\"";
        let output = run_in(group, script);
        String::from_utf8(output.stdout).unwrap().trim().parse::<u32>().unwrap()
    };
    assert_eq!(count(None), 64, "the control");
    let made = count(Some(&group));
    assert!((40..50).contains(&made), "{made} processes with a limit of 50");
    assert!(group.hits().refused_processes > 0);
    group.end(PATIENCE).await.unwrap();
    assert!(!group.exists());
    let owners = group.joins().iter().filter_map(|file| file.ancestors().nth(2).map(Path::exists)).collect::<Vec<_>>();
    assert!(!owners.contains(&true), "the owner's directory goes with its last group");
}

#[tokio::test]
async fn memory_beyond_the_limit_kills_and_is_counted() {
    let Some(groups) = groups("memory") else { return };
    let group = groups.make("hog", &Limits { memory_bytes: Some(48 << 20), ..Limits::default() }).unwrap();
    let held = |group: Option<&Group>| String::from_utf8(run_in(group, HOG).stdout).unwrap().trim().to_owned();
    assert_eq!(held(None), (96 << 20).to_string(), "the control");
    assert_ne!(held(Some(&group)), (96 << 20).to_string());
    assert!(group.hits().memory_kills > 0);
    group.end(PATIENCE).await.unwrap();
}

#[tokio::test]
async fn ending_a_group_kills_what_is_in_it_and_nothing_else() {
    let Some(groups) = groups("ends") else { return };
    let group = groups.make("some", &Limits { cpus: Some(0.5), ..Limits::default() }).unwrap();
    let mut inside = Command::new("sleep").arg("60").spawn().unwrap();
    let mut outside = Command::new("sleep").arg("60").spawn().unwrap();
    group.add(inside.id()).unwrap();
    assert_eq!(group.members(), [inside.id()]);
    assert!(group.remove().is_err(), "it has a process");
    let reaped = std::thread::spawn(move || inside.wait().unwrap());
    group.end(PATIENCE).await.unwrap();
    assert!(!reaped.join().unwrap().success());
    assert!(outside.try_wait().unwrap().is_none(), "the other process runs");
    outside.kill().unwrap();
    outside.wait().unwrap();
    group.end(PATIENCE).await.unwrap();
}

#[tokio::test]
async fn a_sweep_removes_empty_groups_of_this_owner_that_nobody_needs() {
    let (Some(ours), Some(others)) = (groups("sweepa"), groups("sweepb")) else { return };
    let make = |groups: &Cgroups, name: &str| groups.make(name, &Limits::default()).unwrap();
    let (needed, idle, busy, foreign) =
        (make(&ours, "needed"), make(&ours, "idle"), make(&ours, "busy"), make(&others, "idle"));
    let mut process = Command::new("sleep").arg("60").spawn().unwrap();
    busy.add(process.id()).unwrap();
    assert_eq!(ours.sweep(|name| name == "needed"), ["idle"]);
    assert_eq!([needed.exists(), idle.exists(), busy.exists(), foreign.exists()], [true, false, true, true]);
    process.kill().unwrap();
    process.wait().unwrap();
    assert_eq!(ours.sweep(|_| false).len(), 2);
    assert_eq!(others.sweep(|_| false), ["idle"]);
}

#[test]
fn a_group_can_be_stored_and_found_again() {
    let group = Group { dirs: vec![(Controller::Memory, "/sys/fs/cgroup/memory/ocim-a/m-1".into())] };
    let text = serde_json::to_string(&group).unwrap();
    assert_eq!(serde_json::from_str::<Group>(&text).unwrap(), group);
}

#[test]
fn names_cannot_leave_the_owner_s_directory() {
    let groups = Cgroups { place: Place::Nowhere("none".into()), owner: "ocim-a".into() };
    for name in ["", "..", "a/b", "a b"] {
        assert!(groups.make(name, &Limits::default()).is_err(), "{name:?}");
    }
    assert!(groups.make("m-1", &Limits::default()).unwrap().joins().is_empty());
    let lost = groups.lost(&Limits { memory_bytes: Some(1), cpus: Some(1.0), ..Limits::default() });
    assert_eq!(lost.iter().map(|lost| lost.what).collect::<Vec<_>>(), ["memory", "cpu"]);
    assert_eq!(lost.first().unwrap().to_string(), "memory is not limited: none");
}

//! One small playbook for each behaviour and each kind of failure, run by real releases of Ansible. Each has an
//! `expected.txt`: how the run ends, the failed task with its message, Ansible's last words, the number of tasks, the
//! counts, and every line with its level, its progress and its task.
//! `make test` runs the release of the other tests; `make test-ansible` runs all releases and prints a table.
//! `OCIM_WRITE_CORPUS=1` writes a missing `expected.txt` from the run.

mod expected;
mod seen;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use futures::StreamExt as _;
use futures::stream;
use ocim::ansible::port::{Ansible, Requirements};
use tokio_util::sync::CancellationToken;

use super::support::{REQUIREMENTS, Repository, Taken, ansible, load};

/// The releases, each with its requirements file.
const RELEASES: &[(&str, &str)] = &[
    ("2.10", "ansible-base==2.10.17\njinja2<3.1\nmarkupsafe<2.1\n"),
    ("2.12", "ansible-core==2.12.10\n"),
    ("2.16", "ansible-core>=2.16,<2.17\n"),
    ("newest", REQUIREMENTS),
];

/// The playbooks of `make test`: a few of different kinds, since each takes seconds. `make test-ansible` runs all.
const QUICK: &[&str] = &[
    "foreign_lines",
    "handler_fails",
    "loop_items_ignored",
    "no_log",
    "not_utf8",
    "one_host_of_two_fails",
    "rescue_fails",
    "retries_end",
];

fn corpus() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/system/ansible/corpus")
}

fn playbooks() -> Vec<String> {
    let dirs = fs::read_dir(corpus()).unwrap().map(|entry| entry.unwrap()).filter(|entry| entry.path().is_dir());
    let mut names: Vec<_> = dirs.map(|entry| entry.file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// A repository with all playbooks and the requirements of each release.
fn repository() -> Repository {
    let repository = Repository::with_playbook("- hosts: app\n");
    let copied =
        Command::new("cp").arg("--recursive").arg(corpus().join(".")).arg(repository.0.path()).status().unwrap();
    assert!(copied.success());
    for (release, requirements) in RELEASES {
        repository.commit(&format!("requirements/{release}.txt"), requirements);
    }
    repository
}

/// Runs one playbook; gives the differences from its `expected.txt`.
async fn play(repository: &Repository, release: &str, name: &str) -> Vec<String> {
    let dir = tempfile::tempdir().unwrap();
    let mut spec = repository.spec(&dir.path().join("run"));
    spec.playbook_path = format!("{name}/site.yml");
    spec.requirements = Requirements::File(format!("requirements/{release}.txt"));
    let (ansible, cancel, mut taken) = (ansible(), CancellationToken::new(), Taken::default());
    let known = match ansible.prepare(&load(&spec), &mut Taken::default(), &cancel).await {
        Ok(known) => known,
        Err(refusal) => return expected::differences(&corpus().join(name), release, &[format!("refused: {refusal}")]),
    };
    let outcome = ansible.run(&spec, &mut taken, &cancel).await.unwrap();
    let errors = fs::read(spec.dir.join("errors")).unwrap();
    expected::differences(&corpus().join(name), release, &seen::told(known, &outcome, &taken.lines, &errors))
}

/// Each release's playbooks with their differences, which are empty if the run was as expected.
async fn play_all(releases: &[&str], playbooks: &[String]) -> BTreeMap<String, Vec<(String, Vec<String>)>> {
    let repository = repository();
    let at_once = std::thread::available_parallelism().map_or(2, usize::from);
    let mut results = BTreeMap::new();
    for release in releases {
        let plays = playbooks.iter().map(|name| {
            let repository = &repository;
            async move { (name.clone(), play(repository, release, name).await) }
        });
        let played = stream::iter(plays).buffer_unordered(at_once).collect().await;
        results.insert((*release).to_owned(), played);
    }
    results
}

/// A table of the releases, and the differences below it.
fn report(results: &BTreeMap<String, Vec<(String, Vec<String>)>>) -> String {
    let mut text = "\nAnsible   playbooks as expected\n".to_owned();
    for (release, played) in results {
        let good = played.iter().filter(|(_, differences)| differences.is_empty()).count();
        text.push_str(&format!("{release:<9} {good} of {}\n", played.len()));
    }
    for (release, played) in results {
        for (name, differences) in played.iter().filter(|(_, differences)| !differences.is_empty()) {
            text.push_str(&format!("\n{name} with {release}:\n  {}\n", differences.join("\n  ")));
        }
    }
    text
}

async fn expect(releases: &[&str], playbooks: &[String]) {
    let results = play_all(releases, playbooks).await;
    let report = report(&results);
    println!("{report}");
    assert!(results.values().any(|played| !played.is_empty()), "no release or no playbook has this name");
    assert!(results.values().flatten().all(|(_, differences)| differences.is_empty()), "{report}");
}

#[tokio::test]
async fn each_playbook_tells_what_it_does() {
    let quick: Vec<String> = playbooks().into_iter().filter(|name| QUICK.contains(&name.as_str())).collect();
    assert_eq!(quick.len(), QUICK.len(), "{quick:?}");
    expect(&["newest"], &quick).await;
}

#[tokio::test]
#[ignore = "takes minutes: `make test-ansible`"]
async fn each_playbook_tells_the_same_with_every_release() {
    let wanted = |name: &str| std::env::var(name).unwrap_or_default();
    let (release, word) = (wanted("OCIM_ANSIBLE"), wanted("OCIM_ONLY"));
    let releases = RELEASES.iter().map(|(name, _)| *name).filter(|name| release.is_empty() || *name == release);
    let playbooks: Vec<_> = playbooks().into_iter().filter(|name| name.contains(&word)).collect();
    expect(&releases.collect::<Vec<_>>(), &playbooks).await;
}

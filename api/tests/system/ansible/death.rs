//! `kill -9` of the process that runs a playbook: no child survives, and no line is lost or taken twice.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use async_trait::async_trait;
use ocim::ansible::port::{Ansible, SpoolLine, SpoolPosition, SpoolSink};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tokio_util::sync::CancellationToken;

use super::support::{Repository, Taken, ansible, local_play, prepare, processes_of, until};

/// The environment variable with the helper's run directory.
const DIR: &str = "OCIM_TEST_RUN_DIR";
const REPOSITORY: &str = "OCIM_TEST_REPOSITORY";

/// A transaction is one line of a file: it is complete, or it is missing.
struct Ledger(PathBuf);

#[async_trait]
impl SpoolSink for Ledger {
    async fn take(&mut self, lines: Vec<SpoolLine>, position: SpoolPosition) -> Result<(), String> {
        let texts: Vec<_> = lines.into_iter().map(|line| line.text).collect();
        let row = json!({"events": position.events, "errors": position.errors, "texts": texts});
        let mut file = OpenOptions::new().append(true).create(true).open(&self.0).unwrap();
        file.write_all(format!("{row}\n").as_bytes()).unwrap();
        Ok(())
    }
}

fn read_ledger(path: &Path) -> (Vec<String>, SpoolPosition) {
    let (mut texts, mut position) = (Vec::new(), SpoolPosition::default());
    for row in fs::read_to_string(path).unwrap_or_default().split_inclusive('\n').filter(|row| row.ends_with('\n')) {
        let row: Value = serde_json::from_str(row).unwrap();
        texts.extend(row["texts"].as_array().unwrap().iter().map(|text| text.as_str().unwrap().to_owned()));
        position = SpoolPosition { events: row["events"].as_u64().unwrap(), errors: row["errors"].as_u64().unwrap() };
    }
    (texts, position)
}

#[tokio::test]
#[ignore = "not a test: the program that is killed, started by the test below"]
async fn helper() {
    let dir = PathBuf::from(std::env::var_os(DIR).unwrap());
    let repository = PathBuf::from(std::env::var_os(REPOSITORY).unwrap());
    let spec = {
        let mut spec = Repository::with_playbook("").spec(&dir);
        spec.source_repo = repository.display().to_string();
        spec
    };
    let mut ledger = Ledger(dir.with_extension("ledger"));
    drop(ansible().run(&spec, &mut ledger, &CancellationToken::new()).await);
    panic!("the run ended before the program was killed");
}

fn hash(texts: &[String]) -> String {
    hex::encode(Sha256::digest(texts.join("\0")))
}

/// What the callback wrote, read without the program's own code.
fn printed(dir: &Path) -> Vec<String> {
    let spool = fs::read_to_string(dir.join("events")).unwrap();
    let text = |line: &str| {
        serde_json::from_str::<Value>(line).map_or(line.to_owned(), |v| v["text"].as_str().unwrap().to_owned())
    };
    spool.lines().map(text).collect()
}

#[tokio::test]
async fn after_kill_9_nothing_runs_on_and_each_line_is_taken_once() {
    let tasks = "    - {name: many, debug: {msg: \"line {{ item }} é\"}, loop: \"{{ range(500) | list }}\"}\n    \
        - {name: sleeps, command: sleep 300}\n";
    let (repository, dirs) = (Repository::with_playbook(&local_play(tasks)), tempfile::tempdir().unwrap());
    for (index, lines_before) in [3, 40, 200].into_iter().enumerate() {
        let dir = dirs.path().join(format!("run{index}"));
        prepare(&repository.spec(&dir)).await;
        let mut helper = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "system::ansible::death::helper", "--ignored", "--nocapture"])
            .env(DIR, &dir)
            .env(REPOSITORY, repository.0.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let ledger = dir.with_extension("ledger");
        until("some lines are taken", Duration::from_secs(60), || read_ledger(&ledger).0.len() >= lines_before).await;
        helper.kill().unwrap();
        let gone = until("all processes are gone", Duration::from_secs(5), || {
            // The helper's own arguments name the directory too, until it is reaped.
            processes_of(&dir).is_empty()
        });
        gone.await;
        helper.wait().unwrap();
        // An unfinished line, as a crash of the host may leave it.
        OpenOptions::new()
            .append(true)
            .open(dir.join("events"))
            .unwrap()
            .write_all(b"a last line without an end")
            .unwrap();
        let (mut texts, position) = read_ledger(&ledger);
        let mut rest = Taken::default();
        assert_eq!(ansible().recover(&dir, position, &mut rest).await, Ok(true));
        texts.extend(rest.lines.into_iter().map(|line| line.text));
        assert_eq!(hash(&texts), hash(&printed(&dir)), "{} of {}", texts.len(), printed(&dir).len());
        assert!(!dir.join("variables.json").exists() && !dir.join("process.json").exists());
        assert_eq!(ansible().recover(&dir, rest.position, &mut Taken::default()).await, Ok(false));
    }
}

#[tokio::test]
async fn recovery_ends_a_surviving_orphan() {
    let tasks = "    - {name: sleeps, command: sleep 300}\n";
    let (repository, dirs) = (Repository::with_playbook(&local_play(tasks)), tempfile::tempdir().unwrap());
    let spec = repository.spec(&dirs.path().join("run"));
    prepare(&spec).await;
    // The holder still runs and was only presumed dead; recovery treats its run like an orphan.
    let holder = tokio::spawn({
        let spec = spec.clone();
        async move { ansible().run(&spec, &mut Taken::default(), &CancellationToken::new()).await }
    });
    let sleeps = || processes_of(&spec.dir).iter().any(|arguments| arguments.starts_with("sleep 300"));
    until("the playbook sleeps", Duration::from_secs(30), sleeps).await;
    let mut taken = Taken::default();
    assert_eq!(ansible().recover(&spec.dir, SpoolPosition::default(), &mut taken).await, Ok(true));
    assert_eq!(processes_of(&spec.dir), Vec::<String>::new());
    assert!(taken.texts().contains(&"TASK [sleeps]"));
    drop(holder.await);
}

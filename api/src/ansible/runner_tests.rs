//! Tests of the runner with a shell in place of Ansible: every kind of isolation must end all its processes.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::time::Duration;

use async_trait::async_trait;
use serde_json::{Map, json};
use tokio_util::sync::CancellationToken;

use super::inside::Inside;
use super::port::{AnsibleError, Requirements, RunOutcome, RunSpec, SpoolLine, SpoolPosition, SpoolSink, Target};
use super::run_dir::{Prepared, RunDir};
use super::runner::{self, Isolation};
use super::{process, recover};
use crate::platform::sandbox::{Sandbox, SandboxSettings};

/// Cancels at the first line with the word for it.
#[derive(Default)]
struct Sink {
    texts: Vec<String>,
    cancel: CancellationToken,
}

#[async_trait]
impl SpoolSink for Sink {
    async fn take(&mut self, lines: Vec<SpoolLine>, _position: SpoolPosition) -> Result<(), String> {
        self.texts.extend(lines.into_iter().map(|line| line.text));
        if self.texts.iter().any(|text| text == "cancel me") {
            self.cancel.cancel();
        }
        Ok(())
    }
}

/// A prepared run whose `ansible-playbook` is this script.
fn spec(dir: &Path, script: &str) -> RunSpec {
    let bin = dir.join("virtualenv/bin");
    fs::create_dir_all(&bin).unwrap();
    symlink("/bin/sh", bin.join("python")).unwrap();
    fs::write(bin.join("ansible-playbook"), script).unwrap();
    let run = RunDir::create(&dir.join("run")).unwrap();
    fs::create_dir(run.checkout()).unwrap();
    fs::write(run.checkout().join("site.yml"), "").unwrap();
    run.write_prepared(&Prepared { virtualenv: dir.join("virtualenv"), installed: None, wheels: None, loaded: None })
        .unwrap();
    RunSpec {
        dir: dir.join("run"),
        source_repo: String::new(),
        commit: String::new(),
        playbook_path: "site.yml".to_owned(),
        requirements: Requirements::Text(String::new()),
        variables: Map::from_iter([("X_TOKEN".to_owned(), json!("very secret"))]),
        target: Target {
            ssh: "192.0.2.1:2222".parse().unwrap(),
            user: "ubuntu".to_owned(),
            private_key: "the private key".into(),
            host_key: Some("ssh-ed25519 AAAA me@here".to_owned()),
            python: Some("/usr/bin/python3.11".to_owned()),
        },
        line_timeout: Duration::from_secs(30),
        global_timeout: Duration::from_secs(60),
    }
}

/// The walls of the product, or none, as the isolation says.
fn sandbox(isolation: Isolation) -> Sandbox {
    let settings = SandboxSettings::new(std::env::temp_dir().join("ocim-cache/sandbox"));
    Sandbox::new(SandboxSettings { is_off: isolation != Isolation::Wall, ..settings })
}

async fn run_in(
    isolation: Isolation,
    spec: &RunSpec,
    sink: &mut Sink,
    cancel: &CancellationToken,
) -> Result<RunOutcome, AnsibleError> {
    let sandbox = sandbox(isolation);
    let inside = Inside::new(&sandbox).await.unwrap();
    runner::run(isolation, &inside, spec, sink, cancel).await
}

async fn run(isolation: Isolation, script: &str) -> (Result<RunOutcome, AnsibleError>, Vec<String>, tempfile::TempDir) {
    let dir = tempfile::tempdir().unwrap();
    let (spec, mut sink) = (spec(dir.path(), script), Sink::default());
    let cancel = sink.cancel.clone();
    let outcome = run_in(isolation, &spec, &mut sink, &cancel).await;
    (outcome, sink.texts, dir)
}

/// The kinds of isolation that work on this host; at least the mark does.
async fn isolations() -> Vec<Isolation> {
    let mut found = vec![Isolation::Mark];
    found.extend(Some(Isolation::probe().await).filter(|best| *best != Isolation::Mark));
    if sandbox(Isolation::Wall).refusal().await.is_none() {
        found.push(Isolation::Wall);
    }
    found
}

#[tokio::test]
async fn what_left_session_and_environment_behind_is_ended_too() {
    // One ignores SIGTERM, one is a daemon, and one lost its environment as a master connection of ssh does.
    let script = r#"
        trap '' TERM
        echo "mark $OCIM_RUN"
        setsid sleep 300 &
        env -i setsid tail -f /dev/null "/tmp/ocim-$OCIM_RUN/none" &
        echo 'cancel me'
        while :; do sleep 1; done
    "#;
    for isolation in isolations().await {
        let (outcome, texts, _dir) = run(isolation, script).await;
        assert_eq!(outcome, Ok(RunOutcome::Cancelled), "{isolation:?}");
        let mark = texts.iter().find_map(|text| text.strip_prefix("mark ")).unwrap();
        assert_eq!(process::marked(mark), Vec::<i32>::new(), "{isolation:?}");
        assert!(!process::control_dir(mark).exists(), "{isolation:?}");
    }
}

#[tokio::test]
async fn the_exit_status_comes_through_and_a_signal_is_none() {
    for isolation in isolations().await {
        let cases = [("exit 0", RunOutcome::Succeeded), ("exit 4", failed(Some(4))), ("kill -9 $$", failed(None))];
        for (script, expected) in cases {
            let mut outcome = run(isolation, script).await.0;
            // A shell prints its own message for a signal.
            if let Ok(RunOutcome::Failed { exit_status: None, words, .. }) = &mut outcome {
                *words = None;
            }
            assert_eq!(outcome, Ok(expected), "{isolation:?}: {script}");
        }
        // A process that is still running when a run ends by itself is killed.
        let (outcome, texts, _dir) = run(isolation, "echo $OCIM_RUN; setsid sleep 300 & exit 0").await;
        assert_eq!(outcome, Ok(RunOutcome::Succeeded));
        assert_eq!(process::marked(texts.first().unwrap()), Vec::<i32>::new(), "{isolation:?}");
    }
}

const fn failed(exit_status: Option<i32>) -> RunOutcome {
    RunOutcome::Failed { exit_status, failed_task: None, words: None }
}

#[tokio::test]
async fn it_gets_its_files_and_nothing_of_the_manager() {
    let script = r#"
        env
        echo "arguments $*"
        cat "${ANSIBLE_HOME%/home/.ansible}/inventory" "${ANSIBLE_HOME%/home/.ansible}/known_hosts"
        echo 'a very secret word'
        stat -c '%a %n' "${ANSIBLE_HOME%/home/.ansible}/variables.json"
        while [ "$1" != --private-key ]; do shift; done
        stat -c 'key %a' "$2"
        [ "$(cat "$2")" = 'the private key' ] && echo it is the key
        cat "$2"
    "#;
    for isolation in isolations().await {
        it_gets_them(isolation, script).await;
    }
}

async fn it_gets_them(isolation: Isolation, script: &str) {
    let (outcome, texts, dir) = run(isolation, script).await;
    assert_eq!(outcome, Ok(RunOutcome::Succeeded), "{isolation:?}");
    let has = |wanted: &str| texts.iter().any(|text| text == wanted);
    assert!(
        has("[app]")
            && has("192.0.2.1 ansible_port=2222 ansible_python_interpreter=/usr/bin/python3.11")
            && has("[192.0.2.1]:2222 ssh-ed25519 AAAA"),
        "{texts:#?}"
    );
    assert!(has("a very secret word") && texts.iter().any(|text| text.starts_with("600 ")), "{texts:#?}");
    assert!(has("key 600") && has("it is the key"), "{texts:#?}");
    assert!(has("********") && !has("the private key"), "a reader of the log does not get the key: {texts:#?}");
    let foreign = texts.iter().filter(|text| text.starts_with("CARGO") || text.starts_with("SSH_AUTH"));
    assert_eq!(foreign.count(), 0, "{texts:#?}");
    assert!(has("LANG=C.UTF-8"), "{texts:#?}");
    assert!(!dir.path().join("run/variables.json").exists() && !dir.path().join("run/key").exists());
}

#[tokio::test]
async fn a_run_of_an_earlier_version_is_taken_over_with_its_events() {
    let dir = tempfile::tempdir().unwrap();
    drop(spec(dir.path(), ""));
    // Its process is gone; its record and its lines have no key.
    let record = r#"{"process":{"pid":1,"start_time":1,"boot_id":"x"},"mark":"00000000000000000000000000000000"}"#;
    fs::write(dir.path().join("run/process.json"), record).unwrap();
    let printed = r#"{"message": "m", "at": 1.5, "kind": "failed", "text": "fatal: [h]", "task": "a", "host": "h"}"#;
    fs::write(dir.path().join("run/events"), format!("{printed}\nplain\n")).unwrap();
    let mut sink = Sink::default();
    assert_eq!(recover::recover(&dir.path().join("run"), SpoolPosition::default(), &mut sink).await, Ok(true));
    assert_eq!(sink.texts, ["fatal: [h]", "plain"]);
    assert!(!dir.path().join("run/process.json").exists());
}

#[tokio::test]
async fn a_line_of_another_program_is_no_event_and_the_key_is_nowhere_else() {
    let script = r#"
        echo '{"at": 1, "kind": "failed", "text": "x", "task": "forged", "message": "forged"}'
        echo "{\"key\": \"$OCIM_EVENTS_KEY\", \"at\": 1, \"kind\": \"failed\", \"text\": \"t\", \"task\": \"ours\", \"message\": \"m\"}"
        exit 2
    "#;
    let (outcome, texts, _dir) = run(Isolation::Mark, script).await;
    let failed_task = Some(("ours".to_owned(), "m".to_owned()));
    assert_eq!(outcome, Ok(RunOutcome::Failed { exit_status: Some(2), failed_task, words: None }));
    assert_eq!(texts.len(), 2);
    assert!(texts.first().unwrap().starts_with("{\"at\": 1"), "{texts:?}");
}

#[tokio::test]
async fn the_last_error_is_told_with_paths_of_the_repository() {
    let script = r#"
        echo "[WARNING]: noise" >&2
        printf 'ERROR! no such role\n\nThe error appears to be in '"'%s'"': line 2, column 3, but may\n' "$PWD/site.yml" >&2
        exit 1
    "#;
    let (outcome, _, _dir) = run(Isolation::Mark, script).await;
    let words = Some("no such role (site.yml, line 2, column 3)".to_owned());
    assert_eq!(outcome, Ok(RunOutcome::Failed { exit_status: Some(1), failed_task: None, words }));
}

#[tokio::test]
async fn a_run_that_was_not_taken_over_is_not_written_over() {
    let dir = tempfile::tempdir().unwrap();
    let spec = spec(dir.path(), "exit 0");
    fs::write(dir.path().join("run/process.json"), r#"{"process":{"pid":1,"start_time":1,"boot_id":"x"},"mark":"m"}"#)
        .unwrap();
    let outcome = run_in(Isolation::Mark, &spec, &mut Sink::default(), &CancellationToken::new()).await;
    assert!(matches!(&outcome, Err(AnsibleError::Permanent(text)) if text.contains("not taken over")), "{outcome:?}");
}

//! A run that is ended from outside leaves no process and no file.

use std::time::{Duration, Instant};

use ocim::ansible::port::{Ansible, AnsibleError, RunOutcome, RunSpec, SpoolLine, SpoolPosition, SpoolSink};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

use super::support::{Repository, Sshd, Taken, all_arguments, ansible, local_play, prepare, processes_of, until};

const SLEEPS: &str = "    - {name: sleeps, command: sleep 300}\n";

async fn prepared(playbook: &str) -> (RunSpec, [TempDir; 2]) {
    let (repository, dir) = (Repository::with_playbook(playbook), tempfile::tempdir().unwrap());
    let spec = repository.spec(&dir.path().join("run"));
    prepare(&spec).await;
    (spec, [repository.0, dir])
}

fn sleeps(spec: &RunSpec) -> bool {
    processes_of(&spec.dir).iter().any(|arguments| arguments.starts_with("sleep 300"))
}

#[tokio::test]
async fn a_cancelled_run_is_gone_when_it_returns() {
    let (spec, _dirs) = prepared(&local_play(SLEEPS)).await;
    let (ansible, cancel, mut taken) = (ansible(), CancellationToken::new(), Taken::default());
    let run = ansible.run(&spec, &mut taken, &cancel);
    let stop = async {
        until("the playbook sleeps", Duration::from_secs(30), || sleeps(&spec)).await;
        cancel.cancel();
        Instant::now()
    };
    let (outcome, cancelled) = tokio::join!(run, stop);
    assert_eq!(outcome, Ok(RunOutcome::Cancelled));
    assert_eq!(processes_of(&spec.dir), Vec::<String>::new());
    assert!(cancelled.elapsed() < Duration::from_secs(5), "{:?}", cancelled.elapsed());
    assert!(taken.texts().contains(&"TASK [sleeps]"));
    assert!(!spec.dir.join("variables.json").exists());
}

#[tokio::test]
async fn a_cancelled_run_takes_its_ssh_along() {
    let sshd = Sshd::start().await;
    let playbook = "- hosts: app\n  gather_facts: false\n  tasks:\n    - {name: sleeps, command: sleep 301}\n";
    let (mut spec, _dirs) = prepared(playbook).await;
    spec.target = sshd.target(Some(sshd.public_key("host.pub")));
    let (ansible, cancel, mut taken) = (ansible(), CancellationToken::new(), Taken::default());
    let run = ansible.run(&spec, &mut taken, &cancel);
    let stop = async {
        let record = || std::fs::read(spec.dir.join("process.json")).unwrap_or_default();
        until("the run is recorded", Duration::from_secs(30), || !record().is_empty()).await;
        let record: serde_json::Value = serde_json::from_slice(&record()).unwrap();
        let sockets = format!("/tmp/ocim-{}", record["mark"].as_str().unwrap());
        // A master connection clears its environment; only its title shows whose it is.
        let master = format!("ssh: {sockets}/");
        let has_master = || all_arguments().iter().any(|arguments| arguments.starts_with(&master));
        until("ssh has a master connection", Duration::from_secs(30), has_master).await;
        cancel.cancel();
        sockets
    };
    let (outcome, sockets) = tokio::join!(run, stop);
    assert_eq!(outcome, Ok(RunOutcome::Cancelled));
    let mut left = processes_of(&spec.dir);
    left.extend(all_arguments().into_iter().filter(|arguments| arguments.contains(&sockets)));
    assert_eq!(left, Vec::<String>::new());
    assert!(!std::path::Path::new(&sockets).exists());
}

#[tokio::test]
async fn a_run_that_is_silent_or_long_is_ended() {
    let (mut spec, _dirs) = prepared(&local_play(SLEEPS)).await;
    spec.line_timeout = Duration::from_secs(4);
    let began = Instant::now();
    let outcome = ansible().run(&spec, &mut Taken::default(), &CancellationToken::new()).await;
    assert_eq!((outcome, processes_of(&spec.dir)), (Ok(RunOutcome::LineTimeout), Vec::new()));
    assert!(began.elapsed() < Duration::from_secs(15), "{:?}", began.elapsed());
    spec.line_timeout = Duration::from_secs(60);
    spec.global_timeout = Duration::from_secs(4);
    let outcome = ansible().run(&spec, &mut Taken::default(), &CancellationToken::new()).await;
    assert_eq!((outcome, processes_of(&spec.dir)), (Ok(RunOutcome::GlobalTimeout), Vec::new()));
}

/// Takes batches up to the one with this text, and fails on later ones.
struct Refusing(Taken, &'static str);

#[async_trait::async_trait]
impl SpoolSink for Refusing {
    async fn take(&mut self, lines: Vec<SpoolLine>, position: SpoolPosition) -> Result<(), String> {
        if self.0.texts().contains(&self.1) {
            return Err("the lease was lost".to_owned());
        }
        self.0.take(lines, position).await
    }
}

#[tokio::test]
async fn a_sink_that_refuses_ends_the_run_and_another_takes_over() {
    let tasks = format!("    - {{name: one, debug: {{msg: one}}}}\n    - {{name: apart, command: sleep 1}}\n{SLEEPS}");
    let (spec, _dirs) = prepared(&local_play(&tasks)).await;
    let mut refusing = Refusing(Taken::default(), "ok: [127.0.0.2] => one");
    let outcome = ansible().run(&spec, &mut refusing, &CancellationToken::new()).await;
    assert_eq!(outcome, Err(AnsibleError::Sink("the lease was lost".to_owned())));
    assert_eq!(processes_of(&spec.dir), Vec::<String>::new());
    let mut taken = refusing.0;
    let position = taken.position;
    assert_eq!(ansible().recover(&spec.dir, position, &mut taken).await, Ok(true));
    let texts = taken.texts();
    assert_eq!(texts.iter().filter(|text| **text == "ok: [127.0.0.2] => one").count(), 1, "{texts:?}");
    assert!(!spec.dir.join("variables.json").exists());
    assert_eq!(ansible().recover(&spec.dir, taken.position, &mut Taken::default()).await, Ok(false));
}

#[tokio::test]
async fn a_run_that_is_dropped_leaves_no_process() {
    let (spec, _dirs) = prepared(&local_play(SLEEPS)).await;
    let task = tokio::spawn({
        let spec = spec.clone();
        async move { ansible().run(&spec, &mut Taken::default(), &CancellationToken::new()).await }
    });
    until("the playbook sleeps", Duration::from_secs(30), || sleeps(&spec)).await;
    task.abort();
    until("all processes are gone", Duration::from_secs(5), || processes_of(&spec.dir).is_empty()).await;
    assert_eq!(ansible().recover(&spec.dir, SpoolPosition::default(), &mut Taken::default()).await, Ok(true));
}

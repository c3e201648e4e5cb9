//! The output and progress of a run.

use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

use ocim::ansible::port::{Ansible, RunOutcome, TaskProgress};
use shared_types::LogLevel;
use tokio_util::sync::CancellationToken;

use super::support::{Repository, SECRET, Sshd, Taken, all_arguments, ansible, local_play, prepare, processes_of};

const MANY: &str = r#"
    - name: say
      debug: msg="hello {{ EDXAPP_MYSQL_PASSWORD }}"
    - name: hidden
      command: "echo {{ EDXAPP_MYSQL_PASSWORD }}"
      no_log: true
      changed_when: false
    - name: skipped
      debug: msg=never
      when: false
    - name: guard
      block:
        - name: fails and is rescued
          command: sh -c 'echo deep trouble >&2; exit 3'
      rescue:
        - name: rescues
          debug: msg=rescued
    - name: is ignored
      command: "false"
      ignore_errors: true
    - name: changes
      command: "true"
      notify: tell
    - meta: flush_handlers
    - name: loops
      debug: msg="{{ item.name }}"
      loop: [{name: a, password: not-shown}, {name: b, password: not-shown}]
  handlers:
    - name: tell
      debug: msg=told
"#;

#[tokio::test]
async fn a_run_reports_its_output_and_its_progress() {
    let (repository, dir) = (Repository::with_playbook(&local_play(MANY)), tempfile::tempdir().unwrap());
    let spec = repository.spec(dir.path());
    let known = prepare(&spec).await;
    let mut taken = Taken::default();
    let outcome = ansible().run(&spec, &mut taken, &CancellationToken::new()).await.unwrap();
    assert_eq!(outcome, RunOutcome::Succeeded, "{:#?}", taken.texts());
    // Not known beforehand are the handler and the task in `rescue`; the meta task has an end and no beginning.
    let [began, added, ended] =
        [TaskProgress::Began, TaskProgress::Added, TaskProgress::Ended].map(|progress| taken.count(progress));
    assert_eq!((known, began, added, ended), (8, 7, 2, 10));
    let texts = taken.texts();
    for expected in [
        "PLAY [Test]",
        "TASK [say]",
        &format!("ok: [127.0.0.2] => hello {SECRET}"),
        "skipping: [127.0.0.2]",
        "TASK [fails and is rescued]",
        "changed: [127.0.0.2]",
        "RUNNING HANDLER [tell]",
        "ok: [127.0.0.2] (item) => a",
    ] {
        assert!(texts.contains(&expected), "{expected} in {texts:#?}");
    }
    let all = texts.join("\n");
    assert!(all.contains("\nexit status: 3\nstderr:\ndeep trouble"), "{all}");
    assert!(!all.contains("not-shown"), "{all}");
    assert!(texts.last().unwrap().starts_with("PLAY RECAP\n127.0.0.2 : ok="), "{all}");
    assert!(taken.lines.iter().all(|line| line.level < LogLevel::Error), "{:#?}", taken.lines);
    assert!(taken.lines.windows(2).all(|pair| pair[0].at <= pair[1].at));
}

#[tokio::test]
async fn the_first_task_that_failed_is_named_with_its_message() {
    let tasks = "    - {name: first, command: 'false', ignore_errors: true}\n    \
        - {name: second, command: \"sh -c 'echo no space left >&2; exit 7'\"}\n    - {name: third, debug: {msg: never}}\n";
    let (repository, dir) = (Repository::with_playbook(&local_play(tasks)), tempfile::tempdir().unwrap());
    let spec = repository.spec(dir.path());
    prepare(&spec).await;
    let mut taken = Taken::default();
    let outcome = ansible().run(&spec, &mut taken, &CancellationToken::new()).await.unwrap();
    let RunOutcome::Failed { exit_status: Some(2), failed_task: Some((task, message)), .. } = outcome else {
        panic!("{outcome:?}")
    };
    // Ansible's own message differs between versions; the command's output is the useful one.
    assert_eq!(task, "second");
    assert!(message.ends_with("non-zero return code: no space left"), "{message}");
    assert!(!taken.texts().contains(&"TASK [third]"));
    assert!(["variables.json", "key", "process.json"].iter().all(|name| !spec.dir.join(name).exists()));
}

#[tokio::test]
async fn ssh_accepts_only_the_given_host_key() {
    let sshd = Sshd::start().await;
    let playbook = "- hosts: app\n  gather_facts: false\n  tasks:\n    - {name: over ssh, command: echo x}\n";
    let (repository, dir) = (Repository::with_playbook(playbook), tempfile::tempdir().unwrap());
    let keys = [Some(sshd.public_key("host.pub")), None, Some(sshd.public_key("client.pub"))];
    let mut outcomes = Vec::new();
    for (index, key) in keys.into_iter().enumerate() {
        let mut spec = repository.spec(&dir.path().join(index.to_string()));
        spec.target = sshd.target(key);
        prepare(&spec).await;
        outcomes.push(ansible().run(&spec, &mut Taken::default(), &CancellationToken::new()).await.unwrap());
        assert_eq!(processes_of(&spec.dir), Vec::<String>::new());
    }
    assert_eq!(outcomes[..2], [RunOutcome::Succeeded, RunOutcome::Succeeded]);
    let RunOutcome::Failed { failed_task: Some((task, message)), .. } = &outcomes[2] else { panic!("{outcomes:?}") };
    assert_eq!(task, "over ssh");
    assert!(message.contains("Host key verification failed"), "{message}");
}

#[tokio::test]
async fn variables_are_in_a_file_of_0600_and_on_no_command_line() {
    let tasks = "    - copy: {content: '{{ EDXAPP_MYSQL_PASSWORD }}', dest: '{{ playbook_dir }}/made'}\n    \
        - pause: {seconds: 2}\n";
    let (repository, dir) = (Repository::with_playbook(&local_play(tasks)), tempfile::tempdir().unwrap());
    let spec = repository.spec(&dir.path().join("run"));
    prepare(&spec).await;
    assert!(!spec.dir.join("variables.json").exists(), "preparing leaves no variables");
    let (ansible, cancel, mut taken) = (ansible(), CancellationToken::new(), Taken::default());
    let run = ansible.run(&spec, &mut taken, &cancel);
    let look = async {
        let mut modes = Vec::new();
        while modes.len() < 30 {
            let mode = |path: &std::path::Path| std::fs::metadata(path).map(|file| file.permissions().mode() & 0o7777);
            modes.extend(mode(&spec.dir.join("variables.json")).ok().map(|file| (file, mode(&spec.dir).unwrap())));
            let arguments = all_arguments();
            assert!(arguments.iter().all(|text| !text.contains(SECRET)), "{arguments:#?}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        modes
    };
    let (outcome, modes) = tokio::join!(run, look);
    assert_eq!(outcome.unwrap(), RunOutcome::Succeeded);
    assert!(modes.iter().all(|modes| *modes == (0o600, 0o700)), "{modes:?}");
    assert_eq!(std::fs::read_to_string(spec.dir.join("checkout/playbooks/made")).unwrap(), SECRET);
    assert!(!spec.dir.join("variables.json").exists());
}

#[tokio::test]
async fn a_task_that_is_polled_is_not_silent() {
    let playbook = local_play("    - {name: takes its time, command: sleep 9, async: 60, poll: 2}\n")
        .replace("  tasks:", "  vars: {ansible_async_dir: \"{{ playbook_dir }}/async\"}\n  tasks:");
    let (repository, dir) = (Repository::with_playbook(&playbook), tempfile::tempdir().unwrap());
    let mut spec = repository.spec(dir.path());
    prepare(&spec).await;
    spec.line_timeout = Duration::from_secs(6);
    let mut taken = Taken::default();
    let outcome = ansible().run(&spec, &mut taken, &CancellationToken::new()).await.unwrap();
    assert_eq!(outcome, RunOutcome::Succeeded, "{:#?}", taken.texts());
    let polls = taken.lines.iter().filter(|line| line.text.starts_with("ASYNC POLL: "));
    assert!(polls.clone().count() >= 2, "{:#?}", taken.texts());
    assert!(polls.into_iter().all(|line| line.task.as_deref() == Some("takes its time")));
}

#[tokio::test]
async fn a_line_of_3_mb_is_cut_and_stalls_nothing() {
    let tasks =
        "    - {name: long, debug: {msg: \"{{ 'x' * 3000000 }}\"}}\n    - {name: after, debug: {msg: reached}}\n";
    let (repository, dir) = (Repository::with_playbook(&local_play(tasks)), tempfile::tempdir().unwrap());
    let spec = repository.spec(dir.path());
    prepare(&spec).await;
    let mut taken = Taken::default();
    let outcome = ansible().run(&spec, &mut taken, &CancellationToken::new()).await.unwrap();
    assert_eq!(outcome, RunOutcome::Succeeded);
    let long = taken.lines.iter().find(|line| line.text.contains("xxxx")).unwrap();
    assert!((500_000..=1_000_000).contains(&long.text.len()), "{}", long.text.len());
    assert!(long.text.contains("[the middle of this text was cut"));
    assert_eq!(long.progress, Some(TaskProgress::Ended));
    assert!(taken.texts().contains(&"ok: [127.0.0.2] => reached"));
}

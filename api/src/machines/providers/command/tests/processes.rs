//! Runs that fail: processes, time and output. Nothing of a run is left.

use std::time::Instant;

use super::*;
use crate::machines::provider::Provider;

/// An argument of `sleep` that no other test uses.
struct Mark(String);

impl Mark {
    fn new(number: u32) -> Self {
        Self(format!("{}.{number}", 100_000 + std::process::id()))
    }

    /// How many processes have it as their last argument; zombies have none.
    fn processes(&self) -> usize {
        let ends = |cmdline: Vec<u8>| cmdline.ends_with(format!("sleep\0{}\0", self.0).as_bytes());
        let entries = std::fs::read_dir("/proc").unwrap().flatten();
        entries.filter(|entry| std::fs::read(entry.path().join("cmdline")).is_ok_and(ends)).count()
    }

    async fn wait_for(&self, count: usize) {
        let begun = Instant::now();
        while self.processes() != count {
            assert!(begun.elapsed() < Duration::from_secs(10), "{} processes, not {count}", self.processes());
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

#[tokio::test]
async fn a_program_that_hangs_is_ended_with_its_children() {
    let mark = Mark::new(1);
    let script = format!("sleep {0} & (sleep {0} & sleep {0}) & trap '' TERM; sleep {0}", mark.0);
    let mut config = config(&script);
    (config.read_limit, config.change_limit) = (Duration::from_secs(1), Duration::from_secs(2));
    let provider = CommandProvider::open(config).await.unwrap();
    let begun = Instant::now();
    let words = transient(provider.find(&seven()).await);
    mark.wait_for(0).await;
    assert!(words.contains("did not end within 1 s"), "{words}");
    assert!(words.contains("raise OCIM_COMMAND_PROVIDER_READ_SECONDS (find of server 7)"), "{words}");
    let words = transient(provider.create(&spec()).await);
    mark.wait_for(0).await;
    assert!(words.contains("did not end within 2 s") && words.contains("PROVIDER_CHANGE_SECONDS"), "{words}");
    assert!(begun.elapsed() < Duration::from_secs(10));
}

#[tokio::test]
async fn children_of_a_program_that_has_ended_are_ended() {
    let mark = Mark::new(2);
    for output in ["", ">/dev/null 2>&1"] {
        let script = format!("sleep {} {output} & echo '{{\"version\": 1, \"machine\": null}}'", mark.0);
        let provider = provider(&script).await;
        let begun = Instant::now();
        assert_eq!(provider.find(&seven()).await.unwrap(), None);
        mark.wait_for(0).await;
        assert!(begun.elapsed() < Duration::from_secs(10));
    }
}

#[tokio::test]
async fn a_process_of_another_session_does_not_delay_the_answer() {
    let mark = Mark::new(3);
    let script = format!("setsid sleep {} & echo '{{\"version\": 1, \"machine\": null}}'; echo $! >&2", mark.0);
    let provider = provider(&script).await;
    let begun = Instant::now();
    assert_eq!(provider.find(&seven()).await.unwrap(), None);
    assert!(begun.elapsed() < Duration::from_secs(5));
    for entry in std::fs::read_dir("/proc").unwrap().flatten() {
        let cmdline = std::fs::read(entry.path().join("cmdline")).unwrap_or_default();
        if cmdline.ends_with(format!("sleep\0{}\0", mark.0).as_bytes()) {
            let pid =
                entry.file_name().to_str().and_then(|pid| pid.parse().ok()).and_then(rustix::process::Pid::from_raw);
            rustix::process::kill_process(pid.unwrap(), rustix::process::Signal::KILL).unwrap();
        }
    }
}

#[tokio::test]
async fn a_dropped_operation_ends_its_program() {
    let mark = Mark::new(4);
    let provider = provider(&format!("sleep {0} & sleep {0}", mark.0)).await;
    let spec = spec();
    let mut create = Box::pin(provider.create(&spec));
    tokio::select! {
        _ = &mut create => panic!("it hangs"),
        () = mark.wait_for(2) => {}
    }
    drop(create);
    mark.wait_for(0).await;
}

#[tokio::test]
async fn a_program_that_prints_without_end_is_ended() {
    let begun = Instant::now();
    let mark = Mark::new(5);
    for (script, stream) in [("yes", "stdout"), ("yes >&2", "stderr"), ("head -c 1048577 /dev/zero", "stdout")] {
        let provider = provider(&format!("sleep {} & {script}", mark.0)).await;
        let words = transient(provider.list().await);
        mark.wait_for(0).await;
        assert!(words.contains(&format!("printed more than 1048576 bytes on {stream}")), "{words}");
    }
    let noisy = provider("head -c 1000000 /dev/zero >&2; echo '{\"version\": 1, \"machines\": []}'").await;
    assert_eq!(noisy.list().await.unwrap(), [], "the control");
    assert!(begun.elapsed() < Duration::from_secs(20));
}

#[tokio::test]
async fn a_failed_exit_status_is_transient_with_the_last_line_of_stderr() {
    let good = r#"echo '{"version": 1, "machine": null}'"#;
    for (script, shown) in [
        (format!("{good}; exit 3"), "ended with exit status 3 and printed nothing on stderr (find of server 7)."),
        (
            "echo one >&2; printf 'two \\033[2J\\n\\n' >&2; exit 1".to_owned(),
            "ended with exit status 1: two  [2J (find",
        ),
        ("kill -SEGV $$".to_owned(), "ended with signal 11 and printed nothing"),
        ("nonsense 2>&1; exit 4".to_owned(), "ended with exit status 4"),
    ] {
        let words = transient(provider(&script).await.find(&seven()).await);
        assert!(words.contains(shown), "{words}");
    }
    let long = provider("head -c 100000 /dev/zero | tr '\\0' x >&2; exit 1").await;
    let words = transient(long.create(&spec()).await);
    assert_eq!(words.matches('x').count(), 300 + "exit".matches('x').count(), "{words}");
}

#[tokio::test]
async fn a_program_may_leave_its_request_unread() {
    for script in ["exec <&-", ""] {
        let script = format!("{script}\necho '{OFFERS}'");
        let config = CommandConfig { arguments: vec!["-c".to_owned(), script], ..config("") };
        CommandProvider::open(config).await.unwrap();
    }
    let spec = MachineSpec { authorized_key: "k".repeat(500_000), ..spec() };
    let unread = format!("echo '{{\"version\": 1, \"machine\": {}}}'", SEVEN.replace('\n', ""));
    let script = format!("case $(head -c 50) in *offers*) echo '{OFFERS}';; *) {unread};; esac");
    let provider =
        CommandProvider::open(CommandConfig { arguments: vec!["-c".to_owned(), script], ..config("") }).await.unwrap();
    provider.create(&spec).await.unwrap();
}

#[tokio::test]
async fn no_more_programs_run_at_the_same_time_than_the_settings_say() {
    let dir = tempfile::tempdir().unwrap();
    // Each waits until two run, which is the most that may.
    let script = format!(
        "cd {}; : >$$.run; for n in $(seq 100); do set -- *.run; echo $# >>seen; [ -e two ] && break; \
         [ $# -ge 2 ] && : >two; sleep 0.05; done; rm $$.run; echo '{{\"version\": 1, \"machines\": []}}'",
        dir.path().display()
    );
    let provider = CommandProvider::open(CommandConfig { at_once: 2, ..config(&script) }).await.unwrap();
    let lists = futures::future::join_all((0..8).map(|_| provider.list())).await;
    assert!(lists.into_iter().all(|list| list.is_ok()));
    let seen = std::fs::read_to_string(dir.path().join("seen")).unwrap();
    assert_eq!(seen.lines().max(), Some("2"), "{seen}");
}

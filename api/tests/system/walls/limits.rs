//! Memory, processes and disk, tried in small.

use std::time::Duration;

use ocim::platform::sandbox::RunLimits;

use super::{bare, limited, private_dir};

fn small() -> RunLimits {
    RunLimits { memory_mb: 100, processes: 50, disk_mb: 20, file_mb: 8, ..RunLimits::default() }
}

/// Limits that are there only as root.
fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

#[tokio::test]
async fn the_51st_process_is_refused() {
    // A shell would wait and try again.
    let script =
        "/usr/bin/python3 -c 'import os, time\nfor n in range(64):\n  if os.fork() == 0: time.sleep(3); os._exit(0)'";
    if is_root() {
        let ended = limited(script, &bare(), small()).await;
        assert!(ended.stopped.as_deref().is_some_and(|words| words.contains("more than 50 processes")), "{ended:?}");
    }
    let ended = limited(script, &bare(), RunLimits::default()).await;
    assert!(ended.success, "{ended:?}");
}

#[tokio::test]
async fn a_program_that_needs_more_memory_is_ended_with_words() {
    if !is_root() {
        return;
    }
    let script = "/usr/bin/python3 -c 'len(bytearray(300 << 20))'";
    let ended = limited(script, &bare(), small()).await;
    assert!(ended.stopped.as_deref().is_some_and(|words| words.contains("more than 100 MB of memory")), "{ended:?}");
    assert!(limited(script, &bare(), RunLimits::default()).await.success);
}

#[tokio::test]
async fn a_program_that_fills_the_disk_is_ended_with_words() {
    let dir = private_dir();
    let written = dir.path().join("written");
    std::fs::create_dir(&written).unwrap();
    let wall = bare().write(&written);
    let script =
        format!("cd {}; for n in 1 2 3 4 5; do head -c 6000000 /dev/zero > $n; done; sleep 60", written.display());
    let began = std::time::Instant::now();
    let ended = limited(&script, &wall, small()).await;
    assert!(
        ended.stopped.as_deref().is_some_and(|words| words.contains("more than 20 MB (OCIM_RUN_DISK_MB)")),
        "{ended:?}"
    );
    assert!(began.elapsed() < Duration::from_secs(30));
    let script = format!("head -c 20000000 /dev/zero > {}/large", written.display());
    let ended = limited(&script, &wall, RunLimits { disk_mb: 1000, ..small() }).await;
    assert!(!ended.success, "a file larger than 8 MB: {ended:?}");
    assert!(limited(&script, &wall, RunLimits::default()).await.success);
}

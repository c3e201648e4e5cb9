//! Ends a run whose manager stands still. The manager ends its runs itself when it loses a lease, but not while it is
//! suspended: stopped by a signal, or waiting for memory. A small process beside each run does: it gets a line
//! every half second, and kills the run when it gets none for a while.
//!
//! If the manager ends, the run ends with it (`setpriv --pdeathsig`), and so does this process.

use std::io::{self, Write};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

/// How long the manager may stand still: less than what is left of a lease when its work ends by itself, so that the run
/// has ended before another worker takes the lease.
const PATIENCE: Duration = Duration::from_secs(4);
/// The interval between the manager's signs of life.
const INTERVAL: Duration = Duration::from_millis(500);

/// Reads signs of life. When none comes in time, which the shell says by a status above 128, it kills the run's process
/// group; the kernel then kills the run's namespace.
const SCRIPT: &str = r#"while read -r -t "$1" sign || { end=$?; false; }; do :; done
[ "$end" -le 128 ] || kill -KILL -- "-$2""#;

/// Watches over a run until it is dropped.
#[derive(Debug)]
pub(super) struct Watchdog {
    _until_dropped: Sender<()>,
}

impl Watchdog {
    /// Starts to watch the process group of a run's outermost process. None, with a warning, if that is not possible.
    pub(super) fn start(group: i32) -> Option<Self> {
        let started = watching(group, PATIENCE).and_then(Self::feed);
        if let Err(error) = &started {
            tracing::warn!(%error, "nothing would end a playbook while this process is suspended: install bash");
        }
        started.ok()
    }

    /// A thread gives the signs of life, because the threads of the runtime may all be busy.
    fn feed(watching: Child) -> io::Result<Self> {
        let (sender, ended) = channel();
        std::thread::Builder::new().name("run watchdog".to_owned()).spawn(move || give_signs(watching, &ended))?;
        Ok(Self { _until_dropped: sender })
    }
}

fn watching(group: i32, patience: Duration) -> io::Result<Child> {
    let mut command = Command::new("bash");
    command.args(["-c", SCRIPT, "ocim-watchdog", &patience.as_secs().to_string(), &group.to_string()]);
    // A group of its own, so that no signal to the manager's group stops it too.
    command.env_clear().process_group(0).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn()
}

fn give_signs(mut watching: Child, ended: &Receiver<()>) {
    if let Some(mut to) = watching.stdin.take() {
        while ended.recv_timeout(INTERVAL) == Err(RecvTimeoutError::Timeout) && to.write_all(b"\n").is_ok() {}
    }
    // It ends when its input does.
    if let Err(error) = watching.wait() {
        tracing::debug!(%error, "a run's watchdog was not waited for");
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::os::unix::process::ExitStatusExt;
    use std::time::Instant;

    use super::*;

    fn run() -> (Child, i32) {
        let child = Command::new("sleep").arg("60").process_group(0).spawn().unwrap();
        let group = i32::try_from(child.id()).unwrap();
        (child, group)
    }

    #[test]
    fn a_run_whose_manager_stands_still_is_killed_and_others_go_on() {
        let ((mut abandoned, first), (mut watched, second), (mut ended, third)) = (run(), run(), run());
        let patience = Duration::from_secs(1);
        let began = Instant::now();
        // As if this process was suspended: the pipe stays open and nothing is written.
        let silent = watching(first, patience).unwrap();
        let talking = Watchdog::feed(watching(second, patience).unwrap()).unwrap();
        drop(Watchdog::feed(watching(third, patience).unwrap()).unwrap());
        assert_eq!(abandoned.wait().unwrap().signal(), Some(9));
        assert!(began.elapsed() >= patience);
        std::thread::sleep(2 * patience);
        assert!(watched.try_wait().unwrap().is_none() && ended.try_wait().unwrap().is_none());
        drop((silent, talking));
        for mut child in [watched, ended] {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }
}

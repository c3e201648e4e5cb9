//! What foreign code prints: endless, or meant for the terminal of the log's reader.

use std::time::{Duration, Instant};

use ocim::ansible::port::{Ansible as _, RunOutcome};
use ocim::platform::sandbox::{RunLimits, Wall, capture_up_to};
use tokio_util::sync::CancellationToken;

use super::playing::spec;
use super::world::inside;
use crate::system::ansible::support::{Repository, Taken, load, local_play};

/// A callback that fills the file of the run's output as fast as it can, beside the lines of the program's own callback,
/// and holds the run up once the file may not grow any more.
const FLOOD: &str = "import os, time
from ansible.plugins.callback import CallbackBase
class CallbackModule(CallbackBase):
    CALLBACK_NAME = 'flood'
    CALLBACK_TYPE = 'aggregate'
    def v2_playbook_on_task_start(self, task, is_conditional):
        line = b'x' * 8191 + b'\\n'
        while True:
            try: os.write(1, line)
            except OSError: time.sleep(1)
";

/// A callback that prints what is not UTF-8: a line of its own on stdout.
const RAW: &str = "import os
from ansible.plugins.callback import CallbackBase
class CallbackModule(CallbackBase):
    CALLBACK_NAME = 'raw'
    CALLBACK_TYPE = 'aggregate'
    def v2_playbook_on_play_start(self, play):
        os.write(1, b'\\xff\\xfe\\x9b31m\\x1b]0;walls-title\\x07\\x1b[2J\\xc3 walls-raw\\n')
";

#[test]
fn a_playbook_that_prints_without_end_is_ended_with_words() {
    inside("output::a_playbook_that_prints_without_end_is_ended_with_words", async |mut world| {
        let before = world.state();
        let (repository, dir) =
            (Repository::with_playbook(&local_play("    - {command: 'true'}\n")), world.run_dir("16"));
        repository.commit("ansible.cfg", "[defaults]\ncallbacks_enabled = flood\n");
        repository.commit("playbooks/callback_plugins/flood.py", FLOOD);
        let spec = spec(&repository, &dir);
        let cancel = CancellationToken::new();
        world.ansible(false, RunLimits::default()).prepare(&load(&spec), &mut Taken::default(), &cancel).await.unwrap();
        let limits = RunLimits { disk_mb: 16, file_mb: 64, ..RunLimits::default() };
        let (began, mut taken) = (Instant::now(), Taken::default());
        let outcome = world.ansible(false, limits).run(&spec, &mut taken, &cancel).await.unwrap();
        println!("ended after {:?}", began.elapsed());
        let RunOutcome::Limit { words } = &outcome else { panic!("{outcome:?}") };
        assert!(words.contains("OCIM_RUN_DISK_MB") && began.elapsed() < Duration::from_secs(30), "{words}");
        let size = std::fs::metadata(dir.join("events")).unwrap().len();
        // The control: it went on until it was ended, and not beyond the limit of a file.
        assert!(size > 16 << 20 && size <= 64 << 20, "{size} bytes");
        world.assert_is_still(&before);
    });
}

#[test]
fn a_program_that_prints_without_end_is_kept_in_bounds() {
    inside("output::a_program_that_prints_without_end_is_kept_in_bounds", async |world| {
        let sandbox = world.sandbox(false, RunLimits::default());
        let account = sandbox.account().await.unwrap();
        let mut cell = sandbox.cell(&account, "sh", &Wall::new("/tmp")).await.unwrap();
        cell.command.args(["-c", "timeout 2 yes; echo done >&2"]);
        let cancel = CancellationToken::new();
        let output = capture_up_to(1000, cell, Duration::from_secs(20), &cancel).await.unwrap();
        assert_eq!((output.stdout.len(), output.stderr.trim()), (1000, "done"));
    });
}

#[test]
fn sequences_for_a_terminal_do_not_get_into_the_log() {
    inside("output::sequences_for_a_terminal_do_not_get_into_the_log", async |world| {
        // Sets the title, asks for the status, clears the screen, writes to the clipboard, ends a string, goes back.
        let evil = r"\033]0;walls-title\007 \033[6n \033[2J \033]52;c;d2FsbHM=\007 \033P1;walls\033\\\\ \010\010 \302\23331m \r walls-end";
        let tasks = format!(
            "    - {{name: prints, command: \"printf '{}'\", failed_when: true, ignore_errors: true}}\n",
            evil.replace('\\', "\\\\")
        );
        let tasks = tasks + "    - {name: fails, fail: {msg: \"\\e]0;walls-title\\a \\e[2J walls-end\"}}\n";
        let (repository, dir) = (Repository::with_playbook(&local_play(&tasks)), world.run_dir("17"));
        repository.commit("ansible.cfg", "[defaults]\ncallbacks_enabled = raw\n");
        repository.commit("playbooks/callback_plugins/raw.py", RAW);
        let spec = spec(&repository, &dir);
        let (ansible, cancel, mut taken) =
            (world.ansible(false, RunLimits::default()), CancellationToken::new(), Taken::default());
        ansible.prepare(&load(&spec), &mut taken, &cancel).await.unwrap();
        let outcome = ansible.run(&spec, &mut taken, &cancel).await.unwrap();
        // The control: the spool has them.
        let bytes = std::fs::read(dir.join("events")).unwrap();
        let spool = String::from_utf8_lossy(&bytes);
        let has_raw = bytes.windows(4).any(|part| part == b"\xff\xfe\x9b3");
        assert!(has_raw && spool.contains("u001b]0;") && spool.contains("u009b31m"), "{spool}");
        let said = taken.texts().join("\n") + &format!("{outcome:?}");
        assert!(said.contains("walls-end") && said.contains("walls-raw"), "{said}");
        let is_colour = |rest: &str| {
            let numbers =
                rest.strip_prefix('[').unwrap_or_default().trim_start_matches(|c: char| c.is_ascii_digit() || c == ';');
            numbers.starts_with('m')
        };
        for text in taken.texts() {
            for (at, sign) in text.char_indices().filter(|(_, sign)| sign.is_control() && !matches!(sign, '\n' | '\t'))
            {
                assert!(sign == '\u{1b}' && is_colour(&text[at + 1..]), "{text:?}");
            }
        }
    });
}

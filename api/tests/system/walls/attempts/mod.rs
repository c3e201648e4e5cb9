//! What foreign code tries: a row for each attempt, with the shell script that makes it.
//!
//! A script runs with the functions and variables of [`PREAMBLE`] and of the world. It has succeeded if it prints
//! [`LOOT`], which only the manager's files, processes and servers hold, or [`WORKED`].

mod changes;
mod exhausts;
mod kernel;
mod reaches;
mod reads;

pub use self::exhausts::{EXHAUSTS, Exhaust};

/// What the manager's secrets contain.
pub const LOOT: &str = "loot-of-the-walls";
/// What a script prints when it could do something else than read.
pub const WORKED: &str = "it-worked";

/// What an attempt is after.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Reads something of the host, of the manager, or of another run.
    Reads,
    /// Connects to something that a run may not reach.
    Reaches,
    /// Changes something outside of the run.
    Changes,
    /// Gets more of the kernel than a program needs.
    Widens,
}

/// How the same script succeeds without the wall.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Control {
    /// As root, in a mount namespace of its own.
    Root,
    /// As root, in a process namespace with a `/proc` of its own, too.
    OwnProcesses,
    /// As root, if this condition of the shell holds on the host.
    If(&'static str),
}

/// A row of the table.
#[derive(Debug, Clone, Copy)]
pub struct Attempt {
    pub name: &'static str,
    pub kind: Kind,
    pub control: Control,
    pub shell: &'static str,
}

impl Attempt {
    const fn new(kind: Kind, name: &'static str, shell: &'static str) -> Self {
        Self { name, kind, control: Control::Root, shell }
    }

    const fn control(self, control: Control) -> Self {
        Self { control, ..self }
    }

    /// A name for a file.
    pub fn file(&self) -> String {
        self.name.replace([' ', '/'], "-")
    }
}

/// Whether a script's output says that it got through.
pub fn has_succeeded(output: &str) -> bool {
    output.contains(LOOT) || output.contains(WORKED)
}

/// Fails with all rows that are wrong, a line for each.
pub fn assert_none(what: &str, wrong: &[String]) {
    assert!(wrong.is_empty(), "{what}:\n{}", wrong.join("\n"));
}

/// The last line of an output, for a failure's message.
pub fn last(said: &str) -> &str {
    said.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("no output")
}

/// Every attempt but those that exhaust.
pub fn all() -> Vec<Attempt> {
    [reads::READS, reaches::REACHES, changes::CHANGES, kernel::WIDENS].concat()
}

/// Functions of the scripts. `sysc` makes a system call by the numbers of x86_64 and aarch64; a buffer of zeros stands for
/// the word `zeros`.
pub const PREAMBLE: &str = r#"
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
worked() { printf 'it-%s\n' worked; }
tcp() { timeout 3 python3 -c '
import socket, sys
print(socket.create_connection((sys.argv[1], int(sys.argv[2])), 1.5).recv(99).decode())' "$@"; }
udp() { timeout 3 python3 -c '
import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.settimeout(1.0); s.sendto(b"?", (sys.argv[1], int(sys.argv[2])))
print(s.recv(99).decode())' "$@"; }
local_socket() { timeout 3 python3 -c '
import socket, sys
s = socket.socket(socket.AF_UNIX); s.settimeout(1.5); s.connect(sys.argv[1].replace("@", "\0", 1)); print(s.recv(99).decode())' "$@"; }
sysc() { timeout 3 python3 -c '
import ctypes, os, sys
libc = ctypes.CDLL(None, use_errno=True)
number = int(sys.argv[1 if os.uname().machine == "x86_64" else 2])
values = [ctypes.create_string_buffer(256) if word == "zeros" else int(word, 0) for word in sys.argv[3:]]
if libc.syscall(number, *values) < 0: sys.exit(os.strerror(ctypes.get_errno()))' "$@" && worked; }
"#;

#[test]
fn every_attempt_has_a_name_of_its_own() {
    let mut names: Vec<_> = all().iter().map(Attempt::file).chain(EXHAUSTS.iter().map(|row| row.name.into())).collect();
    let count = names.len();
    assert!(count >= 30, "{count} attempts");
    names.sort();
    names.dedup();
    assert_eq!(names.len(), count);
}

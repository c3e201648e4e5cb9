//! Recognizes failures of a program that the manager's host or the network caused, not its input.

use crate::platform::command::Output;

/// What programs print when the host lacks something.
const OURS: &[&str] = &[
    "No space left on device",
    "Disk quota exceeded",
    "Input/output error",
    "Cannot allocate memory",
    "MemoryError",
    "Too many open files",
    "Resource temporarily unavailable",
    "can't start new thread",
    "BlockingIOError",
];

/// What programs print when a host was not reached.
const UNREACHED: &[&str] = &[
    "Connection refused",
    "Connection reset",
    "Connection timed out",
    "Network is unreachable",
    "No route to host",
    "Temporary failure in name resolution",
    "Name or service not known",
    "Could not resolve host",
    "Failed to connect to",
    "Remote end closed connection",
    "The read operation timed out",
    "urlopen error timed out",
    "timed out",
    "HTTP Code: 5",
    "HTTP Error 5",
    "returned error: 5",
    "Gateway Timeout",
    "Bad Gateway",
    "Service Unavailable",
];

/// Whether a signal ended it (for example the kernel's when memory is short), or the manager's host lacks something.
pub(super) fn is_ours(output: &Output) -> bool {
    let is_killed = output.code.is_none_or(|code| (129..=192).contains(&code));
    is_killed || says(output, OURS)
}

/// Whether it failed to reach a host.
pub(super) fn is_unreached(output: &Output) -> bool {
    says(output, UNREACHED)
}

fn says(output: &Output, list: &[&str]) -> bool {
    list.iter().any(|words| output.stdout.contains(words) || output.stderr.contains(words))
}

//! What a machine's init may do: its capabilities, and the filter of its system calls.

use crate::platform::seccomp::{self, Profile};

/// Numbers of the capabilities (linux/capability.h). Without those to make devices, change networks or mounts, send raw
/// packets, load modules, trace, or set the clock.
const CAPABILITIES: &[(&str, u32)] = &[
    ("chown", 0),
    ("dac_override", 1),
    ("fowner", 3),
    ("fsetid", 4),
    ("kill", 5),
    ("setgid", 6),
    ("setuid", 7),
    ("setpcap", 8),
    ("net_bind_service", 10),
    ("sys_chroot", 18),
    ("audit_write", 29),
    ("setfcap", 31),
];

/// The calls that `init.pl` makes, in the order in which it expects their numbers.
const CALLS: [libc::c_long; 6] = [
    libc::SYS_pivot_root,
    libc::SYS_umount2,
    libc::SYS_prctl,
    libc::SYS_capset,
    libc::SYS_seccomp,
    libc::SYS_close_range,
];

/// The filter's bytes; empty if there is none for this architecture.
pub(super) fn filter() -> Vec<u8> {
    seccomp::filter(Profile::Machine).unwrap_or_default()
}

/// The last arguments of `boot.sh`, for `init.pl`: the capabilities to keep, and the numbers of system calls.
pub(super) fn arguments() -> Vec<String> {
    let keep = CAPABILITIES.iter().fold(0_u64, |mask, (_, number)| mask | 1 << number);
    [keep.to_string()].into_iter().chain(CALLS.iter().map(ToString::to_string)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kept_capabilities_are_those_of_the_list() {
        // As `capsh --decode` reads it.
        assert_eq!(arguments().first().map(String::as_str), Some(0xa004_05fb_u64.to_string().as_str()));
        assert_eq!(arguments().len(), 7);
    }
}

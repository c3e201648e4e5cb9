#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

use std::process::Command;

use super::*;

/// Runs a filter as the kernel would, and gives what it returns.
fn returned(profile: Profile, architecture: u32, call: c_long, arguments: &[u64]) -> u32 {
    let bytes = filter(profile).unwrap();
    let mut data = Vec::new();
    data.extend(u32::try_from(call).unwrap().to_le_bytes());
    data.extend(architecture.to_le_bytes());
    data.extend(0_u64.to_le_bytes());
    for index in 0..6 {
        data.extend(arguments.get(index).copied().unwrap_or_default().to_le_bytes());
    }
    let (mut accumulator, mut at) = (0_u32, 0_usize);
    loop {
        let instruction = &bytes[at * 8..at * 8 + 8];
        let value = u32::from_ne_bytes(instruction[4..8].try_into().unwrap());
        let (if_true, if_false) = (usize::from(instruction[2]), usize::from(instruction[3]));
        at += 1;
        let mut jump = |holds: bool| at += if holds { if_true } else { if_false };
        match u16::from_ne_bytes(instruction[..2].try_into().unwrap()) {
            LOAD => {
                let offset = usize::try_from(value).unwrap();
                accumulator = u32::from_le_bytes(data[offset..offset + 4].try_into().unwrap());
            }
            JUMP_IF_EQUAL => jump(accumulator == value),
            JUMP_IF_AT_LEAST => jump(accumulator >= value),
            JUMP_IF_ANY_BIT => jump(accumulator & value != 0),
            RETURN => return value,
            other => panic!("{other:#x} is no instruction of these filters"),
        }
    }
}

fn here(profile: Profile, call: c_long, arguments: &[u64]) -> u32 {
    returned(profile, ARCHITECTURE.unwrap(), call, arguments)
}

#[test]
fn calls_are_refused_by_their_number() {
    for profile in [Profile::Run, Profile::Machine] {
        for call in REFUSED.iter().chain(REFUSED_HERE) {
            assert_eq!(here(profile, *call, &[]), ERRNO | EPERM, "{call}");
        }
        for call in [libc::SYS_read, libc::SYS_execve, libc::SYS_openat, libc::SYS_setuid, libc::SYS_wait4] {
            assert_eq!(here(profile, call, &[]), ALLOW, "{call}");
        }
        assert_eq!(here(profile, libc::SYS_clone3, &[]), ERRNO | ENOSYS);
    }
    assert_eq!(here(Profile::Run, libc::SYS_chroot, &[]), ERRNO | EPERM);
    assert_eq!(here(Profile::Machine, libc::SYS_chroot, &[]), ALLOW, "sshd needs it");
}

#[test]
fn some_calls_are_refused_by_an_argument() {
    let machine = |call, arguments: &[u64]| here(Profile::Machine, call, arguments);
    assert_eq!(machine(libc::SYS_clone, &[0x1200_0011]), ERRNO | EPERM, "a user namespace among others");
    assert_eq!(machine(libc::SYS_clone, &[0x0120_0011]), ALLOW, "a fork");
    assert_eq!(machine(libc::SYS_unshare, &[0x1000_0000]), ERRNO | EPERM);
    assert_eq!(machine(libc::SYS_unshare, &[0x0002_0000]), ALLOW);
    assert_eq!(machine(libc::SYS_ioctl, &[0, 0x5412]), ERRNO | EPERM, "TIOCSTI");
    assert_eq!(machine(libc::SYS_ioctl, &[0, 0xffff_0000_5412]), ERRNO | EPERM, "the kernel ignores the upper half");
    assert_eq!(machine(libc::SYS_ioctl, &[0, 0x5413]), ALLOW, "TIOCGWINSZ");
    assert_eq!(machine(libc::SYS_personality, &[0xffff_ffff]), ALLOW);
    assert_eq!(machine(libc::SYS_personality, &[0x0040_0000]), ERRNO | EPERM);
    assert_eq!(machine(libc::SYS_socket, &[2, 1]), ALLOW);
    assert_eq!(machine(libc::SYS_socket, &[38, 5]), ERRNO | EAFNOSUPPORT, "AF_ALG");
}

#[test]
fn programs_of_another_architecture_can_call_nothing() {
    assert_eq!(returned(Profile::Machine, 0x4000_0003, libc::SYS_read, &[]), ERRNO | ENOSYS, "i386");
    assert_eq!(here(Profile::Machine, 0x4000_0000 + libc::SYS_read, &[]), ERRNO | ENOSYS, "x32");
}

/// Installs the filter (`FILTER`, a file) in itself and becomes the program that its arguments name.
const INSTALL: &str = "open my $f, '<', shift or die; local $/; my $p = <$f>; syscall(157, 38, 1, 0, 0, 0) and die; \
    syscall(317, 1, 0, pack('S x6 P', length($p) / 8, $p)) and die qq(seccomp: $!); exec @ARGV or die";

/// The kernel takes the programs, common work goes on under them, and what they refuse fails where it works without.
#[cfg(target_arch = "x86_64")]
#[test]
fn the_kernel_accepts_the_filters() {
    let dir = tempfile::tempdir().unwrap();
    let run = |profile: Option<Profile>, script: &str| {
        let mut command = Command::new(if profile.is_some() { "perl" } else { "sh" });
        if let Some(profile) = profile {
            let file = dir.path().join(format!("{profile:?}"));
            std::fs::write(&file, filter(profile).unwrap()).unwrap();
            command.args(["-e", INSTALL]).arg(file).arg("sh");
        }
        command.args(["-c", script]).output().unwrap()
    };
    for profile in [Profile::Run, Profile::Machine] {
        let work = run(
            Some(profile),
            "set -e; ls / >/dev/null; git --version; python3 -c 'import socket, threading; \
            t = threading.Thread(target=lambda: None); t.start(); t.join(); socket.socket().close()'",
        );
        assert!(work.status.success(), "{profile:?}: {}", String::from_utf8_lossy(&work.stderr));
        for refused in ["unshare --user true", "perl -e 'exit(syscall(323, 1) < 0)'"] {
            assert!(!run(Some(profile), refused).status.success(), "{profile:?}: {refused}");
            assert!(run(None, refused).status.success(), "the control: {refused}");
        }
    }
}

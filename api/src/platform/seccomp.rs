//! Filters of system calls for foreign code: seccomp programs as bytes, for a starter that installs them (bubblewrap's
//! `--seccomp`, or the start script of a local machine).
//!
//! A filter lists what is refused. Everything that Ansible, git, pip, ssh, sshd, sudo, nginx and apt need is allowed; what
//! is refused widens the reach into the kernel (namespaces, mounts, keyrings, BPF, io_uring, tracing) or concerns the whole
//! host. A filter applies regardless of a process's capabilities, also of those that it would have in a user namespace.
//!
//! Only x86_64 and aarch64. Programs of another architecture, such as 32-bit ones, can make no system call.

use libc::c_long;

/// For whom a filter is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Profile {
    /// A run of git, pip or Ansible, together with no-new-privileges.
    Run,
    /// A local machine, whose sudo must work: installed without no-new-privileges by a process that has
    /// `CAP_SYS_ADMIN`, before it gives its capabilities up.
    Machine,
}

/// The program as the kernel reads it: an array of `struct sock_filter` in this host's byte order. None if this program
/// has been compiled for an architecture without a list.
#[must_use]
pub fn filter(profile: Profile) -> Option<Vec<u8>> {
    let mut program = Program::default();
    program.begin(ARCHITECTURE?);
    REFUSED.iter().chain(REFUSED_HERE).for_each(|call| program.refuse(*call, EPERM));
    if profile == Profile::Run {
        REFUSED_IN_RUNS.iter().for_each(|call| program.refuse(*call, EPERM));
    }
    // Its flags are behind a pointer, which a filter cannot follow. C libraries fall back to clone.
    program.refuse(libc::SYS_clone3, ENOSYS);
    program.refuse_flags(libc::SYS_clone, CLONE_NEWUSER);
    program.refuse_flags(libc::SYS_unshare, CLONE_NEWUSER);
    program.refuse_values(libc::SYS_ioctl, 1, &[TIOCSTI, TIOCLINUX], EPERM);
    program.allow_values(libc::SYS_personality, 0, PERSONALITIES, EPERM);
    program.allow_values(libc::SYS_socket, 0, FAMILIES, EAFNOSUPPORT);
    program.push(RETURN, 0, 0, ALLOW);
    Some(program.bytes())
}

#[cfg(target_arch = "x86_64")]
const ARCHITECTURE: Option<u32> = Some(0xc000_003e);
#[cfg(target_arch = "aarch64")]
const ARCHITECTURE: Option<u32> = Some(0xc000_00b7);
#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
const ARCHITECTURE: Option<u32> = None;

const REFUSED: &[c_long] = &[
    // Mounts, by the old calls and the new ones.
    libc::SYS_mount,
    libc::SYS_umount2,
    libc::SYS_pivot_root,
    libc::SYS_open_tree,
    libc::SYS_move_mount,
    libc::SYS_fsopen,
    libc::SYS_fsconfig,
    libc::SYS_fsmount,
    libc::SYS_fspick,
    libc::SYS_mount_setattr,
    OPEN_TREE_ATTR,
    // Files behind the back of mounts and permissions.
    libc::SYS_open_by_handle_at,
    libc::SYS_fanotify_init,
    // Namespaces of others.
    libc::SYS_setns,
    // Keyrings, which namespaces do not separate.
    libc::SYS_keyctl,
    libc::SYS_add_key,
    libc::SYS_request_key,
    // Large, often attacked parts of the kernel.
    libc::SYS_bpf,
    libc::SYS_perf_event_open,
    libc::SYS_userfaultfd,
    libc::SYS_io_uring_setup,
    libc::SYS_io_uring_enter,
    libc::SYS_io_uring_register,
    // Other processes' memory and descriptors.
    libc::SYS_ptrace,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_pidfd_getfd,
    libc::SYS_kcmp,
    // The host as a whole.
    libc::SYS_kexec_load,
    libc::SYS_kexec_file_load,
    libc::SYS_init_module,
    libc::SYS_finit_module,
    libc::SYS_delete_module,
    libc::SYS_swapon,
    libc::SYS_swapoff,
    libc::SYS_reboot,
    libc::SYS_quotactl,
    libc::SYS_quotactl_fd,
    libc::SYS_acct,
    libc::SYS_nfsservctl,
    libc::SYS_clock_settime,
    libc::SYS_settimeofday,
    libc::SYS_syslog,
    libc::SYS_vhangup,
];

/// The calls that only one of the architectures has.
#[cfg(target_arch = "x86_64")]
const REFUSED_HERE: &[c_long] = &[
    libc::SYS_iopl,
    libc::SYS_ioperm,
    libc::SYS_modify_ldt,
    libc::SYS_uselib,
    libc::SYS_ustat,
    libc::SYS_sysfs,
    libc::SYS__sysctl,
];
#[cfg(not(target_arch = "x86_64"))]
const REFUSED_HERE: &[c_long] = &[];

/// What a machine may ask (its root gets the kernel's answer), and a run never needs.
const REFUSED_IN_RUNS: &[c_long] = &[
    libc::SYS_unshare,
    libc::SYS_chroot,
    libc::SYS_clock_adjtime,
    libc::SYS_adjtimex,
    libc::SYS_sethostname,
    libc::SYS_setdomainname,
    libc::SYS_lookup_dcookie,
];

/// Since Linux 6.15; the same number on all architectures.
const OPEN_TREE_ATTR: c_long = 467;

const CLONE_NEWUSER: u32 = 0x1000_0000;
/// Types a character into a terminal, as if its user had.
const TIOCSTI: u32 = 0x5412;
const TIOCLINUX: u32 = 0x541c;
/// Linux, 32-bit Linux, both with `UNAME26`, and the question for the present one.
const PERSONALITIES: &[u32] = &[0, 0x0008, 0x0002_0000, 0x0002_0008, 0xffff_ffff];
/// Unix, IPv4, IPv6, netlink.
const FAMILIES: &[u32] = &[1, 2, 10, 16];

const EPERM: u32 = 1;
const ENOSYS: u32 = 38;
const EAFNOSUPPORT: u32 = 97;

// Codes of classic BPF (linux/bpf_common.h) and values of linux/seccomp.h.
const LOAD: u16 = 0x20;
const JUMP_IF_EQUAL: u16 = 0x15;
const JUMP_IF_AT_LEAST: u16 = 0x35;
const JUMP_IF_ANY_BIT: u16 = 0x45;
const RETURN: u16 = 0x06;
const ALLOW: u32 = 0x7fff_0000;
const ERRNO: u32 = 0x0005_0000;
/// Offsets in `struct seccomp_data`.
const NUMBER: u32 = 0;
const ARCH: u32 = 4;
const ARGUMENTS: u32 = 16;
/// Numbers from here on are those of the x32 programs, with the architecture of x86_64.
const X32: u32 = 0x4000_0000;

#[derive(Debug, Default)]
struct Program {
    instructions: Vec<(u16, u8, u8, u32)>,
}

impl Program {
    fn push(&mut self, code: u16, if_true: u8, if_false: u8, value: u32) {
        self.instructions.push((code, if_true, if_false, value));
    }

    /// Refuses other architectures, and leaves the number of the call in the accumulator.
    fn begin(&mut self, architecture: u32) {
        self.push(LOAD, 0, 0, ARCH);
        self.push(JUMP_IF_EQUAL, 1, 0, architecture);
        self.push(RETURN, 0, 0, ERRNO | ENOSYS);
        self.push(LOAD, 0, 0, NUMBER);
        self.push(JUMP_IF_AT_LEAST, 0, 1, X32);
        self.push(RETURN, 0, 0, ERRNO | ENOSYS);
    }

    fn refuse(&mut self, call: c_long, error: u32) {
        self.push(JUMP_IF_EQUAL, 0, 1, number(call));
        self.push(RETURN, 0, 0, ERRNO | error);
    }

    /// Refuses a call if its first argument has the flag. The number is in the accumulator before and after, as below.
    fn refuse_flags(&mut self, call: c_long, flag: u32) {
        self.push(JUMP_IF_EQUAL, 0, 4, number(call));
        self.push(LOAD, 0, 0, argument(0));
        self.push(JUMP_IF_ANY_BIT, 0, 1, flag);
        self.push(RETURN, 0, 0, ERRNO | EPERM);
        self.push(RETURN, 0, 0, ALLOW);
    }

    /// Refuses a call if this argument has one of the values. Of these arguments the kernel reads the lower 32 bits, too.
    fn refuse_values(&mut self, call: c_long, index: u32, values: &[u32], error: u32) {
        self.push(JUMP_IF_EQUAL, 0, length(2 + 2 * values.len()), number(call));
        self.push(LOAD, 0, 0, argument(index));
        for value in values {
            self.push(JUMP_IF_EQUAL, 0, 1, *value);
            self.push(RETURN, 0, 0, ERRNO | error);
        }
        self.push(RETURN, 0, 0, ALLOW);
    }

    /// Refuses a call unless this argument has one of the values.
    fn allow_values(&mut self, call: c_long, index: u32, values: &[u32], error: u32) {
        self.push(JUMP_IF_EQUAL, 0, length(2 + 2 * values.len()), number(call));
        self.push(LOAD, 0, 0, argument(index));
        for value in values {
            self.push(JUMP_IF_EQUAL, 0, 1, *value);
            self.push(RETURN, 0, 0, ALLOW);
        }
        self.push(RETURN, 0, 0, ERRNO | error);
    }

    fn bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.instructions.len() * 8);
        for (code, if_true, if_false, value) in &self.instructions {
            bytes.extend(code.to_ne_bytes());
            bytes.extend([*if_true, *if_false]);
            bytes.extend(value.to_ne_bytes());
        }
        bytes
    }
}

/// No number is larger than 500 or negative.
fn number(call: c_long) -> u32 {
    u32::try_from(call).unwrap_or(u32::MAX)
}

/// A jump over this many instructions; the lists above are far shorter than 256.
fn length(instructions: usize) -> u8 {
    u8::try_from(instructions).unwrap_or(u8::MAX)
}

/// Offset of the lower half of an argument. Both architectures are little-endian.
fn argument(index: u32) -> u32 {
    ARGUMENTS + 8 * index
}

#[cfg(test)]
mod tests;

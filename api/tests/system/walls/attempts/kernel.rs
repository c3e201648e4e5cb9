//! Parts of the kernel that a program does not need, and that widen what it can attack.

use super::{Attempt, Control, Kind};

const fn widens(name: &'static str, shell: &'static str) -> Attempt {
    Attempt::new(Kind::Widens, name, shell)
}

pub(super) const WIDENS: &[Attempt] = &[
    widens("user namespace", "unshare --user --map-root-user true && worked"),
    widens("mount namespace", "unshare --mount true && worked"),
    widens("another bubblewrap", "bwrap --unshare-user --ro-bind / / true && worked"),
    widens("mount", "mkdir -p mounted; mount -t tmpfs tmpfs mounted && worked"),
    // fsopen, fsconfig and fsmount are newer than mount, and must be refused, too.
    widens(
        "mount by the new calls",
        r#"timeout 3 python3 -c '
import ctypes, os, sys
libc = ctypes.CDLL(None, use_errno=True)
if libc.syscall(430, b"tmpfs", 0) < 0: sys.exit(os.strerror(ctypes.get_errno()))' && worked"#,
    ),
    widens("unmount", "umount /dev/shm && worked"),
    widens("chroot", "mkdir -p jail && python3 -c 'import os; os.chroot(\"jail\")' && worked"),
    widens("namespaces of another process", r#"nsenter --target "$VICTIM" --mount --net true && worked"#),
    // PTRACE_SEIZE.
    widens("tracing of another process", r#"sysc 101 117 0x4206 "$VICTIM" 0 0"#),
    // PTRACE_TRACEME.
    widens("tracing of its own", "sysc 101 117 0 0 0 0"),
    // KEYCTL_JOIN_SESSION_KEYRING.
    widens("keyrings", "sysc 250 219 1 0"),
    widens("io_uring", "sysc 425 425 4 zeros"),
    // An array of one element of four bytes: BPF_MAP_CREATE.
    widens(
        "programs of BPF",
        r#"timeout 3 python3 -c '
import ctypes, os, struct, sys
libc = ctypes.CDLL(None, use_errno=True)
what = ctypes.create_string_buffer(struct.pack("IIII", 2, 4, 4, 1))
if libc.syscall(321 if os.uname().machine == "x86_64" else 280, 0, what, 16) < 0: sys.exit(os.strerror(ctypes.get_errno()))' && worked"#,
    ),
    widens("userfaultfd", "sysc 323 282 1"),
    widens(
        "counters of the processor",
        r#"timeout 3 python3 -c '
import ctypes, os, struct, sys
libc = ctypes.CDLL(None, use_errno=True)
what = ctypes.create_string_buffer(struct.pack("IIQ", 1, 112, 0), 112)
if libc.syscall(298 if os.uname().machine == "x86_64" else 241, what, 0, -1, -1, 0) < 0: sys.exit(os.strerror(ctypes.get_errno()))' && worked"#,
    ),
    widens("packets", "python3 -c 'import socket; socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 768)' && worked"),
    widens("raw sockets", "python3 -c 'import socket; socket.socket(socket.AF_INET, socket.SOCK_RAW, 1)' && worked"),
    widens(
        "sockets of the kernel's ciphers",
        "python3 -c 'import socket; socket.socket(38, socket.SOCK_SEQPACKET)' && worked",
    )
    .control(Control::If("python3 -c 'import socket; socket.socket(38, socket.SOCK_SEQPACKET)'")),
    widens("fixed addresses", "setarch -R true && worked"),
    // As if a person had typed a character into the terminal. A terminal of its own stands for the operator's.
    widens(
        "typing into a terminal",
        r#"timeout 3 python3 -c '
import fcntl, os, pty, sys, termios
child, outer = pty.fork()
if child == 0: fcntl.ioctl(0, termios.TIOCSTI, b"x"); os._exit(0)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))' && worked"#,
    ),
];

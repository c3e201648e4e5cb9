//! Files, environments and memory of others.

use super::{Attempt, Control, Kind};

const fn reads(name: &'static str, shell: &'static str) -> Attempt {
    Attempt::new(Kind::Reads, name, shell)
}

pub(super) const READS: &[Attempt] = &[
    reads("keys of the vault", r#"cat "$DATA/keys/secrets""#),
    reads("SSH key of the machines", r#"cat "$DATA/ssh/id_ed25519""#),
    reads("password of the database", r#"cat "$DATA/postgres/password""#),
    reads("password of the database's superuser", r#"cat "$DATA/postgres/superuser-password""#),
    reads("variables of another run", r#"cat "$DATA/runs/7/variables.json""#),
    reads("checkout of another run", r#"cat "$DATA/runs/7/checkout/file""#),
    reads("every file beside its own run", r#"grep -rsh 'loot-o[f]' "$RUN/..""#),
    reads("SSH key in the home of the manager", r#"cat "$MANAGERS_HOME/.ssh/id_ed25519""#),
    reads("keys by a symbolic link", r#"ln -sf "$DATA/keys/secrets" link-to-keys; cat link-to-keys"#),
    reads("keys by a hard link", r#"rm -f hard-link; ln "$DATA/keys/secrets" hard-link && cat hard-link"#),
    reads("environment of every process", r"cat /proc/[0-9]*/environ | tr '\0' '\n' | grep OCIM_SECRET_KEYS"),
    reads(
        "environment of every process after unmounting proc",
        r"umount /proc; cat /proc/[0-9]*/environ | tr '\0' '\n' | grep OCIM_SECRET_KEYS",
    )
    .control(Control::OwnProcesses),
    reads("its own environment", "env | grep -E '^(OCIM_SECRET|DATABASE_URL|SSH_AUTH_SOCK|GITHUB_)'"),
    reads("keys by the root of any process", r#"cat /proc/[0-9]*/root"$DATA"/keys/secrets"#),
    reads("keys by the directory of another process", r#"cat "/proc/$VICTIM/cwd/keys/secrets""#),
    reads("open file of another process", r#"cat "/proc/$VICTIM/fd/0""#),
    reads("shared memory as files", "cat /dev/shm/walls-loot"),
    reads("shared memory of System V", r#"ipcs -m -i "$SEGMENT" | grep -q 'shmid=' && worked"#),
    reads("hashes of passwords of the host", "grep -q ^root: /etc/shadow && worked"),
    reads("messages of the kernel", "dmesg | grep -q . && worked").control(Control::If("dmesg | grep -q .")),
    reads("disk by its device", r#"[ "$(head -c 512 "/dev/$DISK" | wc -c)" = 512 ] && worked"#)
        .control(Control::If(r#"head -c 1 "/dev/$DISK""#)),
    reads(
        "disk by a device node of its own",
        r#"rm -f node; mknod node b "$DISK_MAJOR" "$DISK_MINOR" && [ "$(head -c 512 node | wc -c)" = 512 ] && worked"#,
    )
    .control(Control::If(r#"head -c 1 "/dev/$DISK""#)),
    reads(
        "keys from outside of a chroot",
        r#"mkdir -p jail; python3 -c '
import os, sys
os.chroot("jail")
for _ in range(64): os.chdir("..")
os.chroot("."); print(open(sys.argv[1] + "/keys/secrets").read())' "$DATA""#,
    ),
    // The root of an ext4 file system is always inode 2.
    reads(
        "keys by the handle of the disk",
        r#"python3 -c '
import ctypes, os, struct, sys
libc = ctypes.CDLL(None, use_errno=True)
handle = ctypes.create_string_buffer(struct.pack("IiII", 8, 1, 2, 0))
root = libc.syscall(304 if os.uname().machine == "x86_64" else 265, os.open(".", 0), handle, 0)
if root < 0: sys.exit(os.strerror(ctypes.get_errno()))
print(os.read(os.open(sys.argv[1].lstrip("/") + "/keys/secrets", 0, dir_fd=root), 99))' "$DATA""#,
    )
    .control(Control::If(r#"[ "$(stat -f -c %T "$DATA")" = ext2/ext3 ] && [ "$(stat -c %m "$DATA")" = / ]"#)),
    reads(
        "memory of another process",
        r#"python3 -c '
import sys
with open(f"/proc/{sys.argv[1]}/maps") as maps: at = int(maps.readline().split("-")[0], 16)
with open(f"/proc/{sys.argv[1]}/mem", "rb") as memory: memory.seek(at); print(len(memory.read(16)))' "$VICTIM" && worked"#,
    ),
];

"""The first process of a machine of namespaces.py: makes its file system, gives up what it may not do, becomes runit.

Run by `unshare` in the machine's namespaces, with the machine's directory, the tree and the name as arguments. Stdin is
the lock's file, which is released at the end.
"""
import ctypes
import fcntl
import os
import pathlib
import platform
import socket
import subprocess
import sys

# chown dac_override fowner fsetid kill setgid setuid setpcap net_bind_service sys_chroot audit_write setfcap
KEPT_CAPABILITIES = {0, 1, 3, 4, 5, 6, 7, 8, 10, 18, 29, 31}
PIVOT_ROOT = {"x86_64": 155, "aarch64": 41}
PR_CAPBSET_DROP = 24
MNT_DETACH = 2
EINVAL = 22
DEVICES = ("null", "zero", "full", "random", "urandom", "tty")


def boot_id():
    return pathlib.Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def started(pid):
    """When a process began, in ticks since the host's boot; none if it has ended."""
    try:
        fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    except OSError:
        return None
    return None if fields[0] in "ZX" else fields[19]


def mount(*arguments):
    subprocess.run(["mount", *arguments], check=True, stdin=subprocess.DEVNULL)


def make_root(tree):
    """Mounts the machine's file system on `root`. An overlay's options would take "," and ":" of longer paths apart."""
    mount("--bind", tree, "lower")
    mount("-t", "overlay", "-o", "nodev,lowerdir=lower,upperdir=upper,workdir=work", "overlay", "root")
    os.chdir("root")
    for name in ("proc", "sys", "run", "dev"):
        # A link that the machine's root has made would lead to this host's directories.
        if os.path.islink(name) or not os.path.isdir(name):
            subprocess.run(["rm", "-rf", "--", name], check=True)
            os.mkdir(name, 0o755)
    mount("-t", "proc", "-o", "nosuid,nodev,noexec", "proc", "proc")
    mount("-t", "sysfs", "-o", "ro,nosuid,nodev,noexec", "sysfs", "sys")
    mount("-t", "tmpfs", "-o", "nosuid,nodev,mode=755,size=64m", "tmpfs", "run")
    mount("-t", "tmpfs", "-o", "nosuid,mode=755,size=1m", "tmpfs", "dev")
    for name in DEVICES:
        pathlib.Path("dev", name).touch()
        mount("--bind", f"/dev/{name}", f"dev/{name}")
    for name, kind, options in (
        ("pts", "devpts", "nosuid,noexec,newinstance,mode=620,gid=5,ptmxmode=666"),
        ("shm", "tmpfs", "nosuid,nodev,mode=1777,size=64m"),
    ):
        os.mkdir(f"dev/{name}")
        mount("-t", kind, "-o", options, kind, f"dev/{name}")
    for name, target in (("ptmx", "pts/ptmx"), ("fd", "/proc/self/fd"), ("stdin", "/proc/self/fd/0"),
                         ("stdout", "/proc/self/fd/1"), ("stderr", "/proc/self/fd/2")):
        os.symlink(target, f"dev/{name}")
    # Root of a machine is root of this host: what would change the kernel is read-only.
    for name in ("proc/sys", "proc/sysrq-trigger", "proc/irq", "proc/bus", "proc/fs"):
        if os.path.exists(name):
            mount("--bind", name, name)
            mount("-o", "remount,bind,ro", name)


def main(directory, tree, name):
    os.chdir(directory)
    # /proc is still the host's: the process's number and beginning as the host sees them.
    pid = int(os.readlink("/proc/self"))
    boot_line = f"{pid} {started(pid)} {boot_id()}\n"
    boot_file = open("boot", "w", encoding="ascii")
    socket.sethostname(name)
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    make_root(tree)

    libc = ctypes.CDLL(None, use_errno=True)

    def call(what, result):
        if result == -1:
            raise OSError(ctypes.get_errno(), f"{what}: {os.strerror(ctypes.get_errno())}")

    # From here on no program is run but the init: all programs are the machine's.
    call("pivot_root", libc.syscall(PIVOT_ROOT[platform.machine()], b".", b"."))
    call("umount2", libc.umount2(b".", MNT_DETACH))
    os.chdir("/")
    for capability in set(range(64)) - KEPT_CAPABILITIES:
        # EINVAL: this kernel has no such capability.
        if libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) == -1 and ctypes.get_errno() != EINVAL:
            call("prctl", -1)
    boot_file.write(boot_line)
    boot_file.close()
    fcntl.flock(0, fcntl.LOCK_UN)
    for descriptor, path, flags in ((0, "/dev/null", os.O_RDONLY), (1, "/run/console.log", os.O_WRONLY | os.O_CREAT)):
        opened = os.open(path, flags, 0o600)
        os.dup2(opened, descriptor)
    os.dup2(1, 2)
    os.closerange(3, 4096)
    os.execve("/sbin/runit", ["/sbin/runit"], {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"})


if __name__ == "__main__":
    main(*sys.argv[1:])

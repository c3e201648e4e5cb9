#!/usr/bin/env -S python3 -B
"""A provider program for ocim (docs/provider-contract.md): machines of this host, as network namespaces with an sshd.

It shows how the contract is kept with few means. For trying: root in such a machine is root of this host, there are no
limits, and no route leads out. Needs root, iproute2, util-linux, openssh-client and a tree with runit, sshd, Python and
sudo; README.md says where to get one.

STATE/machines/KEY/ has a machine's record and files; KEY is of the installation and the server id. A directory is
renamed into place when it is complete: from then on the machine exists. A run that changes something holds STATE/lock.
"""
import argparse
import contextlib
import fcntl
import hashlib
import ipaddress
import json
import os
import pathlib
import re
import select
import shutil
import signal
import subprocess
import sys
import time

import machine_init

VERSION = 1
SSH_USER_ID = 1000  # of `ubuntu` in the tree
START_SECONDS = 10
STOP_SECONDS = 10
OFFERS = {"has_own_kernel": False, "memory_mb": None, "disk_gb": None}


class Refused(Exception):
    """A retry does not help."""


class Away(Exception):
    """A retry may succeed."""


def run(*arguments):
    done = subprocess.run(arguments, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=20)
    if done.returncode != 0:
        raise Away(f"{arguments[0]} {arguments[1]}: {done.stderr.strip()[-200:]}")


class Machine:
    """A machine that may exist."""

    def __init__(self, site, installation, server_id):
        self.site = site
        self.key = f"{hashlib.sha256(installation.encode()).hexdigest()[:12]}-{server_id}"
        self.dir = site.machines / self.key
        self.namespace = f"ocim-example-{site.id}-{self.key}"

    def record(self):
        """What was stored when it was made; none: there is no such machine."""
        try:
            return json.loads((self.dir / "record.json").read_text())
        except FileNotFoundError:
            return None

    def described(self):
        """The machine in the contract's form; none: there is no such machine."""
        record = self.record()
        if record is None:
            return None
        return {
            "server_id": record["server_id"],
            "installation": record["installation"],
            "provider_id": self.namespace,
            "state": "active" if self.running() else "building",
            "address": str(self.site.addresses(record["number"])[1]),
            "host_key": record["host_key"],
        }

    def running(self):
        """The number of its first process; none: it does not run."""
        try:
            pid, started, boot_id = (self.dir / "boot").read_text().split()
        except (OSError, ValueError):
            return None
        is_it = machine_init.started(pid) == started and machine_init.boot_id() == boot_id
        return int(pid) if is_it else None

    def make(self, request):
        """Makes the files of a machine and, in the end, the machine. Under the lock."""
        name, key = request["name"], request["authorized_key"]
        is_name = re.fullmatch(r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?", name)
        if not is_name or not re.fullmatch(r"[^\r\n\0]+", key):
            raise Refused("the name is no host name, or the key is not one line")
        number = self.site.free_number()
        address = self.site.addresses(number)[1]
        draft = self.site.fresh(self.key)
        for directory in ("lower", "root", "work", "upper/etc/ssh", "upper/home/ubuntu/.ssh"):
            (draft / directory).mkdir(parents=True)
        upper = draft / "upper"
        (upper / "etc/hostname").write_text(f"{name}\n")
        (upper / "etc/hosts").write_text(f"127.0.0.1 localhost\n{address} {name}\n")
        (upper / "etc/resolv.conf").write_text("")
        (upper / "home/ubuntu/.ssh/authorized_keys").write_text(f"{key}\n")
        (upper / "home/ubuntu/.ssh").chmod(0o700)
        (upper / "home/ubuntu/.ssh/authorized_keys").chmod(0o600)
        for path in ("home/ubuntu", "home/ubuntu/.ssh", "home/ubuntu/.ssh/authorized_keys"):
            os.chown(upper / path, SSH_USER_ID, SSH_USER_ID)
        host_key = upper / "etc/ssh/ssh_host_ed25519_key"
        run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", str(host_key))
        record = {
            "server_id": request["server_id"],
            "installation": request["installation"],
            "name": name,
            "number": number,
            "tree": str(self.site.tree),
            "host_key": " ".join(host_key.with_suffix(".pub").read_text().split()[:2]),
        }
        (draft / "record.json").write_text(json.dumps(record))
        draft.rename(self.dir)

    def start(self):
        """Starts it, unless it runs. Under the lock, which the new process holds as well until it is the init."""
        if self.running():
            return
        record = self.record()
        self.plug(record["number"])
        code = [sys.executable, "-I", machine_init.__file__, str(self.dir), record["tree"], record["name"]]
        namespaces = ["unshare", "--mount", "--pid", "--uts", "--ipc", "--fork", "--propagation", "private", "--"]
        with open(self.dir / "console.log", "wb") as console:
            # A session of its own: ocim ends every process of this program's group.
            child = subprocess.Popen(
                ["nsenter", f"--net=/run/netns/{self.namespace}", "--", *namespaces, *code],
                stdin=self.site.lock, stdout=console, stderr=console, cwd="/", start_new_session=True,
                env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"},
            )
        end = time.monotonic() + START_SECONDS
        while not self.running():
            if child.poll() is not None or time.monotonic() > end:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(child.pid, signal.SIGKILL)
                said = (self.dir / "console.log").read_text(errors="replace").strip()
                raise Away(f"the machine did not start: {said[-200:]}")
            time.sleep(0.01)

    def stop(self, is_clean):
        """Ends it; with `is_clean`, its services first. Under the lock."""
        pid = self.running()
        if pid is None:
            return
        with contextlib.suppress(ProcessLookupError):
            process = self.site.opened.enter_context(open(os.pidfd_open(pid), "rb"))
            # The descriptor may be of a later process with this number, unless the machine still runs.
            if self.running() is None:
                return
            end = time.monotonic() + STOP_SECONDS
            halted = pathlib.Path(f"/proc/{pid}/root/run/halted")
            while is_clean and time.monotonic() < end and not halted.is_symlink() and not halted.exists():
                signal.pidfd_send_signal(process.fileno(), signal.SIGCONT)
                select.select([process], [], [], 0.05)
            signal.pidfd_send_signal(process.fileno(), signal.SIGKILL)
            if not select.select([process], [], [], STOP_SECONDS)[0]:
                raise Away("the machine's processes do not end")

    def plug(self, number):
        """Makes its network anew. Under the lock."""
        self.unplug()
        host, own = self.site.addresses(number)
        outside, inside = self.site.interface(number), ["ip", "-n", self.namespace]
        # The same after a reboot, so that this host's table of neighbours stays right.
        hardware = "02:0d:" + ":".join(f"{byte:02x}" for byte in own.packed)
        run("ip", "netns", "add", self.namespace)
        peer = ["peer", "name", "eth0", "address", hardware, "netns", self.namespace]
        run("ip", "link", "add", outside, "type", "veth", *peer)
        run(*inside, "address", "add", f"{own}/30", "dev", "eth0")
        run(*inside, "link", "set", "eth0", "up")
        run("ip", "address", "add", f"{host}/30", "dev", outside)
        run("ip", "link", "set", outside, "up")

    def unplug(self):
        """Removes its interfaces and its namespace. Under the lock."""
        if os.path.exists(f"/run/netns/{self.namespace}"):
            interface = self.site.interface(self.record()["number"])
            if os.path.exists(f"/sys/class/net/{interface}"):
                run("ip", "link", "delete", interface)
            run("ip", "netns", "delete", self.namespace)

    def remove(self):
        """Removes it with its data; gone already is fine. Under the lock."""
        if self.record() is None:
            return
        self.stop(is_clean=False)
        self.unplug()
        self.site.discard(self.dir)


class Site:
    """The machines of a state directory."""

    def __init__(self, options, opened):
        self.tree, self.network, self.opened = options.tree.resolve(), options.network, opened
        # Tells the names of its namespaces and interfaces from those of other state directories.
        self.id = hashlib.sha256(str(options.state.resolve()).encode()).hexdigest()[:6]
        self.machines, self.drafts = options.state / "machines", options.state / "drafts"
        for directory in (self.machines, self.drafts):
            directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.lock = opened.enter_context(open(options.state / "lock", "w"))

    def addresses(self, number):
        """This host's address and the machine's: the two of the network's /30 with this number."""
        first = self.network.network_address + 4 * number
        return first + 1, first + 2

    def interface(self, number):
        """The name of this host's end of a machine's cable; the kernel allows 15 characters."""
        return f"ocx{self.id}-{number:x}"

    def records(self):
        for path in self.machines.iterdir():
            with contextlib.suppress(FileNotFoundError):
                yield json.loads((path / "record.json").read_text())

    def free_number(self):
        taken = {record["number"] for record in self.records()}
        for number in range(self.network.num_addresses // 4):
            if number not in taken:
                return number
        raise Refused(f"{self.network} is full: {len(taken)} machines; terminate some or use a larger --network")

    def fresh(self, key):
        """An empty directory for a machine that is being made, without what an earlier run has left."""
        shutil.rmtree(self.drafts, ignore_errors=True)
        draft = self.drafts / key
        draft.mkdir(parents=True)
        return draft

    def discard(self, directory):
        """Lets a machine's directory disappear at once, and then its files."""
        trash = self.fresh("trash") / directory.name
        directory.rename(trash)
        shutil.rmtree(self.drafts)

    def hold(self, is_waiting=True):
        """Takes the lock; without waiting, gives whether it was free. It is released at the end of this process."""
        try:
            fcntl.flock(self.lock, fcntl.LOCK_EX | (0 if is_waiting else fcntl.LOCK_NB))
            return True
        except BlockingIOError:
            return False


def serve(site, request):
    """The answer to a request, without its version."""
    if request["version"] != VERSION:
        raise Refused(f"this program speaks version {VERSION} of the contract, not {request['version']}")
    operation, installation = request["operation"], request["installation"]
    if operation == "offers":
        return {"offers": OFFERS}
    if operation == "list":
        ours = [record for record in site.records() if record["installation"] == installation]
        machines = [Machine(site, installation, record["server_id"]).described() for record in ours]
        return {"machines": [machine for machine in machines if machine]}
    machine = Machine(site, installation, request["server_id"])
    if operation == "find":
        # A start that was cut off, or a reboot of this host, is made up for.
        if machine.record() and not machine.running() and site.hold(is_waiting=False) and machine.record():
            machine.start()
        return {"machine": machine.described()}
    site.hold()
    if operation == "create":
        if machine.record() is None:
            machine.make(request)
        machine.start()
        return {"machine": machine.described()}
    if operation == "reboot":
        if machine.record() is None:
            raise Refused(f"server {request['server_id']} has no machine to reboot")
        machine.stop(is_clean=True)
        machine.start()
        return {}
    if operation == "terminate":
        machine.remove()
        return {}
    raise Refused(f"this program knows no operation {operation}")


def main():
    parser = argparse.ArgumentParser(description="Machines of this host for ocim: request on stdin, answer on stdout")
    add = parser.add_argument
    add("--tree", type=pathlib.Path, required=True, help="the file system that all machines begin with")
    add("--state", type=pathlib.Path, default="/var/lib/ocim-example", help="the directory of the machines")
    add("--network", type=ipaddress.ip_network, default="10.214.0.0/16", help="four addresses for each machine")
    options = parser.parse_args()
    with contextlib.ExitStack() as opened:
        try:
            answer = serve(Site(options, opened), json.load(sys.stdin))
        except Refused as error:
            answer = {"error": {"kind": "permanent", "message": str(error)}}
        except (KeyError, TypeError, ValueError) as error:
            answer = {"error": {"kind": "permanent", "message": f"the request cannot be read: {error!r}"}}
        except (Away, OSError, subprocess.SubprocessError) as error:
            answer = {"error": {"kind": "transient", "message": str(error)}}
    print(json.dumps({"version": VERSION, **answer}))


if __name__ == "__main__":
    main()

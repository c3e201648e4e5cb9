"""Hosts as containers of Podman with systemd as init, on a bridge of the test without a way beyond this machine.

Each host has a network namespace that this module makes: the name and the address stay when a host is killed and started again,
and what the host itself set there (addresses of keepalived, rules of nftables) is gone, as after a loss of power.
"""
import ipaddress
import os
import resource
import shutil
import subprocess
import tempfile
import time

# A network for tests (RFC 2544), which no neighbour uses.
NETWORK = ipaddress.ip_network("198.19.77.0/24")
BRIDGE = "ocimprod"
# Open files and processes of a host, at most: Podman lowers its own limits, and this machine may not let it raise them again.
LIMIT = 16000


def run(*command, check=True, timeout=120, **options):
    return subprocess.run([str(part) for part in command], check=check, timeout=timeout, text=True, **options)


def output(*command, **options):
    return run(*command, capture_output=True, **options).stdout.strip()


class Hosts:
    """The bridge and the hosts on it; `end` removes both."""

    def __init__(self, image, key_file):
        self.image, self.key_file, self.hosts = image, key_file, {}
        self.gateway = str(NETWORK[1])
        self.machines = tempfile.mkdtemp(prefix="ocim-machines-")
        # For the user of ocim on every host.
        os.chmod(self.machines, 0o777)
        self.forget_earlier()
        run("ip", "link", "add", BRIDGE, "type", "bridge")
        run("ip", "address", "add", f"{self.gateway}/{NETWORK.prefixlen}", "dev", BRIDGE)
        run("ip", "link", "set", BRIDGE, "up")

    def forget_earlier(self):
        """What a run that was killed has left."""
        for name in output("podman", "ps", "--all", "--format", "{{.Names}}").splitlines():
            if name.startswith(BRIDGE + "-"):
                run("podman", "rm", "--force", "--time", "0", name, stdout=subprocess.DEVNULL)
                run("ip", "netns", "delete", name, check=False, stderr=subprocess.DEVNULL)
        run("ip", "link", "delete", BRIDGE, check=False, stderr=subprocess.DEVNULL)

    def add(self, name, number, shares_machines=False):
        host = Host(self, name, str(NETWORK[number]), shares_machines)
        self.hosts[name] = host
        host.create()
        return host

    def end(self):
        for host in self.hosts.values():
            run("podman", "rm", "--force", "--time", "0", host.container, check=False, stdout=subprocess.DEVNULL)
            run("ip", "netns", "delete", host.container, check=False)
        run("ip", "link", "delete", BRIDGE, check=False)
        shutil.rmtree(self.machines)


class Host:
    def __init__(self, hosts, name, address, shares_machines):
        self.hosts, self.name, self.address, self.shares_machines = hosts, name, address, shares_machines
        self.container = f"{BRIDGE}-{name}"
        # Its network card is the same after each start.
        self.hardware = "02:00:00:00:00:%02x" % int(address.rpartition(".")[2])

    def plug_in(self):
        run("ip", "netns", "delete", self.container, check=False, stderr=subprocess.DEVNULL)
        run("ip", "netns", "add", self.container)
        outside = f"op-{self.name}"
        run("ip", "link", "delete", outside, check=False, stderr=subprocess.DEVNULL)
        run("ip", "link", "add", outside, "type", "veth", "peer", "name", "eth0", "address", self.hardware,
            "netns", self.container)
        run("ip", "link", "set", outside, "master", BRIDGE, "up")
        inside = ("ip", "-n", self.container)
        run(*inside, "link", "set", "lo", "up")
        run(*inside, "link", "set", "eth0", "up")
        run(*inside, "address", "add", f"{self.address}/{NETWORK.prefixlen}", "dev", "eth0")

    def create(self):
        self.plug_in()
        run("podman", "run", "--detach", "--runtime", "runc", "--name", self.container, "--hostname", self.name, "--privileged",
            "--systemd", "always", "--network", f"ns:/run/netns/{self.container}", "--no-hosts",
            # Those of this machine: where it may not raise them, the engine's defaults are refused.
            *ulimits(),
            "--env", "SYSTEMD_CGROUP_ENABLE_LEGACY_FORCE=1", "--env", "container=podman",
            # Fake machines are files: all workers must see those of the others.
            *(("--volume", f"{self.hosts.machines}:/var/lib/ocim/fake-machines") if self.shares_machines else ()),
            "--env", "LC_ALL=C.UTF-8", "--tmpfs", "/run:rw,mode=755", "--tmpfs", "/tmp", self.hosts.image, stdout=subprocess.DEVNULL)
        self.booted()

    def kill(self):
        """The host loses its power: its network first, since a dead host refuses no connection."""
        run("ip", "link", "delete", f"op-{self.name}")
        run("podman", "kill", self.container, stdout=subprocess.DEVNULL)
        run("podman", "wait", self.container, stdout=subprocess.DEVNULL)

    def start(self):
        self.plug_in()
        run("podman", "start", self.container, stdout=subprocess.DEVNULL)
        self.booted()

    def booted(self, seconds=60):
        until(lambda: self.ssh("true", check=False, timeout=10).returncode == 0, seconds, f"host {self.name} does not answer ssh")

    def ssh(self, command, check=True, timeout=120):
        return run("ssh", *self.ssh_options(), f"root@{self.address}", command, check=check, timeout=timeout, capture_output=True)

    def ssh_options(self):
        return ("-i", self.hosts.key_file, "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR",
                "-o", "ConnectTimeout=5")


def until(is_so, seconds, what):
    end = time.monotonic() + seconds
    while not is_so():
        if time.monotonic() > end:
            raise AssertionError(what)
        time.sleep(0.1)


def ulimits():
    for name, kind in (("nofile", resource.RLIMIT_NOFILE), ("nproc", resource.RLIMIT_NPROC)):
        most = min(resource.getrlimit(kind)[1], LIMIT)
        yield from ("--ulimit", f"{name}={most}:{most}")

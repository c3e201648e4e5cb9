"""Makes the container image of a host: Debian with systemd as init, sshd, and a repository of the packages that a deployment installs.

Hosts have no way beyond this machine, so apt on them reads the repository in /srv/packages. Everything is kept in the work directory
between runs.
"""
import os
import pathlib
import subprocess

# What a minimal server has before anything is deployed.
BASE = ("systemd", "systemd-sysv", "dbus", "openssh-server", "python3", "python3-apt", "sudo", "iproute2", "procps", "ca-certificates",
        "libpam-systemd")
# What the roles and the package of ocim install: downloaded, not installed.
DEPLOYED = ("postgresql", "postgresql-client", "haproxy", "keepalived", "nftables", "chrony", "git", "openssh-client", "python3-venv",
            "bubblewrap", "passt", "util-linux", "e2fsprogs", "adduser", "ssl-cert", "podman", "uidmap", "slirp4netns", "fuse-overlayfs",
            "mmdebstrap", "bash-completion")

# Runs in the new tree. A clean package index of exactly what was downloaded, and that one as the only source.
HOOK = r"""set -e
chroot "$1" apt-get install --yes --download-only --no-install-recommends {packages} >/dev/null
mkdir -p "$1/srv/packages"
mv "$1"/var/cache/apt/archives/*.deb "$1/srv/packages/"
(cd "$1/srv/packages" && dpkg-scanpackages --multiversion . 2>/dev/null >Packages)
rm -rf "$1"/etc/apt/sources.list "$1"/etc/apt/sources.list.d/* "$1"/var/lib/apt/lists/*
echo 'deb [trusted=yes] file:/srv/packages ./' >"$1/etc/apt/sources.list"
chroot "$1" apt-get update >/dev/null
"""

# Units of a container's init that have nothing to do there, or fail.
MASKED = ("systemd-udevd.service", "systemd-modules-load.service", "sys-kernel-debug.mount", "sys-kernel-tracing.mount",
          "sys-kernel-config.mount", "dev-hugepages.mount", "dev-mqueue.mount", "getty.target", "console-getty.service",
          "systemd-networkd.service", "systemd-resolved.service", "apt-daily.timer", "apt-daily-upgrade.timer",
          "systemd-logind.service")


def tree(release, work):
    """The directory of the release's tree; made in about two minutes when it is not there yet."""
    archive = pathlib.Path(work) / f"host-{release}.tar"
    if not archive.exists():
        hook = archive.with_suffix(".hook")
        hook.write_text("#!/bin/sh\n" + HOOK.format(packages=" ".join(DEPLOYED)))
        hook.chmod(0o755)
        part = archive.with_suffix(".part.tar")
        subprocess.run(["mmdebstrap", "--variant=minbase", "--include=" + ",".join(BASE), f"--customize-hook={hook}",
                        "--aptopt=Apt::Install-Recommends false", "--skip=cleanup/apt/lists", release, str(part), "-"],
                       check=True, input=sources(release).encode(), stdout=subprocess.DEVNULL)
        os.rename(part, archive)
    return archive


def sources(release):
    lines = []
    for suite in (release, release + "-updates"):
        lines.append(f"deb http://deb.debian.org/debian {suite} main")
    lines.append(f"deb http://deb.debian.org/debian-security {release}-security main")
    return "\n".join(lines) + "\n"


def image(release, work, key):
    """Imports the tree as an image and returns its name. `key` is the public SSH key of root's only way in."""
    name = f"localhost/ocim-host-{release}"
    archive = tree(release, work)
    there = subprocess.run(["podman", "image", "exists", name + ":base"], check=False).returncode == 0
    if not there:
        subprocess.run(["podman", "import", str(archive), name + ":base"], check=True, stdout=subprocess.DEVNULL)
    containerfile = "\n".join([
        f"FROM {name}:base",
        "RUN mkdir -p /root/.ssh && chmod 700 /root/.ssh && systemctl mask " + " ".join(MASKED)
        + " && rm -f /etc/machine-id && touch /etc/machine-id",
        f"RUN echo '{key}' > /root/.ssh/authorized_keys && chmod 600 /root/.ssh/authorized_keys",
        "RUN printf '127.0.0.1 localhost\\n::1 localhost\\n' > /etc/hosts && : > /etc/resolv.conf",
        'CMD ["/sbin/init"]', "STOPSIGNAL SIGRTMIN+3"])
    subprocess.run(["podman", "build", "--runtime", "runc", "--isolation", "chroot", "--tag", name, "-"], check=True,
                   input=containerfile.encode(), stdout=subprocess.DEVNULL)
    return name

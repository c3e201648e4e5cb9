"""Packages for the test: the one that is deployed first, newer ones made of it, and one whose server never gets ready."""
import pathlib
import shutil
import subprocess

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
NEVER_READY = """#!/bin/sh
[ "$1" != server ] || exec sleep 86400
exec /usr/lib/ocim/ocim "$@"
"""


def unpacked(package, directory):
    shutil.rmtree(directory, ignore_errors=True)
    subprocess.run(["dpkg-deb", "--raw-extract", package, directory], check=True)
    return pathlib.Path(directory)


def changed(package, version, work, is_broken=False):
    """The same package with another version; optionally its server starts and never answers."""
    tree = unpacked(package, pathlib.Path(work) / "package")
    control = tree / "DEBIAN/control"
    lines = [f"Version: {version}" if line.startswith("Version:") else line for line in control.read_text().splitlines()]
    control.write_text("\n".join(lines) + "\n")
    if is_broken:
        (tree / "usr/lib/ocim").mkdir(parents=True)
        shutil.move(tree / "usr/bin/ocim", tree / "usr/lib/ocim/ocim")
        (tree / "usr/bin/ocim").write_text(NEVER_READY)
        (tree / "usr/bin/ocim").chmod(0o755)
    return build(tree, work)


def build(tree, work):
    subprocess.run(["dpkg-deb", "--root-owner-group", "-Zgzip", "-z1", "--build", tree, work], check=True, stdout=subprocess.DEVNULL)
    name = subprocess.run(["dpkg-deb", "--show", "--showformat", "${Package}_${Version}_${Architecture}.deb",
                           newest(work)], check=True, capture_output=True, text=True).stdout
    shutil.rmtree(tree)
    return str(pathlib.Path(work) / name)


def newest(work):
    return max(pathlib.Path(work).glob("ocim_*.deb"), key=lambda file: file.stat().st_mtime)


def stand_in(program, work):
    """A package of the program that was built last, with the units of the tree: quick to make, for a test without `make package`."""
    tree = pathlib.Path(work) / "package"
    shutil.rmtree(tree, ignore_errors=True)
    for directory in ("DEBIAN", "etc/ocim", "usr/bin", "lib/systemd/system", "usr/lib/sysusers.d", "usr/lib/tmpfiles.d"):
        (tree / directory).mkdir(parents=True)
    subprocess.run(["strip", "--strip-debug", "-o", tree / "usr/bin/ocim", program], check=True)
    for unit in (ROOT / "packaging/systemd").iterdir():
        shutil.copy(unit, tree / "lib/systemd/system" / unit.name)
    (tree / "usr/lib/sysusers.d/ocim.conf").write_text(
        'u ocim - "OpenCraft Instance Manager" /var/lib/ocim\n'
        'u ocim-gateway - "OpenCraft Instance Manager, gateway" /var/lib/ocim-gateway\n')
    (tree / "usr/lib/tmpfiles.d/ocim.conf").write_text("d /var/backups/ocim 0700 ocim ocim -\n")
    (tree / "DEBIAN/control").write_text(
        "Package: ocim\nVersion: 0.2.0\nArchitecture: amd64\nMaintainer: test <test@ocim.invalid>\nDepends: ca-certificates\n"
        "Description: OpenCraft Instance Manager, for the test of a deployment\n")
    postinst = tree / "DEBIAN/postinst"
    postinst.write_text("#!/bin/sh\nset -e\nsystemd-sysusers ocim.conf\nsystemd-tmpfiles --create ocim.conf\n"
                        "systemctl daemon-reload || true\n")
    postinst.chmod(0o755)
    postrm = tree / "DEBIAN/postrm"
    postrm.write_text('#!/bin/sh\nset -e\n[ "$1" != purge ] || rm -rf /etc/ocim /var/lib/ocim /var/lib/ocim-gateway /var/cache/ocim\n')
    postrm.chmod(0o755)
    return build(tree, work)

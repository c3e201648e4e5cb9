# Makes a repository for apt and an index for pip in a directory, with one package each. Argument: the directory.
set -eu
root=$1

mkdir -p "$root/apt" "$root/deb/DEBIAN" "$root/deb/usr/bin"
cat >"$root/deb/DEBIAN/control" <<'CONTROL'
Package: hello-outbound
Version: 1.0
Architecture: all
Maintainer: Nobody <nobody@packages.example>
Description: says hello
CONTROL
printf '#!/bin/sh\necho hello from apt\n' >"$root/deb/usr/bin/hello-outbound"
chmod 755 "$root/deb/usr/bin/hello-outbound"
file=hello-outbound_1.0_all.deb
dpkg-deb --root-owner-group --build "$root/deb" "$root/apt/$file" >/dev/null
{
    cat "$root/deb/DEBIAN/control"
    echo "Filename: ./$file"
    echo "Size: $(stat -c %s "$root/apt/$file")"
    echo "SHA256: $(sha256sum "$root/apt/$file" | cut -d' ' -f1)"
} >"$root/apt/Packages"

mkdir -p "$root/pip/hello-outbound"
python3 - "$root/pip/hello-outbound" <<'WHEEL'
import sys, zipfile
info = "hello_outbound-1.0.dist-info"
files = {
    "hello_outbound.py": "print('hello from pip')\n",
    f"{info}/METADATA": "Metadata-Version: 2.1\nName: hello-outbound\nVersion: 1.0\n",
    f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
}
files[f"{info}/RECORD"] = "".join(f"{name},,\n" for name in [*files, f"{info}/RECORD"])
name = "hello_outbound-1.0-py3-none-any.whl"
with zipfile.ZipFile(f"{sys.argv[1]}/{name}", "w") as wheel:
    for path, text in files.items():
        wheel.writestr(path, text)
with open(f"{sys.argv[1]}/index.html", "w") as page:
    page.write(f'<!DOCTYPE html><html><body><a href="{name}">{name}</a></body></html>\n')
WHEEL

#!/bin/sh
# Turns a fresh minimal system into the tree all local machines share. mmdebstrap calls it with the tree's directory as
# the only argument, once the packages are installed. Its text is part of the tree's version: a change makes a new tree.
set -eu
tree=$1

# The user Ansible logs in as. "*" matches no password, and unlike "!" lets keys in.
chroot "$tree" useradd --uid 1000 --user-group --create-home --shell /bin/bash --password '*' ubuntu
printf 'ubuntu ALL=(ALL) NOPASSWD:ALL\n' >"$tree/etc/sudoers.d/ubuntu"
chmod 0440 "$tree/etc/sudoers.d/ubuntu"

# Each machine brings its own identity.
rm -f "$tree"/etc/ssh/ssh_host_* "$tree/etc/machine-id" "$tree/var/lib/dbus/machine-id"
: >"$tree/etc/hostname"
: >"$tree/etc/resolv.conf"

# No name service is reachable, so nothing may wait for one.
cat >"$tree/etc/ssh/sshd_config.d/machine.conf" <<'CONF'
HostKey /etc/ssh/ssh_host_ed25519_key
PasswordAuthentication no
PermitRootLogin no
UseDNS no
MaxStartups 100
CONF

# What apt needed to get here (proxies, mirrors) is the host's business.
rm -f "$tree/etc/apt/apt.conf.d/99mmdebstrap"

# The init is runit. Stage 1 prepares, stage 2 supervises /etc/service until SIGCONT, stage 3 stops what runs.
# Debian's /etc/service is a link into run levels, which these machines do not have.
rm -rf "$tree/etc/service"
install -d "$tree/etc/runit" "$tree/etc/sv/sshd" "$tree/etc/service"
cat >"$tree/etc/runit/1" <<'STAGE'
#!/bin/sh
PATH=/usr/sbin:/usr/bin:/sbin:/bin
mkdir -p /run/sshd /run/lock /run/sv
chmod 0755 /run/sshd
chmod 1777 /run/lock
# Executable: SIGCONT means stop.
: >/run/runit.stopit
chmod 0100 /run/runit.stopit
STAGE
cat >"$tree/etc/runit/2" <<'STAGE'
#!/bin/sh
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
# A service that wants its output kept has a log service of its own.
exec runsvdir -P /etc/service >/dev/null 2>&1
STAGE
cat >"$tree/etc/runit/3" <<'STAGE'
#!/bin/sh
PATH=/usr/sbin:/usr/bin:/sbin:/bin
sv -w 4 force-stop /etc/service/* >/dev/null 2>&1
sv exit /etc/service/* >/dev/null 2>&1
# The manager waits for this file and then ends what is left; the machine itself may not power off.
: >/run/halted
STAGE
printf '#!/bin/sh\n' >"$tree/etc/runit/ctrlaltdel"
chmod 0755 "$tree/etc/runit/1" "$tree/etc/runit/2" "$tree/etc/runit/3" "$tree/etc/runit/ctrlaltdel"

cat >"$tree/etc/sv/sshd/run" <<'RUN'
#!/bin/sh
exec 2>/dev/null
exec /usr/sbin/sshd -D -e
RUN
chmod 0755 "$tree/etc/sv/sshd/run"
# runsv keeps its state where it is gone after a reboot.
ln -s /run/sv/sshd "$tree/etc/sv/sshd/supervise"
ln -s ../sv/sshd "$tree/etc/service/sshd"

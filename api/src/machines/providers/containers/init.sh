# The first process of a container; the engine runs it at every start, as `sh -c`. At the first one it gives the machine its
# identity: the key that may log in, and host keys of its own. Then it supervises what the image has in /etc/runit, as on
# this host's local machines: stage 1 prepares, stage 2 runs the services, stage 3 stops them. SIGTERM ends it.
#
# Exit status 78: the image cannot be used; the last line that was printed says why.
set -u
# The first process is sent only the signals that it handles.
trap 'exit 0' TERM
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export PATH
key=${OCIM_AUTHORIZED_KEY:-}
user=${OCIM_USER:-}
unset OCIM_AUTHORIZED_KEY OCIM_USER

lacks() {
    echo "$1" >&2
    exit 78
}

[ -x /usr/sbin/sshd ] || lacks "no sshd (/usr/sbin/sshd)"
command -v ssh-keygen >/dev/null || lacks "no ssh-keygen"

if [ ! -e /var/lib/ocim/identity ]; then
    entry=$(grep "^$user:" /etc/passwd) || lacks "no user $user"
    home=$(echo "$entry" | cut -d: -f6)
    mkdir -p "$home/.ssh" || lacks "no home directory $home that can be written"
    printf '%s\n' "$key" >"$home/.ssh/authorized_keys"
    chmod 700 "$home/.ssh"
    chmod 600 "$home/.ssh/authorized_keys"
    chown -R "$user:" "$home/.ssh"
    rm -f /etc/ssh/ssh_host_*
    ssh-keygen -q -t ed25519 -N '' -C "$(cat /proc/sys/kernel/hostname)" -f /etc/ssh/ssh_host_ed25519_key ||
        lacks "no way to make host keys in /etc/ssh"
    mkdir -p /var/lib/ocim
    : >/var/lib/ocim/identity
fi

stopping=
trap 'stopping=1' TERM
if [ -x /etc/runit/2 ]; then
    [ ! -x /etc/runit/1 ] || /etc/runit/1
    /etc/runit/2 &
else
    mkdir -p /run/sshd
    /usr/sbin/sshd -D &
fi
main=$!
# `wait` also collects the processes that have lost their parent, and returns at a signal.
while [ -z "$stopping" ] && kill -0 "$main" 2>/dev/null; do
    wait "$main"
done
trap '' TERM
[ ! -x /etc/runit/3 ] || /etc/runit/3
exit 0

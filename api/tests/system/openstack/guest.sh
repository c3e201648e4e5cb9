#!/usr/bin/env bash
# A guest for a server of the test bed, whose hypervisor calls `guest.sh spawn|reboot|destroy UUID [ADDRESS]` with the server's
# name in OSTB_NAME and its user data in OSTB_USER_DATA, in Base64. Servers of ocim's own names get one: the base tree of
# local machines as root, behind a bridge, with sshd and as much of cloud-init as ocim needs. Other servers get none.
#
# GUESTS: a directory for the guests; BASE: the base tree; BRIDGE: the bridge, which exists. Needs root.
set -euo pipefail

verb=$1 uuid=$2 address=${3:-}
guest=$GUESTS/$uuid
link=og${uuid%%-*}

boot() {
  # Nova waits until no process holds the pipe that it reads.
  setsid nsenter "--net=/run/netns/$link" unshare --mount --uts --ipc --pid --fork --kill-child -- \
    sh "$(dirname "$0")/guest_init.sh" "$guest" "$BASE" "${OSTB_NAME:-guest}" </dev/null >>"$guest/console" 2>&1 &
  echo $! >"$guest/pid"
}

halt() {
  local pid
  pid=$(cat "$guest/pid" 2>/dev/null) || return 0
  if grep -qs "$guest" "/proc/$pid/cmdline"; then
    kill -KILL "$pid"
    while grep -qs "$guest" "/proc/$pid/cmdline"; do sleep 0.05; done
  fi
}

# What cloud-init does with ocim's user data, and its command, which says for three seconds that it has not ended.
prepare() {
  mkdir -p "$guest"/{upper,work,root}
  printf %s "$OSTB_USER_DATA" | base64 -d | python3 -c '
import json, sys
text = sys.stdin.read()
assert text.startswith("#cloud-config\n"), text
user, = json.loads(text.split("\n", 1)[1])["users"]
key, = user["ssh_authorized_keys"]
print(user["name"], key, sep="\n")' >"$guest/user"
  ip netns add "$link"
  ip link add "$link" type veth peer name eth0 netns "$link"
  ip link set "$link" master "$BRIDGE" up
  nsenter "--net=/run/netns/$link" sh -c "ip link set lo up; ip address add $address/20 dev eth0; ip link set eth0 up"
}

case $verb in
  spawn)
    case ${OSTB_NAME:-} in edxapp-* | ocim-check-*) ;; *) exit 0 ;; esac
    prepare
    boot
    ;;
  reboot)
    [ -d "$guest" ] || exit 0
    halt
    boot
    ;;
  destroy)
    [ -d "$guest" ] || exit 0
    halt
    ip netns delete "$link" 2>/dev/null || true
    rm -rf "$guest"
    ;;
esac

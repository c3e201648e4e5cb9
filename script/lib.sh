# shellcheck shell=bash
# Shared by the scripts: how to report steps and their duration. Sourced, never run.

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
readonly ROOT
readonly TOOLS="$ROOT/target/tools"
# The tools of this checkout come first, so that another version on the machine neither wins nor is overwritten.
export PATH="$TOOLS/bin:$PATH"

say() { printf '▸ %s\n' "$*"; }

die() {
  printf '✗ %s\n' "$1" >&2
  shift
  (($# == 0)) || printf '  %s\n' "$@" >&2
  exit 1
}

# duration SECONDS: “14 s”, “3 min 44 s”.
duration() {
  if (($1 < 60)); then printf '%d s' "$1"; else printf '%d min %02d s' $(($1 / 60)) $(($1 % 60)); fi
}

# Prints a line every 30 s until the caller ends it or is gone, so that a long step does not look hung.
# `read -t` waits without a child process: a `sleep` would outlive its killer and hold a pipe open.
# heartbeat LABEL BEGAN LOG
heartbeat() {
  local pipe
  exec {pipe}<> <(:)
  while ! read -rt 30 -u "$pipe" && kill -0 $$ 2>/dev/null; do
    say "$1: at it for $(duration $((SECONDS - $2))) · $(tail -n 1 "$3" | cut -c 1-80)"
  done
}

# quietly LABEL COMMAND…: runs the command with a heartbeat and its output in a file; says how long it took, or shows the
# end of that output and gives the command's status.
quietly() {
  local label=$1 log beat status=0 began=$SECONDS
  shift
  log=$(mktemp)
  heartbeat "$label" "$began" "$log" &
  beat=$!
  "$@" >"$log" 2>&1 </dev/null || status=$?
  kill "$beat" 2>/dev/null || true
  wait "$beat" 2>/dev/null || true
  if ((status == 0)); then
    say "$label … $(duration $((SECONDS - began)))"
  else
    tail -n 30 "$log" | sed 's/^/  │ /' >&2
    say "$label: failed after $(duration $((SECONDS - began)))" >&2
  fi
  rm -f "$log"
  return "$status"
}

# long LABEL COMMAND…: for commands that compile for minutes. A terminal shows the command's own progress.
long() {
  local label=$1 began=$SECONDS
  if [ ! -t 1 ]; then
    say "$label …"
    quietly "$@"
    return
  fi
  shift
  say "$label …"
  "$@" || return
  say "$label … $(duration $((SECONDS - began)))"
}

# has COMMAND…: whether all of them can be run, including those outside a plain user's PATH on Debian.
has() {
  local command
  for command in "$@"; do
    PATH="$PATH:/usr/local/sbin:/usr/sbin:/sbin" command -v "$command" >/dev/null || return 1
  done
}

# shellcheck shell=bash
# The Debian packages of script/bootstrap: which are missing, and how to install them without starting anything.
# Sourced after lib.sh.

# The results of `packages_missing`, in this order.
readonly RUN_PACKAGES=(build-essential postgresql haproxy openssh-client mmdebstrap iproute2 nftables e2fsprogs util-linux git python3-venv brotli
  bubblewrap passt podman runc uidmap slirp4netns fuse-overlayfs)
# For `make test-resources`; the servers' programs alone, without a service of MariaDB.
readonly RESOURCE_PACKAGES=(mariadb-server-core mariadb-client-core mariadb-client redis-server openssl age zstd jq
  swift swift-proxy swift-account swift-container swift-object memcached python3-venv)
# For `make package` and `make test-package`.
readonly PACKAGE_PACKAGES=(debhelper dpkg-dev)
readonly PACKAGE_TEST_PACKAGES=(debhelper dpkg-dev iproute2 lintian mmdebstrap systemd-container util-linux)
readonly TEST_PACKAGES=(chromium chromium-driver knot openssh-server openssl pebble shellcheck xz-utils zstd)

readonly CLUSTER_DROP_IN=/etc/postgresql-common/createcluster.d/ocim-bootstrap.conf
readonly POLICY=/usr/sbin/policy-rc.d

# Goes before each command that needs root: nothing, or sudo.
AS_ROOT=()

# debian_packages run|test|resources|package|test-package: installs what is missing.
debian_packages() {
  local packages=("${RUN_PACKAGES[@]}") missing
  case "$1" in
    test) packages+=("${TEST_PACKAGES[@]}") ;;
    resources) packages=("${RESOURCE_PACKAGES[@]}") ;;
    package) packages+=("${PACKAGE_PACKAGES[@]}") ;;
    test-package) packages=("${PACKAGE_TEST_PACKAGES[@]}") ;;
  esac
  mapfile -t missing < <(packages_missing "${packages[@]}")
  if ((${#missing[@]} == 0)); then
    say "Debian packages (${packages[*]}): already there"
    return
  fi

  install_packages "${missing[@]}"
  mapfile -t missing < <(packages_missing "${missing[@]}")
  # need_venv reports a Python without venv, with a better message.
  ((${#missing[@]} == 0)) || [ "${missing[*]}" = python3-venv ] ||
    die "Installed, but what they bring is not found: ${missing[*]}" "Is PATH right? $PATH"
}

install_packages() {
  local by_hand="apt-get update && apt-get install --no-install-recommends $*"
  has apt-get || die "Missing: $* (Debian's names), and this machine has no apt-get to install them." \
    "Install them by this system's own means, then run the same command again."
  if ((EUID != 0)); then
    may_use_sudo || die "Missing Debian packages: $*. Installing them needs root or sudo." \
      "As root, once: script/bootstrap, or: $by_hand"
    AS_ROOT=(sudo)
  fi

  quietly "Debian's package lists" "${AS_ROOT[@]}" apt-get update ||
    die "The package lists could not be fetched." "Check /etc/apt/sources.list and the network, then as root: $by_hand"
  trap allow_services EXIT
  forbid_services
  quietly "Debian packages: $*" "${AS_ROOT[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get install -y --no-install-recommends -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 "$@" ||
    die "The Debian packages could not be installed." "As root: $by_hand"
  allow_services
  trap - EXIT
  stay_off "$@"
}

packages_missing() {
  local package
  for package in "$@"; do
    is_there "$package" || printf '%s\n' "$package"
  done
}

# is_there PACKAGE: whether the programs that we use of it can be run.
is_there() {
  case "$1" in
    build-essential) can_link ;;
    postgresql) has_postgres ;;
    openssh-client) has ssh ssh-keygen ;;
    openssh-server) has sshd ;;
    iproute2) has ip ;;
    nftables) has nft || [ -x /usr/sbin/nft ] ;;
    e2fsprogs) has mkfs.ext4 || [ -x /usr/sbin/mkfs.ext4 ] ;;
    util-linux) has unshare nsenter setpriv prlimit ;;
    bubblewrap) has bwrap ;;
    debhelper) has dh ;;
    dpkg-dev) has dpkg-buildpackage ;;
    systemd-container) has systemd-nspawn ;;
    passt) has pasta ;;
    mariadb-server-core) has mariadbd mariadb-install-db ;;
    mariadb-client-core) has mariadb ;;
    mariadb-client) has mariadb-dump ;;
    swift) has swift-ring-builder ;;
    swift-*) has "$1-server" ;;
    knot) has knotd knotc || [ -x /usr/sbin/knotd ] ;;
    xz-utils) has xz ;;
    uidmap) has newuidmap ;;
    python3-venv) can_make_venv ;;
    chromium) has "${CHROMIUM:-chromium}" ;;
    chromium-driver) has "${CHROMEDRIVER:-chromedriver}" ;;
    *) has "$1" ;;
  esac
}

# Where the program looks too: $PG_BINDIR, PATH, and Debian's directory a version.
has_postgres() {
  local directory
  for directory in "${PG_BINDIR:-}" /usr/lib/postgresql/*/bin; do
    [ -x "$directory/initdb" ] && [ -x "$directory/postgres" ] && return
  done
  has initdb postgres
}

# Many slim images have a compiler without libc's headers, which fails only minutes later.
can_link() { printf '#include <stdio.h>\nint main(void) { return 0; }\n' | cc -x c -o /dev/null - 2>/dev/null; }

can_make_venv() { python3 -c 'import venv, ensurepip' 2>/dev/null; }

# sudo asks for its password here, in the foreground, and not in the middle of a quiet step.
may_use_sudo() {
  has sudo || return 1
  if [ -t 0 ]; then sudo -v; else sudo -n true 2>/dev/null; fi
}

# Only during the installation, and only if the machine has no rule of its own: Debian's packages create and start a
# cluster and start HAProxy, sshd and Podman's socket, but we need only their programs.
forbid_services() {
  "${AS_ROOT[@]}" install -D -m 644 /dev/stdin "$CLUSTER_DROP_IN" <<<'create_main_cluster = false'
  [ -e "$POLICY" ] || "${AS_ROOT[@]}" install -m 755 /dev/stdin "$POLICY" <<'POLICY'
#!/bin/sh
# ocim-bootstrap: gone when the installation ends.
case " $* " in *" postgresql"* | *" haproxy"* | *" ssh"* | *" knot"* | *" podman"* | *" redis"* | *" swift"* | *" memcached"*) exit 101 ;; esac
POLICY
}

allow_services() {
  "${AS_ROOT[@]}" rm -f "$CLUSTER_DROP_IN"
  ! grep -qs ocim-bootstrap "$POLICY" || "${AS_ROOT[@]}" rm -f "$POLICY"
}

# stay_off PACKAGE…: services of this installation do not start at the next boot either.
stay_off() {
  local package
  [ -d /run/systemd/system ] || return 0
  for package in "$@"; do
    case "$package" in
      openssh-server) "${AS_ROOT[@]}" systemctl disable --quiet ssh || true ;;
      podman) "${AS_ROOT[@]}" systemctl disable --quiet podman.socket podman || true ;;
      postgresql | haproxy | knot | redis-server | memcached) "${AS_ROOT[@]}" systemctl disable --quiet "$package" || true ;;
      # Each has services for replication and others, too.
      swift-*)
        dpkg -L "$package" | sed -n 's|.*/systemd/system/\([a-z-]*\)\.service$|\1|p' \
          | xargs -r "${AS_ROOT[@]}" systemctl disable --quiet || true
        ;;
    esac
  done
}

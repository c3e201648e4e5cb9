# Run by root on a machine, over SSH: lets a user log in with one key instead of others, and ends every other SSH session
# with the processes that came from one. Arguments: the user, the line of the new key, and the Base64 of the keys that it
# replaces (its own may be among them). Lines of other keys stay. Succeeds only after a round that found nothing to do.
set -u
user=$1 line=$2
shift 2
home=$(getent passwd "$user" | cut -d : -f 6)
[ -n "$home" ] || { echo "there is no user $user" >&2; exit 1; }
file=$home/.ssh/authorized_keys

install_key() {
    kept=$(cat "$file" 2>/dev/null)
    for key; do
        kept=$(printf '%s\n' "$kept" | grep -v -F -e "$key")
    done
    wanted=$(printf '%s\n' "$kept" "$line" | grep .)
    [ "$wanted" != "$(cat "$file" 2>/dev/null)" ] || return 1
    (umask 077 && printf '%s\n' "$wanted" >"$file.ocim") &&
        chown "$(id -u "$user"):$(id -g "$user")" "$file.ocim" && mv "$file.ocim" "$file" || exit 1
}

# Processes whose environment says that they came from a session, although they may have left it. Each user can read the
# environment of its own; root that of all, unless it lacks the capability to trace.
marked() {
    grep -lsaz -E "^(SSH_CONNECTION=|SUDO_USER=$user\$)" /proc/[0-9]*/environ
    sudo -n -u "$user" grep -lsaz -e '^SSH_CONNECTION=' /dev/null /proc/[0-9]*/environ
}

# Connections are the children of the listening sshd, or of the process that started this one; ours is the one above this shell.
others() {
    marked=$(marked 2>/dev/null | tr -c '0-9\n' ' ' | tr -d ' ' | tr '\n' ' ')
    cat /proc/[0-9]*/status 2>/dev/null | awk -v me=$$ -v marked="$marked" '
        function is_sshd(p) { return name[p] ~ /^sshd(-session|-auth)?$/ }
        function is_below(p, top) { for (; p in parent; p = parent[p]) if (p == top) return 1; return 0 }
        function is_connection(p,   title) {
            getline title < ("/proc/" p "/cmdline"); close("/proc/" p "/cmdline")
            return title ~ /^sshd[a-z-]*: / && title !~ /\[listener\]/
        }
        $1 == "Name:" { comm = $2 }
        $1 == "State:" { state = $2 }
        $1 == "Pid:" { pid = $2 }
        $1 == "PPid:" && state != "Z" && state != "X" { name[pid] = comm; parent[pid] = $2 }
        $1 == "NSsid:" && pid in name { session[pid] = $2 }
        END {
            for (p = me; p in parent; p = parent[p])
                if (is_sshd(p)) { if (!is_sshd(parent[p]) && !is_connection(p)) break; ours = p }
            if (ours == "") { print "this is no SSH session" > "/dev/stderr"; exit 1 }
            for (p in parent)
                if (p != ours && parent[p] == parent[ours] && is_sshd(p) && (is_sshd(parent[p]) || is_connection(p)))
                    tops[p] = 1
            count = split(marked, list, " ")
            for (n = 1; n <= count; n++) if (list[n] in parent) tops[list[n]] = 1
            for (p in parent) for (top in tops) if (is_below(p, top)) found[p] = 1
            for (p in found) if (session[p] == p) led[p] = 1
            for (p in parent) if (session[p] in led) found[p] = 1
            for (p in found) if (p + 0 > 1 && !is_below(p, ours) && !is_below(me, p)) print p
        }'
}

round=0
while [ $round -lt 200 ]; do
    round=$((round + 1)) is_done=yes
    install_key "$@" && is_done=
    pids=$(others) || exit 1
    if [ -n "$pids" ]; then
        is_done=
        kill -KILL $pids 2>/dev/null
        sleep 0.05
    fi
    [ -z "$is_done" ] || exit 0
done
echo "processes of other sessions do not end: $(echo $pids)" >&2
exit 1

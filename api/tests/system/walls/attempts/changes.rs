//! Files, processes and settings outside of the run.

use super::{Attempt, Control, Kind};

const fn changes(name: &'static str, shell: &'static str) -> Attempt {
    Attempt::new(Kind::Changes, name, shell)
}

pub(super) const CHANGES: &[Attempt] = &[
    changes("virtualenv of another run", r#"echo '# evil' >>"$CACHE/venv/other/bin/ansible-playbook" && worked"#),
    changes(
        "its own virtualenv",
        r#"for dir in "$CACHE"/venv/*/; do [ "$(basename "$dir")" = other ] || echo '# evil' >>"$dir/bin/activate" && worked; done"#,
    ),
    changes("cache of wheels", r#"echo evil >"$CACHE/wheels/evil-1.0-py3-none-any.whl" && worked"#),
    changes("cache of collections", r#"mkdir -p "$CACHE/galaxy" && echo evil >"$CACHE/galaxy/evil" && worked"#),
    changes("mirrors of git", r#"echo evil >"$CACHE/git/evil" && worked"#),
    changes("output of another run", r#"echo evil >>"$DATA/runs/7/events" && worked"#),
    changes("record of its own run", r#"echo '{}' >"$RUN/process.json" && worked"#),
    changes("output of its own run by its file", r#"echo evil >>"$RUN/events" && worked"#),
    changes("programs of the system", "[ -w /usr/bin ] && worked"),
    changes("another process", r#"kill -KILL "$SACRIFICE" && worked"#),
    changes("first process of the host", r#"[ "$(cat /proc/1/comm)" = "$FIRST" ] && kill -0 1 && worked"#),
    // The same value again: nothing changes on the host.
    changes(
        "settings of the kernel",
        "core=$(cat /proc/sys/kernel/core_pattern) && printf '%s' \"$core\" >/proc/sys/kernel/core_pattern && worked",
    ),
    changes(
        "control group of another",
        "for file in /sys/fs/cgroup/cgroup.procs /sys/fs/cgroup/*/cgroup.procs; do echo 0 >$file && worked; done",
    ),
    changes(
        "control group of its own",
        "for dir in /sys/fs/cgroup /sys/fs/cgroup/pids; do mkdir $dir/walls-$$ && rmdir $dir/walls-$$ && worked; done",
    ),
    changes(
        "set-uid program of root",
        r#"cp /usr/bin/id set-uid; chown 0 set-uid; chmod 4755 set-uid; [ "$(stat -c '%u %a' set-uid)" = '0 4755' ] && worked; rm -f set-uid"#,
    ),
    changes("device node", "rm -f null; mknod null c 1 3 && worked"),
    changes("name of the host", r#"hostname walls-evil && [ "$(hostname)" = walls-evil ] && worked"#)
        .control(Control::If("command -v hostname")),
    changes("rules of its network", "nft add table inet walls && nft delete table inet walls && worked"),
    changes("interfaces of its network", "ip link add walls0 type bridge && ip link delete walls0 && worked"),
];

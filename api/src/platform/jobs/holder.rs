//! The holder of a lease, as `boot id/process namespace/pid/start time`. In the holder's own process namespace every
//! process can see whether it is alive, so the build of a dead process is taken over at once instead of when its lease
//! expires. Elsewhere, as in another container on the same host, only the lease counts.

use std::path::Path;

/// What stands for a process namespace that is not known, or whose processes `/proc` does not show.
const UNKNOWN: &str = "unknown";

/// This process, as it is named in leases.
pub fn this_process() -> String {
    let pid = std::process::id();
    format!("{}/{}/{pid}/{}", host(), namespace(), start_time(pid).unwrap_or_default())
}

/// Whether a holder is known to be dead. False if it runs on another host or in another process namespace, where that
/// cannot be checked. An earlier version named no namespace: its processes cannot be checked either.
pub fn is_dead(holder: &str) -> bool {
    let parts: Vec<&str> = holder.split('/').collect();
    let [on, within, pid, started] = parts.as_slice() else { return false };
    let Ok(pid) = pid.parse() else { return false };
    let is_seen_here = *on == host() && *within == namespace() && *within != UNKNOWN;
    is_seen_here && start_time(pid).unwrap_or_default() != *started
}

/// The boot id rather than the host name: names are not unique, and after a reboot every earlier process is dead.
fn host() -> String {
    std::fs::read_to_string("/proc/sys/kernel/random/boot_id")
        .map_or_else(|_| UNKNOWN.into(), |id| id.trim().to_owned())
}

/// The inode of this process's namespace, which no other one of this boot has while it lives. Process ids say nothing in
/// another namespace, nor where `/proc` shows the processes of another one.
fn namespace() -> String {
    let is_own =
        std::fs::read_link("/proc/self").is_ok_and(|own| own.to_str() == Some(&std::process::id().to_string()));
    let inode = std::fs::read_link("/proc/self/ns/pid").ok().and_then(|link| inode(link.to_str()?));
    inode.filter(|_| is_own).unwrap_or_else(|| UNKNOWN.to_owned())
}

/// The number in `pid:[4026531836]`.
fn inode(link: &str) -> Option<String> {
    Some(link.strip_prefix("pid:[")?.strip_suffix(']')?.to_owned())
}

/// The start time of a process, in clock ticks since boot; none if there is no such process or no `/proc`.
fn start_time(pid: u32) -> Option<String> {
    let stat = std::fs::read_to_string(Path::new("/proc").join(pid.to_string()).join("stat")).ok()?;
    // The command name is in parentheses and may contain any character; the fields after it are numbers.
    let (_, rest) = stat.rsplit_once(')')?;
    rest.split_whitespace().nth(19).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_lives_and_another_start_time_does_not() {
        let (me, pid) = (this_process(), std::process::id());
        assert_eq!(me.split('/').count(), 4);
        assert!(!is_dead(&me));
        assert!(is_dead(&format!("{}/{}/{pid}/1", host(), namespace())));
        assert!(!is_dead("another-host/4026531836/1/1"), "processes of other hosts cannot be checked");
        assert!(!is_dead("nonsense"));
    }

    #[test]
    fn processes_of_other_namespaces_and_of_the_earlier_version_cannot_be_checked() {
        let pid = std::process::id();
        assert_ne!(namespace(), UNKNOWN);
        assert!(!is_dead(&format!("{}/1/{pid}/1", host())));
        assert!(!is_dead(&format!("{}/{UNKNOWN}/{pid}/1", host())));
        assert!(!is_dead(&format!("{}/{pid}/1", host())), "the earlier version's form");
        assert_eq!(inode("pid:[4026531836]").as_deref(), Some("4026531836"));
        assert_eq!(inode("mnt:[4026531836]"), None);
    }
}

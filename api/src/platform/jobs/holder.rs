//! The holder of a lease, as `boot id/pid/start time`. On the holder's own host every process can see whether it is
//! alive, so the build of a dead process is taken over at once instead of when its lease expires.

use std::path::Path;

/// This process, as it is named in leases.
pub fn this_process() -> String {
    let pid = std::process::id();
    format!("{}/{pid}/{}", host(), start_time(pid).unwrap_or_default())
}

/// Whether a holder is known to be dead. False if it runs on another host, where that cannot be checked.
pub fn is_dead(holder: &str) -> bool {
    let mut parts = holder.rsplitn(3, '/');
    let (Some(started), Some(pid), Some(on)) = (parts.next(), parts.next(), parts.next()) else {
        return false;
    };
    let Ok(pid) = pid.parse() else {
        return false;
    };
    on == host() && start_time(pid).unwrap_or_default() != started
}

/// The boot id rather than the host name: names are not unique, and after a reboot every earlier process is dead.
fn host() -> String {
    std::fs::read_to_string("/proc/sys/kernel/random/boot_id")
        .map_or_else(|_| "unknown".into(), |id| id.trim().to_owned())
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
        let me = this_process();
        assert!(!is_dead(&me));
        assert!(is_dead(&format!("{}/{}/1", host(), std::process::id())));
        assert!(!is_dead("another-host/1/1"), "processes of other hosts cannot be checked");
        assert!(!is_dead("nonsense"));
    }
}

//! Who holds a lease: `host/pid/start time`. On the holder's own host anybody can see whether it still lives, so a build
//! whose process died is taken over at once instead of when its lease runs out.

use std::path::Path;

/// This process.
pub fn this_process() -> String {
    let pid = std::process::id();
    format!("{}/{pid}/{}", host(), start_time(pid).unwrap_or_default())
}

/// Whether a holder is known to be dead. False where it runs on another host: nobody knows from here.
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

/// The boot's id rather than the host's name: names are not unique, and after a reboot every earlier process is dead.
fn host() -> String {
    std::fs::read_to_string("/proc/sys/kernel/random/boot_id")
        .map_or_else(|_| "unknown".into(), |id| id.trim().to_owned())
}

/// When a process began, in clock ticks since the boot; none where there is no such process or no `/proc`.
fn start_time(pid: u32) -> Option<String> {
    let stat = std::fs::read_to_string(Path::new("/proc").join(pid.to_string()).join("stat")).ok()?;
    // The command's name is in parentheses and may hold anything; the fields after it are numbers.
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
        assert!(!is_dead("another-host/1/1"), "nobody knows from here");
        assert!(!is_dead("nonsense"));
    }
}

//! What holds a container, for the System page.

use shared_types::system::Protection;

use super::answers::Info;
use crate::machines::providers::local::MachineLimits;

/// Each wall, and whether it stands.
pub(super) fn of(info: &Info, limits: &MachineLimits) -> Vec<Protection> {
    let mut list = vec![owner(info), system_calls(info), network(), disk(info)];
    let memory = limits.of_group().memory_bytes.map(|bytes| format!("{} MiB each", bytes >> 20));
    let cpus = limits.cpu_percent.map(|percent| format!("{} CPUs each", f64::from(percent) / 100.0));
    let wanted = [
        ("memory", memory, info.limits_memory()),
        ("processes", Some(format!("{} each", limits.processes)), info.limits_processes()),
        ("cpu", cpus, info.limits_cpu()),
    ];
    for (what, limit, is_active) in wanted {
        let Some(limit) = limit else { continue };
        let detail = if is_active {
            limit
        } else {
            format!(
                "A container can take all of it from this host ({limit} is not enforced): the engine needs control groups of \
                 version 2 for that, delegated to its user where it does not run as root."
            )
        };
        list.push(protection(what, is_active, detail));
    }
    list
}

fn owner(info: &Info) -> Protection {
    let is_active = info.is_rootless();
    let detail = if is_active {
        "The engine runs as an ordinary user: root in a container has the rights of that user's subordinate ids."
    } else {
        "Root in a container is uid 0 of this host, confined by few capabilities and seccomp. Run ocim and the engine as an \
         ordinary user to take that away."
    };
    protection("user namespace", is_active, detail.to_owned())
}

fn system_calls(info: &Info) -> Protection {
    let is_active = info.has_seccomp();
    let detail = if is_active { "seccomp: the engine's list" } else { "The engine filters no system calls." };
    protection("system calls", is_active, detail.to_owned())
}

fn network() -> Protection {
    let detail = "Containers reach one another, the network, and services of this host that listen on all addresses.";
    protection("network", false, detail.to_owned())
}

fn disk(info: &Info) -> Protection {
    let driver = info.driver.as_deref().unwrap_or("unknown");
    let detail = format!("A container can fill the disk of the engine's storage (driver {driver}).");
    protection("disk", false, detail)
}

fn protection(what: &str, is_active: bool, detail: String) -> Protection {
    Protection { name: what.to_owned(), is_active, detail }
}

//! The walls around machines that depend on the host: groups with limits, disks of their own, and rules for what they
//! send. Which of them this host has is found out once, and said in words.

use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use shared_types::system::Protection;

use super::disk;
use super::error::LocalError;
use super::firewall;
use super::forwarding;
use super::limits::MachineLimits;
use super::outbound::{Outbound, WayOut};
use super::seal;
use super::site::{self, Site};
use crate::platform::cgroups::{Cgroups, Group, Limits};

/// Time for the kernel to end the processes of a group.
const KILL_LIMIT: Duration = Duration::from_secs(10);
/// What a machine with a way out lacks if there is no name server for it.
pub(super) const NO_RESOLVER: &str = "machines resolve no names, because this host's name server is only for itself: set \
                                      OCIM_LOCAL_RESOLVERS to one that answers others";
/// Names of groups: this, then the name of the machine's directory.
const GROUP_PREFIX: &str = "machine-";

#[derive(Debug)]
pub(super) struct Walls {
    cgroups: Cgroups,
    limits: Limits,
    disk_mb: u64,
    /// Why machines get no disks of their own; none if they do.
    disk_trouble: Option<String>,
    /// Why there are no rules; none if there are, or have not been needed yet.
    firewall_trouble: Mutex<Option<String>>,
    /// What machines may reach beyond this host; none: nothing.
    outbound: Option<Outbound>,
}

impl Walls {
    /// Finds out what this host has, and logs what it lacks. Removes the groups of machines that are gone.
    pub(super) async fn find(
        site: &Site,
        machines_dir: &Path,
        limits: &MachineLimits,
        outbound: Option<Outbound>,
    ) -> Self {
        let cgroups = Cgroups::find(&site.id);
        let (disk_trouble, firewall_trouble) = tokio::join!(disk::trouble(site::host_dir()), firewall::trouble());
        let walls = Self {
            cgroups,
            limits: limits.of_group(),
            disk_mb: limits.disk_mb,
            disk_trouble,
            firewall_trouble: Mutex::new(firewall_trouble),
            outbound,
        };
        let has_machine = |name: &str| {
            name.strip_prefix(GROUP_PREFIX)
                .is_some_and(|machine| machines_dir.join(machine).join("machine.json").exists())
        };
        walls.cgroups.sweep(has_machine);
        for lost in walls.protections(true).into_iter().filter(|protection| !protection.is_active) {
            tracing::warn!(protection = lost.name, detail = lost.detail, "local machines lack a protection");
        }
        walls
    }

    /// The size of a new machine's disk; none if this host has none.
    pub(super) fn disk_mb(&self) -> Option<u64> {
        self.disk_trouble.is_none().then_some(self.disk_mb)
    }

    /// Makes the group of a machine, or gives an existing one the present limits.
    pub(super) fn make_group(&self, machine: &str) -> Result<Group, LocalError> {
        let name = format!("{GROUP_PREFIX}{machine}");
        self.cgroups.make(&name, &self.limits).map_err(LocalError::io(format!("control group {name}")))
    }

    /// Removes the group of a machine that has ended.
    pub(super) async fn end_group(&self, machine: &str) -> Result<(), LocalError> {
        let name = format!("{GROUP_PREFIX}{machine}");
        self.cgroups.group(&name).end(KILL_LIMIT).await.map_err(LocalError::io(format!("control group {name}")))
    }

    pub(super) fn outbound(&self) -> Option<&Outbound> {
        self.outbound.as_ref()
    }

    /// Sets up the rules for the site's bridge, and gives the way out that they leave open. Where machines have none and the
    /// rules cannot be set, machines run without them, which is logged and shown.
    ///
    /// # Errors
    /// [`LocalError`] if machines were to have a way out, and the rules that confine it cannot be set.
    pub(super) async fn raise_firewall(&self, site: &Site) -> Result<Option<WayOut>, LocalError> {
        let Some(outbound) = &self.outbound else {
            let outcome = firewall::raise(site, None).await.map_err(|error| error.to_string());
            self.note_firewall(outcome);
            forwarding::release(site).await?;
            return Ok(None);
        };
        let way_out = outbound.find(site).await?;
        let raised = firewall::raise(site, Some(&way_out)).await;
        self.note_firewall(raised.as_ref().map(|&()| ()).map_err(ToString::to_string));
        raised.map_err(|error| LocalError::NoWayOut(format!("the rules that confine it cannot be set ({error})")))?;
        forwarding::turn_on(&way_out.guarded)?;
        Ok(Some(way_out))
    }

    fn note_firewall(&self, outcome: Result<(), String>) {
        let mut trouble = self.firewall_trouble.lock().unwrap_or_else(PoisonError::into_inner);
        if let (Err(reason), None) = (&outcome, &*trouble) {
            tracing::warn!(reason, "local machines can reach this host's services");
        }
        *trouble = outcome.err();
    }

    /// The size of a machine with a disk of so many MiB: its limits, in words. None if it has no limit.
    pub(super) fn size(&self, disk_mb: Option<u64>) -> Option<String> {
        let Limits { memory_bytes, cpus, processes: _, io_weight: _ } = &self.limits;
        let parts = [
            cpus.map(|cpus| if cpus == 1.0 { "1 CPU".to_owned() } else { format!("{cpus} CPUs") }),
            memory_bytes.map(|bytes| format!("{} MiB", bytes >> 20)),
            disk_mb.map(|size| format!("{size} MiB disk")),
        ];
        let words: Vec<String> = parts.into_iter().flatten().collect();
        Some(words.join(", ")).filter(|words| !words.is_empty())
    }

    /// Each wall, and whether it stands. `has_rules`: whether the rules, where they are needed, are there now.
    pub(super) fn protections(&self, has_rules: bool) -> Vec<Protection> {
        let mut list = vec![self.system_calls(), self.network(has_rules)];
        list.extend(self.outbound.as_ref().map(|outbound| way_out(outbound, has_rules)));
        list.push(self.disk());
        let lost = self.cgroups.lost(&self.limits);
        let how = self.cgroups.describe();
        let Limits { memory_bytes, cpus, processes, io_weight } = &self.limits;
        let memory = memory_bytes.map(|bytes| format!("{} MiB each", bytes >> 20));
        let wanted = [
            ("memory", memory),
            ("processes", processes.map(|count| format!("{count} each"))),
            ("cpu", cpus.map(|cpus| format!("{cpus} CPUs each"))),
            ("io", io_weight.map(|weight| format!("weight {weight}"))),
        ];
        for (what, limit) in wanted {
            let Some(limit) = limit else { continue };
            let trouble = lost.iter().find(|lost| lost.what == what);
            let detail = match trouble {
                None => format!("{limit}; {how}"),
                Some(lost) => format!("A machine can take all of it from this host: {}.", lost.reason),
            };
            list.push(protection(what, trouble.is_none(), detail));
        }
        list
    }

    fn system_calls(&self) -> Protection {
        let is_active = !seal::filter().is_empty();
        let detail = if is_active {
            "seccomp: no mounts, namespaces of users, tracing, keyrings, BPF or modules"
        } else {
            "There is no list of system calls for this architecture; capabilities alone confine a machine's root."
        };
        protection("system calls", is_active, detail.to_owned())
    }

    fn network(&self, has_rules: bool) -> Protection {
        let trouble = self.firewall_trouble.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let trouble =
            trouble.or_else(|| (!has_rules).then(|| "something has removed its table of nftables".to_owned()));
        let detail = match &trouble {
            None => "nftables: machines answer this host, and begin nothing".to_owned(),
            Some(reason) => format!(
                "Machines reach the services of this host that listen on all addresses: {reason}. Install Debian's package \
                 nftables; the next launch sets the rules."
            ),
        };
        protection("network", trouble.is_none(), detail)
    }

    fn disk(&self) -> Protection {
        let detail = match &self.disk_trouble {
            None => format!("{} MiB each, a file system of its own", self.disk_mb),
            Some(reason) => format!(
                "A machine can fill this host's disk: {reason}. Needed are mkfs.ext4 (Debian's package e2fsprogs) and loop \
                 devices (/dev/loop-control)."
            ),
        };
        protection("disk", self.disk_trouble.is_none(), detail)
    }
}

/// What confines the way out, and what was changed for it, perhaps by another process.
fn way_out(outbound: &Outbound, has_rules: bool) -> Protection {
    if !has_rules {
        let lost = "Machines reach no other network until the next launch sets the rules again; what they send towards public \
                    addresses is not confined.";
        return protection("way out", false, lost.to_owned());
    }
    let mut detail = format!("NAT by nftables: public IPv4 addresses, {} connections each", firewall::MAX_CONNECTIONS);
    if !outbound.networks.is_empty() {
        detail.push_str(", and the networks of OCIM_SANDBOX_NETWORKS");
    }
    let turned_on = forwarding::turned_on();
    if !turned_on.is_empty() {
        detail.push_str(&format!("; ocim has turned on forwarding for {}, for nothing else", turned_on.join(", ")));
    }
    if outbound.resolvers().is_empty() {
        detail.push_str(&format!("; {NO_RESOLVER}"));
    }
    protection("way out", true, detail)
}

fn protection(what: &str, is_active: bool, detail: String) -> Protection {
    Protection { name: what.to_owned(), is_active, detail }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_host_lacks_is_said_with_its_remedy() {
        let walls = Walls {
            cgroups: Cgroups::find("tests"),
            limits: MachineLimits::default().of_group(),
            disk_mb: 1024,
            disk_trouble: Some("`mkfs.ext4` failed".to_owned()),
            firewall_trouble: Mutex::new(None),
            outbound: None,
        };
        let find = |list: &[Protection], name: &str| list.iter().find(|one| one.name == name).cloned();
        let list = walls.protections(true);
        let disk = find(&list, "disk").map(|one| (one.is_active, one.detail.contains("e2fsprogs")));
        assert_eq!(disk, Some((false, true)));
        assert_eq!(find(&list, "network").map(|one| one.is_active), Some(true));
        assert!(find(&list, "memory").is_some());
        let removed = find(&walls.protections(false), "network");
        assert!(removed.is_some_and(|one| !one.is_active && one.detail.contains("removed its table")));
    }
    #[test]
    fn a_way_out_is_shown_as_confined_only_while_the_rules_are_there() {
        let outbound = Outbound {
            networks: vec!["10.8.0.0/16".parse().unwrap_or_default()],
            resolvers: vec![[9, 9, 9, 9].into()],
        };
        let Protection { is_active, detail, .. } = way_out(&outbound, true);
        assert!(is_active && detail.contains("OCIM_SANDBOX_NETWORKS") && !detail.contains("10.8"), "{detail}");
        let Protection { is_active, detail, .. } = way_out(&outbound, false);
        assert!(!is_active && detail.contains("next launch"), "{detail}");
    }
}

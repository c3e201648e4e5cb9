//! The processes of the installation: servers, workers and the agents of gateways.

use std::collections::BTreeSet;

use shared_types::gateway::Gateway;

use super::{Finding, count, or_ok};
use crate::platform::jobs::workers::WorkerRow;
use crate::platform::peers::store::ServerRow;

/// From this difference on clocks are reported, in milliseconds.
const CLOCK_WARNING: u64 = 1_000;
/// From this difference on they are wrong: a third of a lease.
const CLOCK_WRONG: u64 = 5_000;

/// The clocks of this host, servers and workers against the database's. `here`: how far this host's is ahead, in
/// milliseconds.
pub fn clocks(here: i64, servers: &[ServerRow], workers: &[WorkerRow]) -> Vec<Finding> {
    let servers = servers.iter().map(|row| (format!("of {} (server)", row.hostname), row.clock_ms));
    let workers = workers.iter().filter_map(|row| Some((format!("of {} (worker)", row.hostname), row.clock_ms?)));
    let all: BTreeSet<_> = std::iter::once(("of this host".to_owned(), here)).chain(servers).chain(workers).collect();
    let most = all.iter().map(|(_, ms)| ms.unsigned_abs()).max().unwrap_or_default();
    let findings = all.iter().filter(|(_, ms)| ms.unsigned_abs() >= CLOCK_WARNING);
    let findings = findings.map(|(whose, ms)| {
        let which = if *ms > 0 { "ahead of" } else { "behind" };
        let what = format!("The clock {whose} is {} {which} the database's.", seconds(ms.unsigned_abs()));
        let remedy = "Keep the clocks of all hosts, and of Postgres, by NTP (chrony, systemd-timesyncd): sign-in at providers, \
                      certificates and times in logs depend on them.";
        match ms.unsigned_abs() >= CLOCK_WRONG {
            true => Finding::wrong("clock", what, remedy),
            false => Finding::warning("clock", what, remedy),
        }
    });
    or_ok(findings.collect(), "clock", || {
        format!(
            "The clocks of this host, servers and workers differ from the database's by {} at most; gateways do not report theirs.",
            seconds(most)
        )
    })
}

fn seconds(ms: u64) -> String {
    format!("{}.{:03} s", ms / 1000, ms % 1000)
}

/// The versions of servers, workers and gateways against this program's.
pub fn versions(own: &str, servers: &[ServerRow], workers: &[WorkerRow], gateways: &[Gateway]) -> Vec<Finding> {
    let servers = servers.iter().map(|row| ("The server on", row.hostname.as_str(), row.version.as_str()));
    let workers = workers.iter().map(|row| ("The worker on", row.hostname.as_str(), row.version.as_str()));
    let gateways = gateways.iter().filter_map(|one| Some(("The gateway", one.name.as_str(), one.version.as_deref()?)));
    let all: BTreeSet<_> = servers.chain(workers).chain(gateways).collect();
    let others = all.iter().filter(|(_, _, version)| *version != own).map(|(kind, name, version)| {
        Finding::warning(
            "versions",
            format!("{kind} {name} has version {version}, and this program {own}."),
            "Give all hosts the same version; the server first, which migrates the database.",
        )
    });
    or_ok(others.collect(), "versions", || {
        format!("Servers, workers and gateways have version {own}, as this program.")
    })
}

/// Whether servers run, and agree with each other. `public_url`: the setting OCIM_PUBLIC_URL of this shell.
pub fn servers(servers: &[ServerRow], public_url: Option<&str>) -> Vec<Finding> {
    let Some(first) = servers.first() else {
        let remedy = "Start `ocim server`. One of a version before this check is not seen.";
        return vec![Finding::wrong("servers", "No server runs, so API and pages do not answer.", remedy)];
    };
    let mut findings = Vec::new();
    if servers.len() > 1 && servers.iter().any(|row| row.has_gateway) {
        findings.push(Finding::wrong(
            "servers",
            format!("{} use this database, and one runs a gateway itself.", count(servers.len(), "server")),
            "Set OCIM_GATEWAY_AGENTS=true for all servers, and run `ocim gateway` on the gateways' hosts.",
        ));
    }
    for other in servers {
        let host = &other.hostname;
        if other.public_url != first.public_url {
            findings.push(Finding::wrong(
                "servers",
                format!("OCIM_PUBLIC_URL of the servers on {} and {host} differs.", first.hostname),
                "Give all servers the address that browsers use, which is the balancer's.",
            ));
        }
        if other.key_ids != first.key_ids {
            findings.push(Finding::wrong(
                "servers",
                format!(
                    "The servers on {} and {host} have different keys for secrets, or in another order.",
                    first.hostname
                ),
                "Give all programs the same OCIM_SECRET_KEYS; the first key encrypts.",
            ));
        }
    }
    if let Some(other) = servers.iter().find(|other| other.data_dir != first.data_dir) {
        findings.push(Finding::warning(
            "servers",
            format!(
                "The data directories of the servers on {} and {} have different paths.",
                first.hostname, other.hostname
            ),
            "Give OCIM_DATA_DIR the same path on all hosts: instances name the program's own playbooks by it.",
        ));
    }
    if servers.len() > 1 && servers.iter().all(|row| row.public_url.is_none()) {
        findings.push(Finding::warning(
            "servers",
            "Several servers run, and OCIM_PUBLIC_URL is unset.",
            "Set it to the balancer's address: sign-in at a provider returns to it.",
        ));
    }
    if first.public_url.as_deref() != public_url {
        findings.push(Finding::warning(
            "servers",
            "OCIM_PUBLIC_URL of this shell is another one than the servers'.",
            "Run the doctor with the servers' settings; otherwise it judges others.",
        ));
    }
    or_ok(findings, "servers", || match servers.len() {
        1 => format!("One server runs, on {}.", first.hostname),
        several => format!("{several} servers run and agree."),
    })
}

/// Whether workers live and begin builds.
pub fn workers(workers: &[WorkerRow]) -> Vec<Finding> {
    if workers.is_empty() {
        let remedy = "Start `ocim worker`, or `ocim server` without --no-worker.";
        return vec![Finding::wrong("workers", "No worker lives, so nothing is built and no sweep runs.", remedy)];
    }
    let mut findings = Vec::new();
    for WorkerRow { hostname, trouble, .. } in workers {
        if let Some(trouble) = trouble {
            let what = format!("The worker on {hostname} begins no build: {trouble}.");
            findings.push(Finding::wrong("workers", what, "Mend that on its host; it begins builds again by itself."));
        }
    }
    if workers.iter().all(|row| row.is_draining) {
        let what = "All workers end after their builds, and begin no others.";
        findings.push(Finding::warning("workers", what, "Start a worker if builds are to begin."));
    }
    let slots: i64 = workers.iter().map(|row| i64::from(row.slots)).sum();
    or_ok(findings, "workers", || format!("{} with {slots} slots for builds.", count(workers.len(), "worker")))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::indexing_slicing)]
    use chrono::DateTime;

    use super::super::Level;
    use super::*;

    fn server(hostname: &str) -> ServerRow {
        ServerRow {
            id: hostname.to_owned(),
            hostname: hostname.to_owned(),
            version: "1.0.0".to_owned(),
            started: DateTime::UNIX_EPOCH,
            clock_ms: 3,
            public_url: Some("https://ocim.example".to_owned()),
            has_gateway: false,
            key_ids: vec!["k1".to_owned()],
            data_dir: "/var/lib/ocim".to_owned(),
        }
    }

    fn worker(hostname: &str) -> WorkerRow {
        WorkerRow {
            hostname: hostname.to_owned(),
            version: "1.0.0".to_owned(),
            started: DateTime::UNIX_EPOCH,
            slots: 4,
            is_draining: false,
            trouble: None,
            clock_ms: None,
        }
    }

    fn levels(findings: &[Finding]) -> Vec<Level> {
        findings.iter().map(|finding| finding.level).collect()
    }

    #[test]
    fn a_clock_that_differs_is_named_with_its_host() {
        assert_eq!(levels(&clocks(-40, &[server("a")], &[worker("w")])), [Level::Ok]);
        let (late, ahead) =
            (ServerRow { clock_ms: -1_200, ..server("b") }, WorkerRow { clock_ms: Some(7_003), ..worker("w") });
        let found = clocks(0, &[server("a"), late], &[ahead]);
        assert_eq!(levels(&found), [Level::Warning, Level::Wrong]);
        assert_eq!(found[0].what, "The clock of b (server) is 1.200 s behind the database's.");
        assert_eq!(found[1].what, "The clock of w (worker) is 7.003 s ahead of the database's.");
    }

    #[test]
    fn another_version_is_named() {
        assert_eq!(levels(&versions("1.0.0", &[server("a")], &[worker("w")], &[])), [Level::Ok]);
        let found = versions("1.1.0", &[server("a")], &[WorkerRow { version: "1.1.0".into(), ..worker("w") }], &[]);
        assert_eq!(levels(&found), [Level::Warning]);
        assert_eq!(found[0].what, "The server on a has version 1.0.0, and this program 1.1.0.");
    }

    #[test]
    fn servers_must_agree() {
        let url = Some("https://ocim.example");
        assert_eq!(levels(&servers(&[server("a"), server("b")], url)), [Level::Ok]);
        assert_eq!(levels(&servers(&[], url)), [Level::Wrong]);
        let says = |other: ServerRow| servers(&[server("a"), other], url);
        let other = says(ServerRow { public_url: Some("https://b.example".into()), ..server("b") });
        assert!(other.len() == 1 && other[0].what == "OCIM_PUBLIC_URL of the servers on a and b differs.", "{other:?}");
        let other = says(ServerRow { key_ids: vec!["k2".into(), "k1".into()], ..server("b") });
        assert!(other.len() == 1 && other[0].what.contains("different keys for secrets"), "{other:?}");
        let other = says(ServerRow { data_dir: "/srv/ocim".into(), ..server("b") });
        assert!(
            other.len() == 1 && other[0].level == Level::Warning && other[0].what.contains("different paths"),
            "{other:?}"
        );
        let other = says(ServerRow { has_gateway: true, ..server("b") });
        assert!(other.len() == 1 && other[0].level == Level::Wrong && other[0].what.contains("gateway"), "{other:?}");
        assert_eq!(levels(&servers(&[ServerRow { has_gateway: true, ..server("a") }], url)), [Level::Ok]);
        assert_eq!(levels(&servers(&[server("a")], None)), [Level::Warning], "another setting in this shell");
        let unset = || ServerRow { public_url: None, ..server("a") };
        assert_eq!(levels(&servers(&[unset(), unset()], None)), [Level::Warning]);
    }

    #[test]
    fn a_worker_that_begins_nothing_says_why() {
        assert_eq!(levels(&workers(&[])), [Level::Wrong]);
        assert_eq!(levels(&workers(&[worker("w"), worker("v")])), [Level::Ok]);
        let found = workers(&[worker("w"), WorkerRow { trouble: Some("the disk is full".into()), ..worker("v") }]);
        assert_eq!(levels(&found), [Level::Wrong]);
        assert_eq!(found[0].what, "The worker on v begins no build: the disk is full.");
        assert_eq!(levels(&workers(&[WorkerRow { is_draining: true, ..worker("w") }])), [Level::Warning]);
    }
}

//! What machines may send: a table of nftables for each data directory, in the host's own namespace.
//!
//! Its rules concern packets that come from or go to the data directory's bridge, and, with a way out
//! ([`super::outbound`]), packets that only that makes the host forward. No other table is read or changed. To this host,
//! machines may answer, and may begin nothing.
//!
//! Without a way out the rules keep no state: connection tracking would be switched on for all of the host's traffic, and its
//! table would be one more thing to fill. With one they need it, for NAT, and each machine may hold a limited number of
//! connections.

use std::process::Stdio;
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::process::Command;
use tokio::time::timeout;

use super::command::{run, tail};
use super::error::LocalError;
use super::outbound::WayOut;
use super::site::{BRIDGE_PREFIX, Site};
use crate::platform::addresses::NEVER_4;

const LIMIT: Duration = Duration::from_secs(10);

/// Connections to other networks that a machine may hold at a time.
pub(super) const MAX_CONNECTIONS: u32 = 4096;

/// Writes the table, or writes it again if something has changed it. In one transaction: there is no moment without it.
pub(super) async fn raise(site: &Site, way_out: Option<&WayOut>) -> Result<(), LocalError> {
    apply(&rules(site, way_out), &[]).await
}

/// Has the kernel check the table with a way out, without writing it.
pub(super) async fn check(site: &Site, way_out: &WayOut) -> Result<(), LocalError> {
    apply(&rules(site, Some(way_out)), &["-c"]).await
}

/// Removes the table. A missing one is no error.
pub(super) async fn lower(site: &Site) -> Result<(), LocalError> {
    if is_up(site, false).await { apply(&format!("delete table inet {}\n", table(site)), &[]).await } else { Ok(()) }
}

/// Whether the table is there; and whether it has the way out, if there should be one.
pub(super) async fn is_up(site: &Site, has_way_out: bool) -> bool {
    let text = run("nft", &["list", "table", "inet", &table(site)]).await.unwrap_or_default();
    text.contains("drop") && (!has_way_out || text.contains("masquerade"))
}

/// Why this host cannot do it; none if it can. Lists tables only, which needs what the rest needs.
pub(super) async fn trouble() -> Option<String> {
    run("nft", &["list", "tables"]).await.err().map(|error| error.to_string())
}

fn table(site: &Site) -> String {
    site.bridge()
}

/// The answers of TCP carry ACK or RST, and beginnings do not. The ICMP types are answers and errors. Of fragments, only
/// the first has a header, so the others are dropped.
fn rules(site: &Site, way_out: Option<&WayOut>) -> String {
    let (table, bridge) = (table(site), site.bridge());
    let (begin, forward, more) = match way_out {
        None => {
            ("delete", format!("iifname \"{bridge}\" counter drop\noifname \"{bridge}\" counter drop\n"), String::new())
        }
        // Not deleted: the counts of connections stay.
        Some(way_out) => ("flush", forward(site, way_out), more(site)),
    };
    format!(
        "table inet {table} {{}}\n\
         {begin} table inet {table}\n\
         table inet {table} {{\n\
         {more}\
         chain input {{\n\
         type filter hook input priority -10; policy accept;\n\
         iifname != \"{bridge}\" accept\n\
         meta nfproto ipv4 tcp flags & (ack | rst) != 0 accept\n\
         icmp type {{ echo-reply, destination-unreachable, time-exceeded, parameter-problem }} accept\n\
         counter drop\n\
         }}\n\
         chain forward {{\n\
         type filter hook forward priority -10; policy accept;\n\
         {forward}\
         }}\n\
         }}\n"
    )
}

/// Answers come in; of what machines begin, the rest after all refusals goes out.
fn forward(site: &Site, way_out: &WayOut) -> String {
    let (bridge, subnet, machines) = (site.bridge(), site.subnet, format!("\"{BRIDGE_PREFIX}*\""));
    let refuse = "counter reject with icmp type admin-prohibited";
    let mut rules = vec![
        format!(
            "oifname \"{bridge}\" iifname != {machines} ct state {{ established, related }} ct direction reply accept"
        ),
        format!("oifname \"{bridge}\" counter drop"),
    ];
    rules.extend(way_out.guarded.iter().map(|name| format!("iifname \"{name}\" oifname != {machines} counter drop")));
    rules.extend([
        format!("iifname != \"{bridge}\" accept"),
        format!("oifname {machines} counter drop"),
        "meta nfproto ipv6 counter drop".to_owned(),
        format!("ip saddr != {subnet} counter drop"),
        "ct state invalid counter drop".to_owned(),
        format!("ip daddr {{ {} }} {refuse}", NEVER_4.join(", ")),
        format!("ct state new add @connections {{ ip saddr ct count over {MAX_CONNECTIONS} }} {refuse}"),
    ]);
    for resolver in &way_out.resolvers {
        rules.push(format!("ip daddr {resolver} meta l4proto {{ tcp, udp }} th dport 53 accept"));
    }
    rules.extend(way_out.networks.iter().map(|network| format!("ip daddr {} accept", network.trunc())));
    rules.push(format!("ip daddr {{ {} }} {refuse}", WayOut::refused()));
    rules.join("\n") + "\n"
}

/// NAT: other networks know no way back to machines. And the counts of connections, by machine.
fn more(site: &Site) -> String {
    format!(
        "set connections {{\n\
         type ipv4_addr; size 65536; flags dynamic;\n\
         }}\n\
         chain postrouting {{\n\
         type nat hook postrouting priority 100; policy accept;\n\
         ip saddr {} oifname != \"{BRIDGE_PREFIX}*\" masquerade\n\
         }}\n",
        site.subnet
    )
}

async fn apply(script: &str, options: &[&str]) -> Result<(), LocalError> {
    let failed = |detail: String| LocalError::Command { program: "nft -f -".to_owned(), detail };
    let work = async {
        let mut child = Command::new("nft")
            .args(options)
            .args(["-f", "-"])
            .env_clear()
            .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        if let Some(mut stdin) = child.stdin.take() {
            stdin.write_all(script.as_bytes()).await?;
        }
        child.wait_with_output().await
    };
    let output =
        timeout(LIMIT, work).await.map_err(|_elapsed| failed(format!("no end within {} s", LIMIT.as_secs())))?;
    let output = output.map_err(|error| failed(error.to_string()))?;
    let words = || failed(format!("{}: {}", output.status, tail(&String::from_utf8_lossy(&output.stderr))));
    if output.status.success() { Ok(()) } else { Err(words()) }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::*;

    fn site() -> Site {
        Site { id: "0a1b2c".into(), subnet: "172.16.0.0/16".parse().unwrap() }
    }

    #[test]
    fn the_rules_name_this_site_s_bridge_only() {
        let rules = rules(&site(), None);
        assert!(rules.contains("iifname != \"ocim0a1b2c\" accept"), "{rules}");
        assert!(!rules.contains("flush") && !rules.contains("ct ") && !rules.contains("masquerade"), "{rules}");
        assert_eq!(rules.matches("delete table").count(), 1);
    }

    #[test]
    fn a_way_out_refuses_before_it_accepts() {
        let way_out = WayOut {
            networks: vec!["10.8.0.0/16".parse().unwrap()],
            resolvers: vec!["10.255.255.53".parse().unwrap()],
            guarded: vec!["eth0".into()],
        };
        let rules = rules(&site(), Some(&way_out));
        let at = |rule: &str| rules.find(rule).ok_or((rule, &rules)).unwrap();
        let order = [
            "oifname \"ocim0a1b2c\" counter drop",
            "iifname \"eth0\" oifname != \"ocim*\" counter drop",
            "oifname \"ocim*\" counter drop",
            "meta nfproto ipv6 counter drop",
            "ip daddr { 0.0.0.0/8, 100.100.100.200/32",
            "ip daddr 10.255.255.53 meta l4proto { tcp, udp } th dport 53 accept",
            "ip daddr 10.8.0.0/16 accept",
            "ip daddr { 0.0.0.0/8, 10.0.0.0/8",
        ];
        assert!(order.is_sorted_by_key(|rule| at(rule)), "{rules}");
        assert!(at("chain input") < at("counter drop"), "the host's services stay closed");
    }
}

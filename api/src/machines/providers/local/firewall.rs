//! What machines may send to this host: a table of nftables for each data directory, in the host's own namespace.
//!
//! Its rules concern packets that come in from the data directory's bridge, and no others; no other table is read or
//! changed. Machines may answer, and may begin nothing. The rules keep no state: connection tracking would be switched on
//! for all of the host's traffic, and its table would be one more thing to fill.

use std::process::Stdio;
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::process::Command;
use tokio::time::timeout;

use super::command::{run, tail};
use super::error::LocalError;
use super::site::Site;

const LIMIT: Duration = Duration::from_secs(10);

/// Writes the table, or writes it again if something has changed it. In one transaction: there is no moment without it.
pub(super) async fn raise(site: &Site) -> Result<(), LocalError> {
    apply(&rules(site)).await
}

/// Removes the table. A missing one is no error.
pub(super) async fn lower(site: &Site) -> Result<(), LocalError> {
    if is_up(site).await { apply(&format!("delete table inet {}\n", table(site))).await } else { Ok(()) }
}

/// Whether the table is there.
pub(super) async fn is_up(site: &Site) -> bool {
    run("nft", &["list", "table", "inet", &table(site)]).await.is_ok_and(|text| text.contains("drop"))
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
fn rules(site: &Site) -> String {
    let (table, bridge) = (table(site), site.bridge());
    format!(
        "table inet {table} {{}}\n\
         delete table inet {table}\n\
         table inet {table} {{\n\
         chain input {{\n\
         type filter hook input priority -10; policy accept;\n\
         iifname != \"{bridge}\" accept\n\
         meta nfproto ipv4 tcp flags & (ack | rst) != 0 accept\n\
         icmp type {{ echo-reply, destination-unreachable, time-exceeded, parameter-problem }} accept\n\
         counter drop\n\
         }}\n\
         chain forward {{\n\
         type filter hook forward priority -10; policy accept;\n\
         iifname \"{bridge}\" counter drop\n\
         oifname \"{bridge}\" counter drop\n\
         }}\n\
         }}\n"
    )
}

async fn apply(script: &str) -> Result<(), LocalError> {
    let failed = |detail: String| LocalError::Command { program: "nft -f -".to_owned(), detail };
    let work = async {
        let mut child = Command::new("nft")
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

    #[test]
    fn the_rules_name_this_site_s_bridge_only() {
        let site = Site { id: "0a1b2c".into(), subnet: "172.16.0.0/16".parse().unwrap() };
        let rules = rules(&site);
        assert!(rules.contains("iifname != \"ocim0a1b2c\" accept"), "{rules}");
        assert!(!rules.contains("flush"), "{rules}");
        assert_eq!(rules.matches("delete table").count(), 1);
    }
}

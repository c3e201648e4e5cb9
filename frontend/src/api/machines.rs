//! Machines: the list, when unneeded ones expire, and where provider and database differ.

use shared_types::machine::ServerCounts;
use shared_types::retention::{Expiring, Orphans};
use shared_types::{Page, ServerDetail};

use super::Result;
use super::request::{get, post, send};
use crate::paths::{MachineFilter, encode};

/// Rows per page.
const PAGE: usize = 50;

/// One page of the machines that match, newest first; `cursor` comes from the page before.
pub async fn list(filter: &MachineFilter, cursor: Option<&str>) -> Result<Page<ServerDetail>> {
    let cursor = cursor.map(|cursor| format!("&cursor={}", encode(cursor))).unwrap_or_default();
    let query = filter.api_query();
    let and = if query.is_empty() { "" } else { "&" };
    send(get(&format!("/servers?{query}{and}limit={PAGE}{cursor}"))).await
}

/// How many machines exist or are being made, by provider and status.
pub async fn counts() -> Result<ServerCounts> {
    send(get("/servers/counts")).await
}

/// All app servers that are no longer needed, with the time at which each is terminated.
pub async fn expiring() -> Result<Vec<Expiring>> {
    let mut all = Vec::new();
    let mut cursor = String::new();
    loop {
        let page: Page<Expiring> = send(get(&format!("/retention?limit=500{cursor}"))).await?;
        all.extend(page.items);
        match page.next_cursor {
            Some(next) => cursor = format!("&cursor={}", encode(&next)),
            None => return Ok(all),
        }
    }
}

/// The differences between provider and database, as last compared.
pub async fn orphans() -> Result<Orphans> {
    send(get("/servers/orphans")).await
}

/// Compares provider and database now, and cleans up what is due.
pub async fn reap() -> Result<Orphans> {
    send(post("/servers/orphans")).await
}

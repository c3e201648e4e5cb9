//! Unneeded machines: when they expire, and where provider and database differ.

use shared_types::Page;
use shared_types::retention::{Expiring, Orphans};

use super::Result;
use super::request::{get, post, send};
use crate::paths::encode;

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

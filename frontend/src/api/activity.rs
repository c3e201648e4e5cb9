//! The audit trail.

use shared_types::Page;
use shared_types::audit::Activity;

use super::Result;
use super::request::{get, send, url};
use crate::paths::{ActivityFilter, encode};

/// How many entries one answer holds.
pub const PAGE: usize = 50;

/// One page of those that pass, the newest first; `cursor` from the page before.
pub async fn list(filter: &ActivityFilter, cursor: Option<&str>) -> Result<Page<Activity>> {
    let cursor = cursor.map(|cursor| format!("&cursor={}", encode(cursor))).unwrap_or_default();
    send(get(&format!("/activity?{}limit={PAGE}{cursor}", with_and(filter)))).await
}

/// Where all that pass are, a JSON object a line.
pub fn download(filter: &ActivityFilter) -> String {
    url(&format!("/activity?{}format=jsonl", with_and(filter)))
}

fn with_and(filter: &ActivityFilter) -> String {
    let query = filter.query();
    if query.is_empty() { query } else { format!("{query}&") }
}

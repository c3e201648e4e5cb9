//! Entries of the audit trail.

use chrono::{DateTime, SecondsFormat, Utc};
use shared_types::audit::Activity;
use shared_types::{InstanceId, Page};

use super::Result;
use super::request::{get, send, url};
use crate::paths::{ActivityFilter, encode};

/// Entries per page.
pub const PAGE: usize = 50;

/// One page of the entries that match, newest first; `cursor` comes from the page before.
pub async fn list(filter: &ActivityFilter, cursor: Option<&str>) -> Result<Page<Activity>> {
    let cursor = cursor.map(|cursor| format!("&cursor={}", encode(cursor))).unwrap_or_default();
    send(get(&format!("/activity?{}limit={PAGE}{cursor}", with_and(filter)))).await
}

/// The changes of an instance's settings from `since` on (inclusive), newest first.
pub async fn changes_of(id: InstanceId, since: DateTime<Utc>) -> Result<Page<Activity>> {
    let since = encode(&since.to_rfc3339_opts(SecondsFormat::Micros, true));
    send(get(&format!("/activity?instance={id}&action=update_instance&outcome=done&limit=500&since={since}"))).await
}

/// The URL that downloads all matching entries, one JSON object per line.
pub fn download(filter: &ActivityFilter) -> String {
    url(&format!("/activity?{}format=jsonl", with_and(filter)))
}

fn with_and(filter: &ActivityFilter) -> String {
    let query = filter.query();
    if query.is_empty() { query } else { format!("{query}&") }
}

//! Paging of lists.

use std::collections::HashMap;

use serde_json::Value;
use url::Url;

use super::serve::Reply;

/// The query parameters of a request.
pub fn query(url: &Url) -> HashMap<String, String> {
    url.query_pairs().into_owned().collect()
}

/// The requested page, with links to the others. `at` is the list's path by repository id, as in GitHub's links.
pub fn page(entries: &[Value], url: &Url, at: &str, most: usize) -> Reply {
    let query = query(url);
    let number = |name: &str, default: usize| query.get(name).map_or(default, |text| text.parse().unwrap_or(default));
    let size = number("per_page", 30).clamp(1, 100).min(most);
    let page = number("page", 1).max(1);
    let last = entries.len().div_ceil(size).max(1);
    let start = entries.len().min(size * (page - 1));
    let shown = entries[start..entries.len().min(start + size)].to_vec();
    let link = |to: usize, relation: &str| {
        let mut url = Url::parse(at).unwrap();
        let kept = query.iter().filter(|(name, _)| name.as_str() != "page");
        let mut kept: Vec<_> = kept.collect();
        kept.sort();
        url.query_pairs_mut().extend_pairs(kept).append_pair("page", &to.to_string());
        format!("<{url}>; rel=\"{relation}\"")
    };
    let mut links = Vec::new();
    if page > 1 {
        links.extend([link(page - 1, "prev"), link(1, "first")]);
    }
    if page < last {
        links.extend([link(page + 1, "next"), link(last, "last")]);
    }
    let reply = Reply::new(200, Value::Array(shown));
    if links.is_empty() { reply } else { reply.with("link", &links.join(", ")) }
}

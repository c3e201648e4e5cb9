//! Links that show an app server that is not active to the people who have them, under the instance's own host names.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::app_server::{AppServerStatus, Serving};
use crate::app_server_status::Possible;
use crate::ids::PreviewLinkId;

/// How long a link works unless the request says otherwise, in hours.
pub const DEFAULT_HOURS: i64 = 24;
/// The longest time that a link works, in hours.
pub const MAX_HOURS: i64 = 168;
/// How many links that have not ended an app server may have.
pub const MAX_LINKS: usize = 5;

/// A preview link, without its token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PreviewLink {
    /// Its id.
    pub id: PreviewLinkId,
    /// When it was made.
    pub created_at: DateTime<Utc>,
    /// Who made it.
    #[schema(example = "ada")]
    pub created_by: String,
    /// When it ends. It ends earlier when it is revoked, or when its app server is activated or terminated.
    pub ends_at: DateTime<Utc>,
}

/// The body of a request to make a preview link.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct NewPreviewLink {
    /// How long it works, in hours; left out: 24.
    #[schema(minimum = 1, maximum = 168, example = 24)]
    pub hours: Option<i64>,
}

/// A new preview link. Its URLs are shown only this once.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CreatedPreviewLink {
    /// The link without its token.
    #[serde(flatten)]
    pub link: PreviewLink,
    /// The addresses to open, the shortest host name first. Each works for its host name and the subdomains of that; an
    /// instance whose host names have one in common has a single address.
    pub urls: Vec<String>,
}

impl std::fmt::Debug for CreatedPreviewLink {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CreatedPreviewLink").field("link", &self.link).finish_non_exhaustive()
    }
}

/// Whether an app server with this status and traffic can have preview links.
pub fn can_preview(status: AppServerStatus, serving: Serving) -> Possible {
    match (status, serving) {
        (_, Serving::Active) => Possible::No("It is active: every visitor sees it."),
        (AppServerStatus::Running, Serving::Idle | Serving::Draining | Serving::Fallback) => Possible::Yes,
        (AppServerStatus::New | AppServerStatus::Waiting | AppServerStatus::Configuring, _) => {
            Possible::No("It is still being built; it must be running to have a preview link.")
        }
        (AppServerStatus::Failed | AppServerStatus::Error | AppServerStatus::Stopped, _) => {
            Possible::No("Its build did not succeed; only a running app server can have a preview link.")
        }
        (AppServerStatus::Terminated, _) => Possible::No("Its machine has been terminated."),
    }
}

/// The domains whose cookies cover these host names: the host names that are not subdomains of another one, the shortest first.
pub fn covering<'a>(hostnames: &[&'a str]) -> Vec<&'a str> {
    let mut names = hostnames.to_vec();
    names.sort_unstable_by_key(|name| (name.len(), *name));
    let mut covering: Vec<&str> = Vec::new();
    for name in names {
        if !covering.iter().any(|domain| is_within(name, domain)) {
            covering.push(name);
        }
    }
    covering
}

/// Whether a host name is this domain or a subdomain of it.
pub fn is_within(hostname: &str, domain: &str) -> bool {
    hostname.strip_suffix(domain).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subdomains_need_no_address_of_their_own() {
        let names = ["studio.a.example", "a.example", "apps.a.example", "aa.example", "a.example.org", "ba.example"];
        assert_eq!(covering(&names), ["a.example", "aa.example", "ba.example", "a.example.org"]);
        assert!(covering(&[]).is_empty());
    }

    #[test]
    fn only_a_running_app_server_that_is_not_active_has_links() {
        for status in AppServerStatus::ALL {
            for serving in [Serving::Idle, Serving::Active, Serving::Draining, Serving::Fallback] {
                let can = *status == AppServerStatus::Running && serving != Serving::Active;
                assert_eq!(can_preview(*status, serving) == Possible::Yes, can, "{status:?} {serving:?}");
            }
        }
    }
}

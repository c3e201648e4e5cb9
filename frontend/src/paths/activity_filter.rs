//! The filter of the audit trail, as part of a URL.

use chrono::{DateTime, SecondsFormat, Utc};
use shared_types::audit::Outcome;
use shared_types::{AppServerId, InstanceId};

use super::{Page, encode};

/// Which entries are listed. The page's URL and the API's use the same parameters.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ActivityFilter {
    /// Only entries by this user, by the full name; blank: by any user.
    pub actor: String,
    /// Only entries of this operation; blank: of any operation.
    pub action: String,
    /// Only entries about this instance.
    pub instance: Option<InstanceId>,
    /// Only entries about this app server.
    pub app_server: Option<AppServerId>,
    /// Only successful or only refused operations.
    pub outcome: Option<Outcome>,
    /// Only entries from this time on (inclusive).
    pub since: Option<DateTime<Utc>>,
    /// Only entries before this time.
    pub until: Option<DateTime<Utc>>,
}

impl ActivityFilter {
    /// Parses the query of a URL. Invalid parameters are ignored.
    pub fn parse(get: impl Fn(&str) -> Option<String>) -> Self {
        let text = |name: &str| get(name).unwrap_or_default().trim().to_owned();
        let id = |name: &str| text(name).parse::<i64>().ok().filter(|id| *id > 0);
        let time = |name: &str| text(name).parse().ok();
        let outcome = text("outcome");
        Self {
            actor: text("actor"),
            action: text("action"),
            instance: id("instance").map(InstanceId),
            app_server: id("app_server").map(AppServerId),
            outcome: Outcome::ALL.iter().copied().find(|one| one.as_str() == outcome),
            since: time("since"),
            until: time("until"),
        }
    }

    /// The query, without its question mark.
    pub fn query(&self) -> String {
        let Self { actor, action, instance, app_server, outcome, since, until } = self;
        let text = |text: &str| Some(encode(text.trim())).filter(|text| !text.is_empty());
        let time = |time: &Option<DateTime<Utc>>| time.map(|time| time.to_rfc3339_opts(SecondsFormat::AutoSi, true));
        let parts = [
            ("actor", text(actor)),
            ("action", text(action)),
            ("instance", instance.map(|id| id.to_string())),
            ("app_server", app_server.map(|id| id.to_string())),
            ("outcome", outcome.map(|outcome| outcome.as_str().to_owned())),
            ("since", time(since).map(|time| encode(&time))),
            ("until", time(until).map(|time| encode(&time))),
        ];
        let given = parts.into_iter().filter_map(|(name, value)| value.map(|value| format!("{name}={value}")));
        given.collect::<Vec<_>>().join("&")
    }

    /// The path of the list with this filter.
    pub fn path(&self) -> String {
        let query = self.query();
        let question = if query.is_empty() { "" } else { "?" };
        format!("{}{question}{query}", Page::Activity)
    }

    /// Whether nothing is filtered out.
    pub fn is_empty(&self) -> bool {
        self.query().is_empty()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn the_url_says_which_entries_are_listed() {
        let filter = ActivityFilter {
            actor: "ada (token «ci»)".into(),
            action: "launch_app_server".into(),
            instance: Some(InstanceId(7)),
            app_server: Some(AppServerId(9)),
            outcome: Some(Outcome::Refused),
            since: Some("2026-03-20T00:00:00Z".parse().unwrap()),
            until: None,
        };
        let path = filter.path();
        assert_eq!(
            path,
            "/activity?actor=ada%20%28token%20%C2%ABci%C2%BB%29&action=launch_app_server&instance=7&app_server=9\
             &outcome=refused&since=2026-03-20T00%3A00%3A00Z"
        );
        let asked = |name: &str| match name {
            "actor" => Some("ada (token «ci»)".to_owned()),
            "action" => Some("launch_app_server".to_owned()),
            "instance" => Some("7".to_owned()),
            "app_server" => Some("9".to_owned()),
            "outcome" => Some("refused".to_owned()),
            "since" => Some("2026-03-20T00:00:00Z".to_owned()),
            _ => None,
        };
        assert_eq!(ActivityFilter::parse(asked), filter);
        for nonsense in ["", " ", "-1", "x"] {
            let filter = ActivityFilter::parse(|name| (name != "actor" && name != "action").then(|| nonsense.into()));
            assert_eq!((filter.path().as_str(), filter.is_empty()), ("/activity", true), "{nonsense}");
        }
    }
}

//! What the verbs on app servers and instances take. Every field may be left out unless it says otherwise.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::app_server::{AppServerSummary, MAX_DRAIN_LIMIT, Possible};
use crate::ids::AppServerId;
use crate::settings::check_number;

/// What stopping, pinning, holding, pausing take.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct WithReason {
    /// Why, for the history; at most 500 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 500, example = "the release of Thursday")]
    pub reason: Option<String>,
}

/// What terminating takes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct TerminateAppServer {
    /// Whether a build under way is stopped first.
    pub stop: bool,
    /// Why, for the history; at most 500 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 500, example = "the release of Thursday")]
    pub reason: Option<String>,
}

/// What activating takes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ActivateAppServer {
    /// Only if this one is active now (null: only if none is); left out: whatever is active is replaced.
    #[serde(deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<i64>, minimum = 1, example = 1)]
    pub expected_active: Option<Option<AppServerId>>,
    /// Whether one that is still being built is activated as soon as its build has ended well.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub when_running: bool,
    /// Whether its checks are skipped. Needs a reason.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub force: bool,
    /// Seconds that requests under way may hold up the end of the one that is replaced, 0 to 3600; left out: the setting
    /// (OCIM_DRAIN_LIMIT). None is cut off: after that time it is no longer waited for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0, maximum = 3600)]
    pub drain_limit_seconds: Option<i32>,
    /// Why, for the history; at most 500 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 500, example = "the release of Thursday")]
    pub reason: Option<String>,
}

/// What going back takes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Rollback {
    /// Which app server gets the traffic; left out: the fallback.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub app_server_id: Option<AppServerId>,
    /// Whether its checks are skipped. Needs a reason.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub force: bool,
    /// Why, for the history; at most 500 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 500, example = "the release of Thursday")]
    pub reason: Option<String>,
}

/// What deleting an archived instance's belongings takes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Purge {
    /// The instance's domain, typed by whoever means it.
    #[serde(default)]
    #[schema(example = "demo.localhost")]
    pub confirm: String,
}

/// What was deleted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Purged {
    /// Each thing, in words.
    #[schema(example = json!(["the host name demo.localhost"]))]
    pub deleted: Vec<String>,
}

/// Keeps automation from activating; a person lifts it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Hold {
    /// Who set it.
    pub by: String,
    /// When.
    pub at: DateTime<Utc>,
    /// Why.
    pub reason: Option<String>,
}

/// What the answer to an activation says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ActivationResult {
    /// The app server that is active now, or is to be when its build has ended.
    pub app_server: AppServerSummary,
    /// Whether the gateway sends it the traffic already. If not, it will in a moment, and the history says when.
    pub is_applied: bool,
}

/// The limit that a person typed; blank: none, so that the setting applies.
///
/// # Errors
/// A sentence for the person who typed it.
pub fn parse_drain_limit(text: &str) -> Result<Option<i32>, String> {
    if text.trim().is_empty() {
        return Ok(None);
    }
    check_number(text, 0, MAX_DRAIN_LIMIT).map(Some)
}

/// Whether the traffic may be asked to move: what the checks said (none: not yet), whether they are to be skipped, and why.
/// Going back is asked for in a hurry and does not wait for them: the server makes them again anyway.
pub fn can_move(is_rollback: bool, passed: Option<bool>, force: bool, reason: &str) -> Possible {
    match (passed, force) {
        (Some(true), _) => Possible::Yes,
        (None, _) if is_rollback => Possible::Yes,
        (None, _) => Possible::No("It must answer its checks first."),
        (Some(false), false) => Possible::No("It does not answer its checks."),
        (Some(false), true) if reason.trim().is_empty() => Possible::No("Skipping the checks needs a reason."),
        (Some(false), true) => Possible::Yes,
    }
}

/// Tells a field that is null from one that was left out.
fn present<'de, D, T>(deserializer: D) -> Result<Option<Option<T>>, D::Error>
where
    D: serde::Deserializer<'de>,
    T: Deserialize<'de>,
{
    Option::<T>::deserialize(deserializer).map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_drain_limit_is_seconds_or_blank() {
        assert_eq!(parse_drain_limit(" "), Ok(None));
        assert_eq!(parse_drain_limit("0"), Ok(Some(0)));
        assert_eq!(parse_drain_limit(" 90 "), Ok(Some(90)));
        for wrong in ["-1", "3601", "a minute", "1.5"] {
            assert!(parse_drain_limit(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_checks_are_skipped_only_when_they_failed_and_with_a_reason() {
        assert_eq!(can_move(false, Some(true), false, ""), Possible::Yes);
        assert_ne!(can_move(false, None, false, ""), Possible::Yes);
        assert_eq!(can_move(true, None, false, ""), Possible::Yes, "going back does not wait for them");
        for is_rollback in [false, true] {
            assert_ne!(can_move(is_rollback, Some(false), false, "why"), Possible::Yes);
            assert_ne!(can_move(is_rollback, Some(false), true, " "), Possible::Yes);
            assert_eq!(can_move(is_rollback, Some(false), true, "why"), Possible::Yes);
        }
    }
}

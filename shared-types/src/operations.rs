//! Request bodies of operations on app servers and instances. Every field may be left out unless stated otherwise.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::app_server::{AppServerSummary, MAX_DRAIN_LIMIT, Possible};
use crate::ids::AppServerId;
use crate::problem::FieldError;
use crate::settings::check_number;

/// The body of a request to stop, pin, hold or pause.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct WithReason {
    /// The reason, for the history; at most 500 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 500, example = "the release of Thursday")]
    pub reason: Option<String>,
}

/// The body of a request to terminate an app server.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct TerminateAppServer {
    /// Whether a build in progress is stopped first.
    pub stop: bool,
    /// The reason, for the history; at most 500 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 500, example = "the release of Thursday")]
    pub reason: Option<String>,
}

/// The body of a request to activate an app server.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ActivateAppServer {
    /// The app server that must be active now (null: none), or the request is refused; left out: any may be active.
    #[serde(deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<i64>, minimum = 1, example = 1)]
    pub expected_active: Option<Option<AppServerId>>,
    /// Whether an app server that is still being built is activated once its build succeeds.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub when_running: bool,
    /// Whether the checks are skipped, which needs a reason.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub force: bool,
    /// The drain limit: seconds to wait for requests in progress at the replaced app server, 0 to 3600; left out: the
    /// setting OCIM_DRAIN_LIMIT. No request is cut off: after that time the app server counts as idle.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0, maximum = 3600)]
    pub drain_limit_seconds: Option<i32>,
    /// The reason, for the history; at most 500 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 500, example = "the release of Thursday")]
    pub reason: Option<String>,
}

/// The body of a request to roll back.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Rollback {
    /// The app server that gets the traffic; left out: the fallback.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub app_server_id: Option<AppServerId>,
    /// Whether the checks are skipped, which needs a reason.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub force: bool,
    /// The reason, for the history; at most 500 characters.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 500, example = "the release of Thursday")]
    pub reason: Option<String>,
}

/// The body of a request to delete what an archived instance owns.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Purge {
    /// The instance's domain, as a confirmation.
    #[serde(default)]
    #[schema(example = "demo.localhost")]
    pub confirm: String,
}

/// The result of deleting what an archived instance owned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Purged {
    /// Each deleted thing, in words.
    #[schema(example = json!(["the host name demo.localhost"]))]
    pub deleted: Vec<String>,
}

/// A hold: automation activates nothing until a person releases it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Hold {
    /// The name of the user or token that set it.
    pub by: String,
    /// When it was set.
    pub at: DateTime<Utc>,
    /// The reason that was given; null if none was.
    pub reason: Option<String>,
}

/// The maintenance page: visitors get it from the gateway in place of the active app server.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Maintenance {
    /// The name of the user or token that put it up, or changed its text.
    pub by: String,
    /// When it was put up.
    pub at: DateTime<Utc>,
    /// What it says to visitors.
    #[schema(example = "We are back at 18:00.")]
    pub text: String,
}

/// The body of a request to put the maintenance page up.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct BeginMaintenance {
    /// What the page says to visitors, as plain text; left out or blank: a usual sentence.
    #[schema(max_length = 500, example = "We are back at 18:00.")]
    pub text: Option<String>,
    /// The reason, for the history; at most 500 characters. Visitors do not see it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 500, example = "the release of Thursday")]
    pub reason: Option<String>,
}

impl BeginMaintenance {
    /// The most characters of the text.
    pub const TEXT_MAX: usize = 500;
    /// What the page says if no text is given.
    pub const USUAL_TEXT: &str = "This site is being worked on. Try again in a while.";

    /// The text that the page says.
    ///
    /// # Errors
    /// The field's error if the text is too long or has control characters.
    pub fn checked_text(&self) -> Result<String, Vec<FieldError>> {
        let text = self.text.as_deref().unwrap_or_default().trim();
        if text.is_empty() {
            return Ok(Self::USUAL_TEXT.to_owned());
        }
        if text.chars().count() > Self::TEXT_MAX {
            return Err(vec![FieldError::new("text", format!("At most {} characters.", Self::TEXT_MAX))]);
        }
        if text.chars().any(|c| c.is_control() && c != '\n') {
            return Err(vec![FieldError::new("text", "Control characters are not possible.")]);
        }
        Ok(text.to_owned())
    }
}

/// The response to an activation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ActivationResult {
    /// The app server that is active now or will be activated later.
    pub app_server: AppServerSummary,
    /// Whether the gateway already sends it the traffic. If not, `applied_at` in the history tells when it began to.
    pub is_applied: bool,
}

/// Reads a drain limit that a user typed; blank: none, so that the setting applies.
///
/// # Errors
/// A sentence for the user if the text is not a whole number of seconds from 0 to 3600.
pub fn parse_drain_limit(text: &str) -> Result<Option<i32>, String> {
    if text.trim().is_empty() {
        return Ok(None);
    }
    check_number(text, 0, MAX_DRAIN_LIMIT).map(Some)
}

/// Whether a switch may be requested, by the checks' result (none: pending), whether they are skipped, and the reason.
/// A rollback does not wait for the checks: the server makes them again anyway.
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

/// Distinguishes a field that is null from one that was left out.
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

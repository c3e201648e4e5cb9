//! A fault of the pages themselves, as the browser tells it.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How many characters of what went wrong are told at most.
pub const MESSAGE_MAX: usize = 4000;
/// How many characters of where it went wrong are told at most.
pub const PAGE_MAX: usize = 500;
/// How many characters of the version are told at most.
pub const VERSION_MAX: usize = 100;

/// A fault of the pages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ClientError {
    /// What went wrong.
    #[schema(min_length = 1, max_length = 4000, example = "panicked at src/app.rs:7:1: no such thing")]
    pub message: String,
    /// The path of the page that it went wrong on.
    #[schema(max_length = 500, example = "/instances/7")]
    pub page: String,
    /// The version of the pages.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 100, example = "0.1.0")]
    pub version: Option<String>,
}

impl ClientError {
    /// One whose texts are no longer than may be told.
    pub fn cut(message: &str, page: &str, version: Option<&str>) -> Self {
        let cut = |text: &str, max: usize| text.chars().take(max).collect::<String>();
        Self {
            message: cut(message, MESSAGE_MAX),
            page: cut(page, PAGE_MAX),
            version: version.map(|version| cut(version, VERSION_MAX)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_long_is_cut_where_a_character_ends() {
        let cut = ClientError::cut(&"ü".repeat(MESSAGE_MAX + 1), &"/".repeat(PAGE_MAX + 1), Some("0.1.0"));
        assert_eq!((cut.message.chars().count(), cut.page.len()), (MESSAGE_MAX, PAGE_MAX));
        assert_eq!(
            ClientError::cut("x", "/", None),
            ClientError { message: "x".into(), page: "/".into(), version: None }
        );
    }
}

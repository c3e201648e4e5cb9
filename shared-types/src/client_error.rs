//! An error of the web pages, as the browser reports it.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The most characters of the message that are sent.
pub const MESSAGE_MAX: usize = 4000;
/// The most characters of the page's path that are sent.
pub const PAGE_MAX: usize = 500;
/// The most characters of the version that are sent.
pub const VERSION_MAX: usize = 100;

/// An error of the web pages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ClientError {
    /// The error message, as the browser or the panic has it.
    #[schema(min_length = 1, max_length = 4000, example = "panicked at src/app.rs:7:1: no such thing")]
    pub message: String,
    /// The path of the page on which the error happened.
    #[schema(max_length = 500, example = "/instances/7")]
    pub page: String,
    /// The version of the web pages.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(max_length = 100, example = "0.1.0")]
    pub version: Option<String>,
}

impl ClientError {
    /// An error whose texts are cut to what may be sent.
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

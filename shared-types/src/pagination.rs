//! Pages of a list.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// How many items a page has unless asked for otherwise.
pub const DEFAULT_LIMIT: i64 = 50;
/// How many items a page has at most.
pub const MAX_LIMIT: i64 = 500;

/// One page of a list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Page<T> {
    /// The items, in the order asked for.
    pub items: Vec<T>,
    /// What to pass as `cursor` for the next page; null on the last one. Opaque.
    pub next_cursor: Option<String>,
}

/// What a list of things that are made one after the other is sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
pub enum ByAge {
    /// The newest first.
    #[default]
    #[serde(rename = "-created")]
    Newest,
    /// The oldest first.
    #[serde(rename = "created")]
    Oldest,
}

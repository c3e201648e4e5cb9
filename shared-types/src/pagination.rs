//! Pages of a list.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Items on a page if the request gives no limit.
pub const DEFAULT_LIMIT: i64 = 50;
/// The most items that a page may have.
pub const MAX_LIMIT: i64 = 500;

/// One page of a list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Page<T> {
    /// The items, in the order asked for.
    pub items: Vec<T>,
    /// What to pass as `cursor` for the next page; null on the last one. Opaque.
    pub next_cursor: Option<String>,
}

/// The order of a list by the time of creation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
pub enum ByAge {
    /// The newest item comes first.
    #[default]
    #[serde(rename = "-created")]
    Newest,
    /// The oldest item comes first.
    #[serde(rename = "created")]
    Oldest,
}

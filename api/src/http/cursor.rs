//! Cursors of pages: opaque to the caller, they hold the place of the last item.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use shared_types::{Page, ProblemType};

use super::error::ApiError;

/// The page of a list.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct PageQuery {
    /// How many items to return: 1 to 500, 50 by default.
    pub limit: Option<i64>,
    /// `next_cursor` of the previous page.
    pub cursor: Option<String>,
}

/// Reads a cursor.
///
/// # Errors
/// [`ProblemType::BadRequest`] if the cursor was not made by this program.
pub fn decode<T: DeserializeOwned>(cursor: Option<&str>) -> Result<Option<T>, ApiError> {
    let Some(cursor) = cursor else {
        return Ok(None);
    };
    let bytes = URL_SAFE_NO_PAD.decode(cursor).ok();
    bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok()).map(Some).ok_or_else(|| {
        ApiError::new(
            ProblemType::BadRequest,
            "The cursor is not valid; use next_cursor of the page before, unchanged.",
        )
    })
}

/// A page of at most `limit` of these items; one more item means that there is a next page.
pub fn page<T, C: Serialize>(mut items: Vec<T>, limit: i64, place: impl Fn(&T) -> C) -> Page<T> {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let has_more = items.len() > limit;
    items.truncate(limit);
    let next_cursor = items
        .last()
        .filter(|_| has_more)
        .and_then(|last| serde_json::to_vec(&place(last)).ok())
        .map(|bytes| URL_SAFE_NO_PAD.encode(bytes));
    Page { items, next_cursor }
}

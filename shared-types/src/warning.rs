//! Advice about settings that are accepted and may still surprise their author.
//!
//! A warning never refuses anything: the form shows it beside the field, the API answers it with the instance, and the
//! comment on a pull request names it.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// One piece of advice about one field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct FieldWarning {
    /// Where, as a JSON pointer (RFC 6901).
    #[schema(example = "/configuration_extra_settings")]
    pub pointer: String,
    /// The line in the field's text, from 1; null where the advice is about the whole value.
    #[schema(example = 3, minimum = 1)]
    pub line: Option<u32>,
    /// What will happen, and what to write instead: whole sentences.
    pub detail: String,
}

//! The settings as a form, for new and existing instances. Values are validated while typing, by the server's rules.

mod advice;
mod clash;
mod controls;
mod form;
mod lock;
mod merge;
mod records;
mod rows;

use shared_types::care;

pub use form::{Change, Form, hidden_changes};
pub use rows::{FieldGroup, FieldRows};

/// Whether a field configures how the manager treats the instance, not the instance itself.
pub fn is_care(name: &str) -> bool {
    care::FIELDS.iter().any(|field| field.name == name)
}

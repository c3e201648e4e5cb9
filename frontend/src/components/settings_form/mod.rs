//! The settings as a form: for a new instance and for changing one. Values are checked as typed by the server's own rules.

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

/// Whether a field says how the manager treats the instance, and not what the instance is.
pub fn is_care(name: &str) -> bool {
    care::FIELDS.iter().any(|field| field.name == name)
}

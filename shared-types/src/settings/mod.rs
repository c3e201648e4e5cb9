//! What every application type's settings are made of: fields with their rules, the schema that lists them, and what differs
//! between two records. Nothing here knows an application; [`crate::applications`] has the schemas.

pub mod diff;
mod field;
mod input;
mod requirements;
mod rules;
mod schema;

pub use field::{Field, FieldKind, JsonShape, Records};
pub use requirements::{REQUIREMENTS_MAX, requirements_path};
pub use rules::{HOSTNAME_MAX, check_hostname, check_number};
pub use schema::Schema;

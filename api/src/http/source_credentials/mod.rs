//! Deploy keys and tokens of private repositories.

mod create;
mod delete;
mod list;

pub use create::create_source_credential;
pub use delete::delete_source_credential;
pub use list::list_source_credentials;

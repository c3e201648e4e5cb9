//! Signing in and out, and tokens.

mod create_token;
mod current_user;
mod delete_token;
mod list_tokens;
mod login;
mod logout;

pub use create_token::{__path_create_token, create_token};
pub use current_user::{__path_current_user, current_user};
pub use delete_token::{__path_delete_token, delete_token};
pub use list_tokens::{__path_list_tokens, list_tokens};
pub use login::{__path_login, login};
pub use logout::{__path_logout, logout};

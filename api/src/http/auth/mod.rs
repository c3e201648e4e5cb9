//! Signing in and out, and tokens.

mod me;
mod sign_in;
mod sign_out;
mod token_create;
mod token_delete;
mod token_list;

pub use me::current_user;
pub use sign_in::login;
pub use sign_out::logout;
pub use token_create::create_token;
pub use token_delete::delete_token;
pub use token_list::list_tokens;

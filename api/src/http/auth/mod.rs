//! Signing in and out; the caller's own password, sessions, tokens and SSH keys.

pub mod cookie;
mod elsewhere;
mod me;
mod password_change;
mod provider_callback;
mod provider_list;
mod provider_login;
mod session_end;
mod session_end_others;
mod session_list;
mod sign_in;
mod sign_out;
mod ssh_key_add;
mod ssh_key_delete;
mod ssh_key_list;
mod token_create;
mod token_current;
mod token_delete;
mod token_list;

pub use me::current_user;
pub use password_change::change_password;
pub use provider_callback::finish_sign_in;
pub use provider_list::list_sign_in_providers;
pub use provider_login::begin_sign_in;
pub use session_end::end_session;
pub use session_end_others::end_other_sessions;
pub use session_list::list_sessions;
pub use sign_in::login;
pub use sign_out::logout;
pub use ssh_key_add::add_ssh_key;
pub use ssh_key_delete::delete_ssh_key;
pub use ssh_key_list::list_ssh_keys;
pub use token_create::create_token;
pub use token_current::current_token;
pub use token_delete::delete_token;
pub use token_list::list_tokens;

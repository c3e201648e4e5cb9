//! Operations on users: who may sign in, and with which role.

mod create;
mod delete;
mod list;
mod password;
mod read;
mod session_end;
mod session_end_all;
mod session_list;
mod token_delete;
mod token_delete_all;
mod token_list;
mod update;
mod view;

pub use create::create_user;
pub use delete::delete_user;
pub use list::list_users;
pub use password::set_user_password;
pub use read::read_user;
pub use session_end::end_user_session;
pub use session_end_all::end_user_sessions;
pub use session_list::list_user_sessions;
pub use token_delete::delete_user_token;
pub use token_delete_all::delete_user_tokens;
pub use token_list::list_user_tokens;
pub use update::update_user;

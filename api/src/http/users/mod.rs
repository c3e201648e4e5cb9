//! Operations on users: who may sign in, and with which role.

mod create;
mod delete;
mod list;
mod password;
mod read;
mod update;
mod view;

pub use create::create_user;
pub use delete::delete_user;
pub use list::list_users;
pub use password::set_user_password;
pub use read::read_user;
pub use update::update_user;

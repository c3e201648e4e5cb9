mod login;
mod logout;
mod me;
mod password;
mod sessions;
pub mod ssh_keys;
mod tokens;

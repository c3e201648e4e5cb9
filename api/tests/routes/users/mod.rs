//! Managing users as an administrator.

mod create;
mod credentials;
mod delete;
mod list;
mod password;
mod update;

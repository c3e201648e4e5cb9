//! Managing users as an administrator.

mod create;
mod delete;
mod list;
mod password;
mod update;

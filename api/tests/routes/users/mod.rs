//! Users, and what administrators do to them.

mod create;
mod delete;
mod list;
mod password;
mod update;

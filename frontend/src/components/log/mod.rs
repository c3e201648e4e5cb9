//! The log of an app server or an instance: live, searched, windowed.

mod card;
mod classify;
mod feed;
mod row;
mod store;

pub use card::LogCard;

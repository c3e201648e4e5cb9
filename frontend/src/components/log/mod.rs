//! The log of an app server or an instance: live, searchable, windowed.

mod card;
mod classify;
mod excerpt;
mod feed;
mod heights;
mod hits;
mod lines;
mod options;
mod row;
mod search;
mod store;

pub use card::LogCard;
pub use excerpt::{Excerpt, failing};

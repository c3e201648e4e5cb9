//! Queries of the tables of pull requests.

pub mod deliveries;
pub mod due;
pub mod listing;
pub mod pause;
pub mod reports;
pub mod repositories;
pub mod rows;
pub mod writes;

pub use rows::{Row, Said};

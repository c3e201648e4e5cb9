//! The tables of pull requests.

pub mod repositories;
pub mod rows;

pub use rows::Row;

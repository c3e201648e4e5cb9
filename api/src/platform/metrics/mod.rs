//! Metrics for Prometheus: those of this process, counted since its start, and those of the database, read for each
//! request. docs/ops explains each one; a test compares.
//!
//! Not here: the HTTP handler (`http/metrics.rs`), and alerting rules (docs/ops/rules.yaml).

mod access;
mod exposition;
mod process;
pub mod store;

pub use access::{Access, Denied};
pub use exposition::{Now, text};
pub use process::{lines_stored, request_answered};

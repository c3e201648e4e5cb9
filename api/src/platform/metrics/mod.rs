//! What Prometheus reads: figures of this process, which count from its start, and figures of the database, read when
//! somebody asks. docs/ops says what each means; a test compares.
//!
//! Not here: who answers a request for them (`http/metrics.rs`), and what is done about them (docs/ops/rules.yaml).

mod access;
mod exposition;
mod process;
pub mod store;

pub use access::{Access, Denied};
pub use exposition::{Now, text};
pub use process::{lines_stored, request_answered};

//! Faults of the pages themselves.

mod report;

pub use report::report_client_error;

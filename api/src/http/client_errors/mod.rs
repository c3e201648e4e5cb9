//! Reports of errors in the frontend.

mod report;

pub use report::report_client_error;

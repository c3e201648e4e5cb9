//! Pull requests that become instances.

mod reporting;

//! Conventions of all operations: ETags, idempotency keys, limits, headers, and the audit of refusals.

mod etag;
mod fuzzed;
mod headers;
mod idempotency;
mod limits;
mod refusals;

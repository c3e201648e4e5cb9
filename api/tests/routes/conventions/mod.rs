//! What holds for all operations alike: tags, keys of repeated requests, limits, headers, and what is written down.

mod etag;
mod fuzzed;
mod headers;
mod idempotency;
mod limits;
mod refusals;

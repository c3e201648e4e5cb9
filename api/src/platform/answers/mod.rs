//! Answers that are kept and given again: a request that comes again with its Idempotency-Key starts nothing twice.

mod store;

pub use store::{Answer, Begun, begin, finish, forget, prune};

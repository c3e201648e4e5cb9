//! Stored answers for idempotent requests: a request repeated with its Idempotency-Key gets the first one's answer.

mod store;

pub use store::{Answer, Begun, begin, finish, forget, prune};

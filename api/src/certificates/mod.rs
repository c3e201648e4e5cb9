//! Certificates of the instances' host names: one for all names of an instance, ordered from a certificate authority by ACME
//! (RFC 8555), or read from files. Independent of what serves them.
//!
//! Everything that matters is written before the authority is asked: the order, then the key, then the request. So a step
//! that was interrupted is taken up again by any worker, or the order is replaced. A certificate is served until it
//! expires, also while its renewal fails.
//!
//! Not here: gateways (they are given [`store::delivery`]), changes of the DNS ([`challenges::DnsChallenges`] is the port), and
//! which instances exist (`instances`).

pub mod acme;
pub mod advance;
pub mod authority;
mod begin;
pub mod challenges;
mod error;
pub mod fake;
pub mod files;
mod follow;
pub mod limits;
pub mod mail;
pub mod names;
pub mod pem;
mod renew;
pub mod renewal;
pub mod store;

pub use advance::{Certifier, Pace};
pub use error::StepError;

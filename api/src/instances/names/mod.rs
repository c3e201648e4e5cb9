//! Host names of instances in the DNS: a sweep points them at the gateways and watches them. An activation changes no
//! record, because every name points at all gateways.
//!
//! A name that points there already, for example by a wildcard, is left alone. Without rights in a zone nothing is written,
//! and an operator is shown the records.

mod adopt;
pub mod challenges;
mod check;
mod sweep;
mod tend;
pub mod view;

pub use adopt::adopt;
pub use check::check_now;
pub use sweep::sweep;

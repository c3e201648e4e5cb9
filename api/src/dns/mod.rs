//! Names in the DNS. They point at the gateways, so an activation changes no record.
//!
//! [`port::Dns`] writes records; [`check`] asks every authoritative server whether a name points at the gateways, which
//! needs no rights. A record is ours if a TXT record beside it says so ([`owner`]); no other record is ever changed.
//!
//! Not here: which names instances have, and when they are written and checked (`instances/names`).

pub mod check;
mod error;
pub mod owner;
pub mod port;
pub mod providers;
mod resolver;
mod wire;
mod zones;

pub use error::DnsError;
pub use resolver::Resolver;

//! The tables of gateways with an agent: their routes, what they say, and what they are asked.

pub mod counts;
pub mod gateways;
pub mod marks;
pub mod table;

/// How long a gateway counts as live after its agent asked, in seconds: three times as long as an agent waits.
pub const LIVE_SECONDS: f64 = 15.0;

//! What every program of this kind has, whatever it manages.

pub mod outbox;

//! The parts that touch the machine, for real: child processes, playbooks, local machines. Slow beside the rest:
//! `cargo test --test api -- --skip system::` leaves them out.

mod ansible;
mod children;
mod examples;
mod github;
mod machines;
mod smtp;
mod traffic;

//! Tests of the parts that use the host: child processes, playbooks, local machines. They are slow:
//! `cargo test --test api -- --skip system::` leaves them out.

mod ansible;
mod backups;
mod certificates;
mod children;
mod dns;
mod examples;
mod gateways;
mod github;
mod machines;
mod openstack;
mod program;
mod resources;
mod servers;
mod smtp;
mod traffic;
mod walls;

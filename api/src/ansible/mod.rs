//! Ansible: check out a configuration repository (with [`crate::git`]), make its virtualenv, load its playbooks, run
//! them on a machine, parse the output. Independent of instances, app servers and the database. The sink masks
//! the secrets of the variables.
//!
//! The port is [`port::Ansible`]; [`real::AnsibleCore`] runs `pip` and `ansible-playbook`, [`fake::FakeAnsible`]
//! follows a script in memory, [`fake_printer::FakePrinter`] one whose output outlives the process.

mod events;
pub mod fake;
pub mod fake_printer;
mod faults;
mod galaxy;
mod inside;
mod loading;
mod pins;
mod pip;
pub mod port;
mod printing;
mod process;
mod python;
mod reach;
pub mod real;
mod recover;
mod requirements;
mod run_dir;
mod runner;
#[cfg(test)]
mod runner_tests;
mod sentence;
mod spool;
mod stderr;
mod text;
pub mod virtualenv;
mod watchdog;
mod wheels;

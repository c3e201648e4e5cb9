//! Ansible: check out a configuration repository, make its virtualenv, run its playbooks on a machine, and read what they
//! print. Knows nothing of instances, app servers or the database, nor which of what is printed is secret: the sink hides that.
//!
//! The port is [`port::Ansible`]; [`real::AnsibleCore`] runs `git`, `pip` and `ansible-playbook`, [`fake::FakeAnsible`] plays
//! a script in memory, [`fake_printer::FakePrinter`] one whose output outlives the process.

mod checkout;
mod command;
mod events;
pub mod fake;
pub mod fake_printer;
mod lock;
pub mod port;
mod process;
mod reach;
pub mod real;
mod recover;
mod remote;
mod run_dir;
mod runner;
#[cfg(test)]
mod runner_tests;
mod spawner;
mod spool;
mod stderr;
mod text;
pub mod virtualenv;

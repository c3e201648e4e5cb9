//! Ansible: check out a configuration repository, make its virtualenv, load its playbooks, run them on a machine, and read
//! what they print. Knows nothing of instances, app servers or the database, nor which of what is printed is secret: the sink hides that.
//!
//! The port is [`port::Ansible`]; [`real::AnsibleCore`] runs `git`, `pip` and `ansible-playbook`, [`fake::FakeAnsible`] plays
//! a script in memory, [`fake_printer::FakePrinter`] one whose output outlives the process.

mod checkout;
mod command;
mod entry;
mod events;
pub mod fake;
pub mod fake_printer;
mod faults;
mod galaxy;
mod git;
mod loading;
mod lock;
mod pip;
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
mod sentence;
mod spawner;
mod spool;
mod stderr;
mod submodules;
mod text;
mod unfollowed;
pub mod virtualenv;

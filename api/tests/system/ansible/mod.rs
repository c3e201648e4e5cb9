//! Real playbooks with real git, pip, ansible-playbook and sshd. Needs `git`, `python3` with venv, `sshd`, and for the
//! first run a package index.

mod corpus;
mod credentials;
mod death;
mod ending;
mod hashes;
mod installing;
mod interpreters;
mod loading;
mod playing;
mod repositories;
mod submodules;
pub(super) mod support;
mod variables;
mod wheels;

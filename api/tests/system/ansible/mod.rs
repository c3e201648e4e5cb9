//! Real playbooks: real git, pip, ansible-playbook and sshd. Needs `git`, `python3` with venv, `sshd`, and at the first time a
//! package index.

mod corpus;
mod death;
mod ending;
mod installing;
mod interpreters;
mod loading;
mod playing;
mod repositories;
mod submodules;
pub(super) mod support;
mod variables;
mod wheels;

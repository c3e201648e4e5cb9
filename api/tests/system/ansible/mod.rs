//! Real playbooks: real git, pip, ansible-playbook and sshd. Needs `git`, `python3` with venv, `sshd`, and at the first time a
//! package index.

mod death;
mod ending;
mod playing;
mod repositories;
mod support;
mod variables;

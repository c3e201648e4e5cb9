//! Real playbooks: real git, pip, ansible-playbook and sshd. Needs `git`, `python3` with venv, `sshd`, and at the first time a
//! package index.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, reason = "a test may fail")]

mod death;
mod ending;
mod playing;
mod repositories;
mod support;

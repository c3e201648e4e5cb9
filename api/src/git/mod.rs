//! Git repositories: which commit a branch is, and the files of a commit with those of its submodules.
//!
//! The port is [`port::Git`]; [`real::GitCli`] runs `git`, [`fake::FakeGit`] plays a script in memory. Not here: what a
//! repository is for.

mod checkout;
mod entry;
pub mod fake;
mod mirrors;
pub mod port;
pub mod real;
mod remote;
mod submodules;
mod unfollowed;

//! Git repositories: resolving a name to a commit, and checking out a commit with its submodules.
//!
//! The port is [`port::Git`]; [`real::GitCli`] runs `git`, [`fake::FakeGit`] plays a script in memory. Not here: the
//! purpose of a repository.

mod checkout;
pub mod credentials;
mod entry;
pub mod fake;
mod mirrors;
pub mod port;
pub mod real;
mod remote;
pub mod source_credentials;
pub mod sources;
mod submodules;
mod unfollowed;

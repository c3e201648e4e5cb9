//! Who may log in to machines with SSH: users whose role allows it, and the members of the team that an instance names. A
//! build installs their keys before its first playbook; a sweep keeps machines in step, and everything that changes is in the
//! history of the machine, in its log and in the audit trail.
//!
//! Only one worker writes to a machine at a time, and it decides what to write after it was alone: an older decision never
//! overwrites a newer one. A key is in the history before it is on the machine, and is gone from there after it has left it.

mod install;
mod instance_teams;
mod people;
mod refresh;
pub mod team;
mod view;

/// The machines that a sweep looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// Those with other keys than any machine should have, those whose keys are an hour old, and those whose instance or app
    /// server changed a short while ago. Cheap, and enough unless changes were missed.
    Changed,
    /// All that exist.
    All,
}

pub use install::{install_now, sweep};
pub use instance_teams::InstanceTeams;
pub use refresh::refresh_teams;
pub use view::read;

pub(in crate::instances) use install::install_at_build;

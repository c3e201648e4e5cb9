//! Sets of statuses as SQL, made from the constants of the types. They are literals in statements, not parameters, so that
//! Postgres can use partial indexes, which have the same words.

use std::fmt;

use shared_types::app_server::BuildStepKind;
use shared_types::{AppServerStatus, ServerStatus};

/// A list of words, to be formatted into `IN (…)`, `NOT IN (…)` or `ARRAY[…]`; one word also fits `=` and `<>`.
#[derive(Debug, Clone, Copy)]
pub struct Words<T: 'static>(&'static [T]);

pub const NEW: Words<AppServerStatus> = Words(&[AppServerStatus::New]);
pub const RUNNING: Words<AppServerStatus> = Words(&[AppServerStatus::Running]);
pub const BUILDING: Words<AppServerStatus> = Words(AppServerStatus::BUILDING);
pub const SUCCESSFUL: Words<AppServerStatus> = Words(AppServerStatus::SUCCESSFUL);
pub const FAILED: Words<AppServerStatus> = Words(AppServerStatus::FAILED);
pub const FINAL: Words<AppServerStatus> = Words(AppServerStatus::FINAL);
pub const BUILT: Words<AppServerStatus> = Words(AppServerStatus::BUILT);
/// Machines that do not exist: not requested yet, or deleted.
pub const NO_MACHINE: Words<ServerStatus> = Words(ServerStatus::ABSENT);
/// Machines that were deleted.
pub const DELETED: Words<ServerStatus> = Words(&[ServerStatus::Terminated]);
pub const BUILD_STEPS: Words<BuildStepKind> = Words(BuildStepKind::ALL);

macro_rules! display {
    ($($name:ident),*) => {$(
        impl fmt::Display for Words<$name> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                for (index, one) in self.0.iter().enumerate() {
                    let comma = if index == 0 { "" } else { ", " };
                    write!(f, "{comma}'{}'", one.as_str())?;
                }
                Ok(())
            }
        }
    )*};
}

display!(AppServerStatus, ServerStatus, BuildStepKind);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_of_statuses_is_a_list_of_sql_literals() {
        assert_eq!(BUILDING.to_string(), "'new', 'waiting', 'configuring'");
        assert_eq!(DELETED.to_string(), "'terminated'");
    }
}

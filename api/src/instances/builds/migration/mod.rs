//! Builds that change the schema of databases outside the machines: decided at launch, and settled when the build is over. The step that
//! waits for the snapshot is [`super::snapshot`].
//!
//! Not here: the maintenance page (`traffic::migration_page`), and the work on snapshots (`backups::migration`).

pub mod dismiss;
mod plan;
mod settle;
pub mod view;

pub(in crate::instances) use plan::refuse_open;
pub(super) use plan::{next, plan};
pub(super) use settle::{NextAttempt, failed, of, succeeded};
pub(in crate::instances) use settle::{need_person, open_words, tell};

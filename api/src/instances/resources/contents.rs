//! What a backup of an instance contains, and what it does not.

use diesel_async::AsyncPgConnection;
use shared_types::resource::{ResourceClass, ResourcePart, ResourceState};
use shared_types::{InstanceId, ResourceKind};

use crate::instances::Manager;
use crate::platform::db::DbError;
use crate::resources::registry::Named;
use crate::resources::store::{self, ResourceRow};

/// The kinds of servers whose databases are in backups. `instances::store::backups::schedule` names them, too.
pub const KINDS: &[ResourceKind] = &[ResourceKind::Mysql, ResourceKind::Postgresql];

/// What an instance has outside its machines, as a backup sees it.
#[derive(Debug, Default)]
pub struct Contents {
    /// All its resources that are not deleted, with accounts.
    pub rows: Vec<ResourceRow>,
    /// Why others than those that a backup contains are in none, in words.
    pub left_out: Vec<String>,
}

impl Contents {
    /// The databases that a backup contains, by kind and name.
    pub fn databases(&self) -> impl Iterator<Item = &ResourceRow> {
        self.rows.iter().filter(|row| row.part == ResourcePart::Database && left_out(row).is_none())
    }

    /// A database by kind and name, in any state; none: the instance has none.
    pub fn database(&self, kind: ResourceKind, name: &str) -> Option<&ResourceRow> {
        self.rows.iter().find(|row| row.part == ResourcePart::Database && row.kind == kind && row.name == name)
    }

    /// Why no backup can be requested now, and what to do; none: one can. Builds and the schedule ask [`Self::why_none`]: their backups
    /// wait until the place can be used.
    pub fn why_not_now(&self, manager: &Manager) -> Option<String> {
        self.why_none(manager).or_else(|| manager.backups.as_ref()?.trouble())
    }

    /// Why no backup can be made, and what to do; none: one can, as soon as the place can be used.
    pub fn why_none(&self, manager: &Manager) -> Option<String> {
        if manager.backups.is_none() {
            return Some(NO_PLACE.to_owned());
        }
        if self.databases().next().is_some() {
            return None;
        }
        Some(if self.left_out.is_empty() {
            "The instance has no databases outside its machines, and what is on a machine is in no backup: change its settings so that \
             its data is elsewhere (docs/databases.md)."
                .to_owned()
        } else {
            format!("The instance has nothing that a backup could contain: {}.", self.left_out.join("; "))
        })
    }
}

/// That the settings name no place for backups, and what to do.
pub const NO_PLACE: &str = "There is no place for backups: set OCIM_BACKUP_DIR or OCIM_BACKUP_BUCKET, and OCIM_BACKUP_RECIPIENTS, and start ocim again (docs/backups.md).";

/// What an instance has, as a backup sees it. One query.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn of_instance(conn: &mut AsyncPgConnection, id: InstanceId) -> Result<Contents, DbError> {
    let rows = store::of_instance(conn, id).await?;
    let databases = rows.iter().filter(|row| row.part == ResourcePart::Database);
    let left_out = databases.filter_map(|row| Some(format!("{}: {}", words(row), left_out(row)?))).collect();
    Ok(Contents { rows, left_out })
}

/// Why no backup can be restored or verified, and what to do; none: they can.
pub fn why_no_restore(manager: &Manager) -> Option<String> {
    match &manager.backups {
        None => Some(NO_PLACE.to_owned()),
        Some(backups) => backups.why_no_restore(),
    }
}

/// The server of the settings that a resource is made at; none: it is given, or the settings do not have it.
pub fn server<'m>(manager: &'m Manager, row: &ResourceRow) -> Option<&'m Named> {
    match row.class {
        ResourceClass::Given => None,
        ResourceClass::Made => row.server.as_ref().and_then(|name| manager.resources.get(name)),
    }
}

/// Whether a database can be replaced by that of a backup.
///
/// # Errors
/// Why it cannot, and what to do.
pub fn check_replaceable(manager: &Manager, row: &ResourceRow) -> Result<(), String> {
    if row.class == ResourceClass::Made && row.state != ResourceState::Present {
        let (words, state) = (words(row), row.state.as_str());
        return Err(format!("The {words} is {state}; only one that is present can be replaced."));
    }
    check_server(manager, row)
}

/// Whether a database is at a server where ocim makes and deletes databases.
///
/// # Errors
/// Why it is not, and what to do.
pub fn check_server(manager: &Manager, row: &ResourceRow) -> Result<(), String> {
    if row.class == ResourceClass::Given {
        return Err(format!(
            "The {} was entered by an operator, and ocim deletes nothing there; load the backup by hand, as docs/backups.md says.",
            words(row)
        ));
    }
    match server(manager, row) {
        Some(_) => Ok(()),
        None => {
            Err(format!("{}: the settings do not have this server; add its table [resources.NAME] again.", row.words()))
        }
    }
}

/// A database in words: `MySQL database main`.
pub fn words(row: &ResourceRow) -> String {
    named(row.kind, &row.name)
}

/// A database in words, by the name that the application knows it by.
pub fn named(kind: ResourceKind, name: &str) -> String {
    format!("{} {} {name}", kind.name(), kind.unit())
}

/// Why a database is in no backup; none: it is in them.
fn left_out(row: &ResourceRow) -> Option<&'static str> {
    match row.kind {
        ResourceKind::Mysql | ResourceKind::Postgresql => match row.state {
            ResourceState::Present => None,
            ResourceState::Wanted | ResourceState::Creating | ResourceState::Failed => {
                Some("it is not made yet, which the next build does")
            }
            ResourceState::Deleting | ResourceState::Deleted => Some("it is being deleted"),
        },
        ResourceKind::Redis => Some("ocim makes no backups of Redis"),
        ResourceKind::Mongodb => {
            Some("ocim makes no backups of MongoDB yet; use mongodump, or the snapshots of its service")
        }
        ResourceKind::S3 | ResourceKind::Swift => {
            Some("ocim makes no backups of files yet; use the versions or the replication of the store")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schedule_counts_the_databases_that_a_backup_contains() {
        let words: Vec<_> = KINDS.iter().map(|kind| format!("'{kind}'")).collect();
        let source = include_str!("../store/backups/schedule.rs");
        assert!(source.contains(&format!("r.kind IN ({})", words.join(", "))));
    }
}

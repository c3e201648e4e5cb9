//! What a backup of an instance contains, and what it does not.

use std::borrow::Cow;

use diesel_async::AsyncPgConnection;
use shared_types::backup::BackupReason;
use shared_types::resource::{ResourceClass, ResourcePart, ResourceState};
use shared_types::{InstanceId, ResourceKind};

use crate::instances::Manager;
use crate::platform::db::DbError;
use crate::resources::registry::Named;
use crate::resources::store::{self, ResourceRow};

/// The kinds of servers whose databases are in backups. `instances::store::backups::schedule` names them, too.
pub const DATABASES: &[ResourceKind] = &[ResourceKind::Mysql, ResourceKind::Postgresql];
/// The kinds of stores whose buckets are in backups. `instances::store::backups::schedule` names them, too.
pub const BUCKETS: &[ResourceKind] = &[ResourceKind::S3, ResourceKind::Swift];

/// What an instance has outside its machines, as a backup sees it.
#[derive(Debug, Default)]
pub struct Contents {
    /// All its resources that are not deleted, with accounts.
    pub rows: Vec<ResourceRow>,
    /// Why others than those that a backup contains are in none, in words.
    left_out: Vec<String>,
}

impl Contents {
    /// The databases that a backup contains, by kind and name.
    pub fn databases(&self) -> impl Iterator<Item = &ResourceRow> {
        self.contained().filter(|row| DATABASES.contains(&row.kind))
    }

    /// The databases and buckets that a backup contains, by kind and name. One from before a migration contains databases only: visitors
    /// wait for it.
    pub fn parts(&self, reason: BackupReason) -> impl Iterator<Item = &ResourceRow> {
        let has_buckets = has_buckets(reason);
        self.contained().filter(move |row| has_buckets || !BUCKETS.contains(&row.kind))
    }

    /// The buckets that are there, also those that a store has refused.
    pub fn buckets(&self) -> impl Iterator<Item = &ResourceRow> {
        let is_there = |row: &&ResourceRow| row.state == ResourceState::Present && BUCKETS.contains(&row.kind);
        self.rows.iter().filter(|row| row.part == ResourcePart::Database).filter(is_there)
    }

    fn contained(&self) -> impl Iterator<Item = &ResourceRow> {
        self.rows.iter().filter(|row| row.part == ResourcePart::Database && left_out(row).is_none())
    }

    /// A database by kind and name, in any state; none: the instance has none.
    pub fn database(&self, kind: ResourceKind, name: &str) -> Option<&ResourceRow> {
        self.rows.iter().find(|row| row.part == ResourcePart::Database && row.kind == kind && row.name == name)
    }

    /// Why others than [`Self::parts`] are in no backup, in words.
    pub fn left_out(&self, reason: BackupReason) -> Vec<String> {
        let buckets = self.contained().filter(|row| BUCKETS.contains(&row.kind) && !has_buckets(reason));
        let buckets = buckets.map(|row| format!("{}: a snapshot has databases only", words(row)));
        self.left_out.iter().cloned().chain(buckets).collect()
    }

    /// Why no backup can be requested now, and what to do; none: one can. Builds and the schedule ask [`Self::why_none`]: their backups
    /// wait until the place can be used.
    pub fn why_not_now(&self, manager: &Manager) -> Option<String> {
        self.why_none(manager, BackupReason::Requested).or_else(|| manager.backups.as_ref()?.trouble())
    }

    /// Why no backup can be made, and what to do; none: one can, as soon as the place can be used.
    pub fn why_none(&self, manager: &Manager, reason: BackupReason) -> Option<String> {
        if manager.backups.is_none() {
            return Some(NO_PLACE.to_owned());
        }
        if self.parts(reason).next().is_some() {
            return None;
        }
        let left_out = self.left_out(reason);
        Some(if left_out.is_empty() {
            "The instance has no databases outside its machines, and what is on a machine is in no backup: change its settings so that \
             its data is elsewhere (docs/databases.md)."
                .to_owned()
        } else {
            format!("The instance has nothing that a backup could contain: {}.", left_out.join("; "))
        })
    }
}

/// Whether backups of this kind contain buckets.
pub const fn has_buckets(reason: BackupReason) -> bool {
    match reason {
        BackupReason::Requested | BackupReason::Scheduled => true,
        BackupReason::Migration => false,
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

/// A database or a bucket in words: `MySQL database main`, `S3 bucket files`.
pub fn words(row: &ResourceRow) -> String {
    named(row.kind, &row.name)
}

/// A database in words, by the name that the application knows it by.
pub fn named(kind: ResourceKind, name: &str) -> String {
    format!("{} {} {name}", kind.name(), kind.unit())
}

/// Why a database or a bucket is in no backup; none: it is in them.
fn left_out(row: &ResourceRow) -> Option<Cow<'static, str>> {
    match row.kind {
        ResourceKind::Mysql | ResourceKind::Postgresql | ResourceKind::S3 | ResourceKind::Swift => match row.state {
            ResourceState::Present => refused(row).map(Cow::Owned),
            ResourceState::Wanted | ResourceState::Creating | ResourceState::Failed => {
                Some("it is not made yet, which the next build does".into())
            }
            ResourceState::Deleting | ResourceState::Deleted => Some("it is being deleted".into()),
        },
        ResourceKind::Redis => Some("ocim makes no backups of Redis".into()),
        ResourceKind::Mongodb => {
            Some("ocim makes no backups of MongoDB yet; use mongodump, or the snapshots of its service".into())
        }
    }
}

/// Why a bucket that an operator entered could not be listed for the last backup; none: it could. Each backup tries again.
fn refused(row: &ResourceRow) -> Option<String> {
    let is_entered = row.class == ResourceClass::Given && row.kind.is_object_storage();
    let trouble = row.trouble.as_deref().filter(|_| is_entered)?;
    Some(format!("the account that was entered could not list it for the last backup ({trouble})"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schedule_counts_what_a_backup_contains() {
        let words: Vec<_> = DATABASES.iter().chain(BUCKETS).map(|kind| format!("'{kind}'")).collect();
        let source = include_str!("../store/backups/schedule.rs");
        assert!(source.contains(&format!("r.kind IN ({})", words.join(", "))));
    }
}

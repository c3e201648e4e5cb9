//! Backups of the databases and buckets that an instance has outside its machines: requests, schedule and retention, and the work of workers.
//! Files are written and read by [`crate::backups`].
//!
//! At the databases and buckets of an instance, one backup is written, verified or restored at a time. A restore may be into another instance
//! than the backup's, which then waits for it. Deletions go on beside a verification or a restore, and wait while a worker writes: they
//! delete copies of objects that no backup uses, and one that is being written has not said yet what it uses. A work that is requested is a
//! column of the backup's row until it has ended, so that another worker takes it over when the claim of the first one runs out.

mod buckets;
pub mod copy;
mod copying;
mod databases;
pub mod delete;
pub mod migration;
pub mod neutralisation;
mod page;
pub mod request;
pub mod restore;
pub mod roll_back;
pub mod schedule;
pub mod verify;
pub mod view;
pub mod work;

use diesel_async::AsyncPgConnection;
use shared_types::backup::BackupWork;
use shared_types::{BackupId, InstanceId};

use crate::instances::Refusal;
use crate::instances::store::backups::{self as store, BackupRow};
use crate::instances::store::instances::{self, InstanceRow};

pub use super::resources::contents;
pub use page::TEXT as RESTORING;

/// Locks an instance.
async fn lock(conn: &mut AsyncPgConnection, id: InstanceId) -> Result<InstanceRow, Refusal> {
    instances::lock(conn, id).await?.ok_or(Refusal::NotFound { what: "instance", id: id.0 })
}

/// A backup of an instance, which the caller has locked.
async fn find(conn: &mut AsyncPgConnection, instance: InstanceId, id: BackupId) -> Result<BackupRow, Refusal> {
    let row = store::find(conn, id).await?.filter(|row| row.instance_id == instance);
    row.ok_or(Refusal::NotFound { what: "backup", id: id.0 })
}

/// Refuses a work on the databases of an instance while another one has not ended.
async fn refuse_second(conn: &mut AsyncPgConnection, instance: InstanceId) -> Result<(), Refusal> {
    match store::at_work(conn, instance).await? {
        Some(other) => Err(Refusal::Conflict(words_of_work(&other))),
        None => Ok(()),
    }
}

/// The backup with the work that was begun. None: something is being done with it, which is a refusal.
fn begun(row: &BackupRow, begun: Option<BackupRow>) -> Result<BackupRow, Refusal> {
    begun.ok_or_else(|| Refusal::Conflict(words_of_work(row)))
}

/// That something is being done with a backup, and what to do.
fn words_of_work(row: &BackupRow) -> String {
    let BackupRow { id, instance_id, work, .. } = row;
    let done = work.map_or("worked on", BackupWork::participle);
    format!("Backup {id} of instance {instance_id} is being {done}; try again when that has ended.")
}

//! The table `instance_copies`: which instances hold a copy of another one's data. An instance is neutralised while its newest copy is
//! not ended.

use chrono::{DateTime, Utc};
use diesel::sql_types::{Nullable, Timestamptz};
use diesel::{ExpressionMethods, JoinOnDsl, OptionalExtension, QueryDsl, Queryable, Selectable, SelectableHelper};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use shared_types::{BackupId, InstanceId};

use super::backups::BackupRow;
use crate::platform::db::DbError;
use crate::platform::db::fixed::fixed;
use crate::platform::db::schema::{instance_copies, instances};
use crate::platform::origin::Actor;

/// A row of `instance_copies`.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = instance_copies)]
pub struct CopyRow {
    /// The instance whose data it is.
    pub source_instance_id: InstanceId,
    pub backup_id: BackupId,
    /// When the data were so.
    pub data_at: DateTime<Utc>,
    pub asked_by: String,
    pub asked_at: DateTime<Utc>,
    /// When the first database was about to be replaced; None: none was yet.
    pub replaced_at: Option<DateTime<Utc>>,
    /// When the neutralisation was ended; None: it goes on.
    pub ended_at: Option<DateTime<Utc>>,
}

impl CopyRow {
    /// Whether the instance's app servers are launched without mail and payments.
    pub fn is_neutralised(&self) -> bool {
        self.ended_at.is_none()
    }
}

/// Marks an instance as a copy of the data in a backup; the caller has locked it.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn insert(
    conn: &mut AsyncPgConnection,
    into: InstanceId,
    backup: &BackupRow,
    by: &Actor,
) -> Result<(), DbError> {
    let new = (
        instance_copies::instance_id.eq(into),
        instance_copies::source_instance_id.eq(backup.instance_id),
        instance_copies::backup_id.eq(backup.id),
        instance_copies::data_at.eq(backup.created),
        instance_copies::asked_by.eq(by),
    );
    diesel::insert_into(instance_copies::table).values(new).execute(conn).await?;
    Ok(())
}

/// The newest copy that an instance holds or is about to get, with the name of its source. None: its data is its own.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn newest(conn: &mut AsyncPgConnection, of: InstanceId) -> Result<Option<(CopyRow, String)>, DbError> {
    Ok(instance_copies::table
        .inner_join(instances::table.on(instances::id.eq(instance_copies::source_instance_id)))
        .filter(instance_copies::instance_id.eq(of))
        .order(instance_copies::id.desc())
        .select((CopyRow::as_select(), instances::name))
        .first(conn)
        .await
        .optional()?)
}

/// Records that data of the newest copy arrive.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn note_replacing(conn: &mut AsyncPgConnection, of: InstanceId) -> Result<(), DbError> {
    diesel::update(instance_copies::table)
        .filter(instance_copies::instance_id.eq(of))
        .filter(instance_copies::replaced_at.is_null())
        .set(instance_copies::replaced_at.eq(fixed::<Nullable<Timestamptz>>("now()")))
        .execute(conn)
        .await?;
    Ok(())
}

/// Deletes the mark of a copy of which nothing has arrived.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn forget_unarrived(conn: &mut AsyncPgConnection, of: InstanceId) -> Result<(), DbError> {
    diesel::delete(instance_copies::table)
        .filter(instance_copies::instance_id.eq(of))
        .filter(instance_copies::replaced_at.is_null())
        .execute(conn)
        .await?;
    Ok(())
}

/// Ends the neutralisation of an instance. False: it had none.
///
/// # Errors
/// [`DbError`] when the statement fails, also if data still have to arrive.
pub async fn end(conn: &mut AsyncPgConnection, of: InstanceId, by: &Actor) -> Result<bool, DbError> {
    let ended = diesel::update(instance_copies::table)
        .filter(instance_copies::instance_id.eq(of))
        .filter(instance_copies::ended_at.is_null())
        .set((
            instance_copies::ended_at.eq(fixed::<Nullable<Timestamptz>>("now()")),
            instance_copies::ended_by.eq(Some(by)),
        ))
        .execute(conn)
        .await?;
    Ok(ended > 0)
}

//! Shows that an instance's data is a copy of another one's.

use diesel_async::AsyncPgConnection;
use shared_types::InstanceId;
use shared_types::instance_copy::InstanceCopy;

use crate::instances::store::copies::{self, CopyRow};
use crate::platform::db::DbError;

/// The copy that an instance holds or is about to get; None: its data is its own. One query.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn read(conn: &mut AsyncPgConnection, id: InstanceId) -> Result<Option<InstanceCopy>, DbError> {
    let found = copies::newest(conn, id).await?;
    Ok(found.map(|(row, instance_name)| {
        let is_neutralised = row.is_neutralised();
        let CopyRow {
            source_instance_id: instance_id,
            backup_id,
            data_at,
            asked_by,
            asked_at,
            replaced_at,
            ended_at: _,
        } = row;
        InstanceCopy { instance_id, instance_name, backup_id, data_at, asked_by, asked_at, replaced_at, is_neutralised }
    }))
}

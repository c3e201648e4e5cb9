//! Shows the migrations of an instance.

use diesel_async::AsyncPgConnection;
use shared_types::migration::Migration;

use super::page;
use crate::instances::store::instances::InstanceRow;
use crate::instances::store::migrating::{self as store, MigratingRow};
use crate::platform::db::DbError;

/// The migrations of an instance to show, the newest first. One query.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn list(conn: &mut AsyncPgConnection, instance: &InstanceRow) -> Result<Vec<Migration>, DbError> {
    let is_page_up = page::is_ours(instance);
    let shown = |(row, app_server_name): (MigratingRow, String)| {
        let MigratingRow {
            app_server_id,
            instance_id: _,
            migrates_from: from,
            migrates_to: to,
            has_page,
            state,
            backup_id,
            snapshot_at,
            exposed_at: _,
            is_retried: _,
            trouble,
        } = row;
        Migration { app_server_id, app_server_name, from, to, state, has_page, is_page_up, backup_id, snapshot_at, trouble }
    };
    Ok(store::shown(conn, instance.id).await?.into_iter().map(shown).collect())
}

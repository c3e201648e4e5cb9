//! The columns of `instances` about the maintenance page.

use chrono::{DateTime, Utc};
use diesel::sql_types::{Nullable, Timestamptz};
use diesel::{ExpressionMethods, QueryDsl};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use shared_types::InstanceId;

use crate::platform::db::DbError;
use crate::platform::db::fixed::fixed;
use crate::platform::db::schema::instances;
use crate::platform::origin::Actor;

/// Puts the page up, or changes its text. The gateway must be told afterwards.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn begin(conn: &mut AsyncPgConnection, id: InstanceId, by: &Actor, text: &str) -> Result<(), DbError> {
    diesel::update(instances::table.find(id))
        .set((
            instances::maintenance_at.eq(fixed::<Nullable<Timestamptz>>("coalesce(maintenance_at, now())")),
            instances::maintenance_by.eq(Some(by)),
            instances::maintenance_text.eq(Some(text)),
        ))
        .execute(conn)
        .await?;
    Ok(())
}

/// Takes the page down. False: there was none. The gateway must be told afterwards.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn end(conn: &mut AsyncPgConnection, id: InstanceId) -> Result<bool, DbError> {
    let changed = diesel::update(instances::table.find(id))
        .filter(instances::maintenance_at.is_not_null())
        .set((
            instances::maintenance_at.eq(None::<DateTime<Utc>>),
            instances::maintenance_by.eq(None::<String>),
            instances::maintenance_text.eq(None::<String>),
        ))
        .execute(conn)
        .await?;
    Ok(changed == 1)
}

//! The table `instance_hostnames`: which instance owns a host name.

use diesel::{ExpressionMethods, OptionalExtension, QueryDsl};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use shared_types::InstanceId;

use crate::db::DbError;
use crate::db::schema::{instance_hostnames, instances};

/// Makes an instance the owner of host names; those it has and that are not named stay its own. Gives the first one that
/// another instance owns.
///
/// # Errors
/// When a statement fails.
pub async fn claim(
    conn: &mut AsyncPgConnection,
    id: InstanceId,
    hostnames: &[String],
) -> Result<Option<String>, DbError> {
    let rows: Vec<_> = hostnames
        .iter()
        .map(|name| (instance_hostnames::hostname.eq(name), instance_hostnames::instance_id.eq(id)))
        .collect();
    diesel::insert_into(instance_hostnames::table).values(rows).on_conflict_do_nothing().execute(conn).await?;
    Ok(instance_hostnames::table
        .filter(instance_hostnames::hostname.eq_any(hostnames))
        .filter(instance_hostnames::instance_id.ne(id))
        .select(instance_hostnames::hostname)
        .first(conn)
        .await
        .optional()?)
}

/// Gives up the host names that are not in the list.
///
/// # Errors
/// When the statement fails.
pub async fn release(conn: &mut AsyncPgConnection, id: InstanceId, keep: &[String]) -> Result<(), DbError> {
    diesel::delete(instance_hostnames::table)
        .filter(instance_hostnames::instance_id.eq(id))
        .filter(instance_hostnames::hostname.ne_all(keep))
        .execute(conn)
        .await?;
    Ok(())
}

/// The host names of an instance, or of all that are in use, each with its owner.
///
/// # Errors
/// When the statement fails.
pub async fn of(conn: &mut AsyncPgConnection, id: Option<InstanceId>) -> Result<Vec<(String, InstanceId)>, DbError> {
    let mut select = instance_hostnames::table
        .inner_join(instances::table)
        .order(instance_hostnames::hostname)
        .select((instance_hostnames::hostname, instance_hostnames::instance_id))
        .into_boxed();
    select = match id {
        Some(id) => select.filter(instance_hostnames::instance_id.eq(id)),
        None => select.filter(instances::archived_at.is_null()),
    };
    Ok(select.load(conn).await?)
}

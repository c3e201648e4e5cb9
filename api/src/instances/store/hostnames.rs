//! The table `instance_hostnames`: which instance owns a host name, and what its visitors speak.

use diesel::{ExpressionMethods, OptionalExtension, QueryDsl};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use shared_types::InstanceId;

use crate::db::DbError;
use crate::db::schema::{instance_hostnames, instances};

/// Makes an instance the owner of host names that no other one has, with this protocol. Those it has already and that are
/// not named stay its own. Gives how many are new.
///
/// # Errors
/// When a statement fails.
pub async fn insert(
    conn: &mut AsyncPgConnection,
    id: InstanceId,
    hostnames: &[String],
    protocol: &str,
) -> Result<usize, DbError> {
    let rows: Vec<_> = hostnames
        .iter()
        .map(|name| {
            (
                instance_hostnames::hostname.eq(name),
                instance_hostnames::instance_id.eq(id),
                instance_hostnames::protocol.eq(protocol),
            )
        })
        .collect();
    let new =
        diesel::insert_into(instance_hostnames::table).values(rows).on_conflict_do_nothing().execute(conn).await?;
    if new < hostnames.len() {
        diesel::update(instance_hostnames::table)
            .filter(instance_hostnames::hostname.eq_any(hostnames))
            .filter(instance_hostnames::instance_id.eq(id))
            .filter(instance_hostnames::protocol.ne(protocol))
            .set(instance_hostnames::protocol.eq(protocol))
            .execute(conn)
            .await?;
    }
    Ok(new)
}

/// The first of these host names that another instance owns.
///
/// # Errors
/// When the statement fails.
pub async fn taken(
    conn: &mut AsyncPgConnection,
    id: InstanceId,
    hostnames: &[String],
) -> Result<Option<String>, DbError> {
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

/// How many host names the instances that are not archived have together.
///
/// # Errors
/// When the statement fails.
pub async fn in_use(conn: &mut AsyncPgConnection) -> Result<i64, DbError> {
    Ok(instance_hostnames::table
        .inner_join(instances::table)
        .filter(instances::archived_at.is_null())
        .count()
        .get_result(conn)
        .await?)
}

/// A host name, its owner, and what its visitors speak.
pub type Hostname = (String, InstanceId, String);

/// The host names of these instances, or of all that are not archived.
///
/// # Errors
/// When the statement fails.
pub async fn of(conn: &mut AsyncPgConnection, ids: Option<&[InstanceId]>) -> Result<Vec<Hostname>, DbError> {
    let mut select = instance_hostnames::table
        .inner_join(instances::table)
        .order(instance_hostnames::hostname)
        .select((instance_hostnames::hostname, instance_hostnames::instance_id, instance_hostnames::protocol))
        .into_boxed();
    select = match ids {
        Some(ids) => select.filter(instance_hostnames::instance_id.eq_any(ids)),
        None => select.filter(instances::archived_at.is_null()),
    };
    Ok(select.load(conn).await?)
}

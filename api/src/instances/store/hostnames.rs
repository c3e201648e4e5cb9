//! The table `instance_hostnames`: which instance owns a host name, and the protocol of its visitors.

use diesel::sql_types::{Array, BigInt, Bool, Text};
use diesel::{ExpressionMethods, OptionalExtension, QueryDsl, QueryableByName};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use shared_types::InstanceId;

use crate::platform::db::DbError;
use crate::platform::db::schema::{instance_hostnames, instances};

#[derive(QueryableByName)]
struct Written {
    #[diesel(sql_type = Bool)]
    is_new: bool,
}

/// Reserves host names that no other instance owns, with this protocol. Other host names of the instance are kept.
/// Returns how many are new.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn insert(
    conn: &mut AsyncPgConnection,
    id: InstanceId,
    hostnames: &[String],
    protocol: &str,
) -> Result<usize, DbError> {
    // A row that existed was locked by this transaction, whose id is its xmax; a new row has xmax 0.
    let written: Vec<Written> = diesel::sql_query(
        "INSERT INTO instance_hostnames (hostname, instance_id, protocol) SELECT unnest($1), $2, $3 \
         ON CONFLICT (hostname) DO UPDATE SET protocol = excluded.protocol \
         WHERE instance_hostnames.instance_id = excluded.instance_id \
         AND instance_hostnames.protocol <> excluded.protocol \
         RETURNING xmax = 0 AS is_new",
    )
    .bind::<Array<Text>, _>(hostnames)
    .bind::<BigInt, _>(id)
    .bind::<Text, _>(protocol)
    .load(conn)
    .await?;
    Ok(written.into_iter().filter(|written| written.is_new).count())
}

/// The first of these host names that another instance owns.
///
/// # Errors
/// [`DbError`] when the statement fails.
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

/// Releases the host names that are not in the list.
///
/// # Errors
/// [`DbError`] when the statement fails.
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
/// [`DbError`] when the statement fails.
pub async fn in_use(conn: &mut AsyncPgConnection) -> Result<i64, DbError> {
    Ok(instance_hostnames::table
        .inner_join(instances::table)
        .filter(instances::archived_at.is_null())
        .count()
        .get_result(conn)
        .await?)
}

/// A host name, its owner, and the protocol of its visitors.
pub type Hostname = (String, InstanceId, String);

/// The host names of these instances, or of all that are not archived.
///
/// # Errors
/// [`DbError`] when the statement fails.
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

//! The table `sign_in_groups`: the permanent ids of groups that give a role.

use diesel::{ExpressionMethods, QueryDsl};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use shared_types::sign_in::Provider;

use crate::platform::db::DbError;
use crate::platform::db::schema::sign_in_groups;

/// The id that belongs to a group's name: the one that was stored first, which is this one if there is none yet.
///
/// # Errors
/// [`DbError`] if a statement fails.
pub async fn pin(conn: &mut AsyncPgConnection, provider: Provider, name: &str, id: &str) -> Result<String, DbError> {
    let name = name.to_lowercase();
    diesel::insert_into(sign_in_groups::table)
        .values((
            sign_in_groups::provider.eq(provider.as_str()),
            sign_in_groups::name.eq(&name),
            sign_in_groups::group_id.eq(id),
        ))
        .on_conflict_do_nothing()
        .execute(conn)
        .await?;
    let pinned = sign_in_groups::table.find((provider.as_str(), &name));
    Ok(pinned.select(sign_in_groups::group_id).first(conn).await?)
}

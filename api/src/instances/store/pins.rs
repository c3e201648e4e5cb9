//! The table `app_server_pins`: the commits to which git references were resolved.

use diesel::{ExpressionMethods, QueryDsl};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use shared_types::AppServerId;

use crate::platform::db::DbError;
use crate::platform::db::schema::app_server_pins as pins;

/// A git reference of an app server.
#[derive(Debug, Clone, PartialEq, Eq, diesel::Queryable)]
pub struct PinRow {
    /// URL or path; a URL's password is masked.
    pub repository: String,
    /// Branch, tag or commit.
    pub version: String,
    /// The resolved commit; None: not resolved yet.
    pub commit: Option<String>,
}

/// Stores references that are to be resolved.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn insert(
    conn: &mut AsyncPgConnection,
    id: AppServerId,
    references: impl IntoIterator<Item = (String, &str)> + Send,
) -> Result<(), DbError> {
    let rows: Vec<_> = references
        .into_iter()
        .map(|(repository, version)| {
            (pins::app_server_id.eq(id), pins::repository.eq(repository), pins::version.eq(version))
        })
        .collect();
    diesel::insert_into(pins::table).values(rows).on_conflict_do_nothing().execute(conn).await?;
    Ok(())
}

/// Every reference of an app server.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn of(conn: &mut AsyncPgConnection, id: AppServerId) -> Result<Vec<PinRow>, DbError> {
    Ok(pins::table
        .filter(pins::app_server_id.eq(id))
        .order((pins::repository, pins::version))
        .select((pins::repository, pins::version, pins::commit))
        .load(conn)
        .await?)
}

/// Stores the commit of a reference, unless it has one.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn pin(
    conn: &mut AsyncPgConnection,
    id: AppServerId,
    reference: &PinRow,
    commit: &str,
) -> Result<(), DbError> {
    diesel::update(pins::table.find((id, &reference.repository, &reference.version)))
        .filter(pins::commit.is_null())
        .set(pins::commit.eq(Some(commit)))
        .execute(conn)
        .await?;
    Ok(())
}

/// SQL for the commit of one of an app server's references: the resolved one, or its version if that is a full hash.
/// Null while it is not resolved, and if there is no such reference. `app_server` is the alias of the table
/// `app_servers` in the surrounding statement, `name` the SQL of the reference's name; both are constants of the program.
pub fn commit_sql(app_server: &str, name: &str) -> String {
    format!(
        "(SELECT coalesce(pin.commit, CASE WHEN reference ->> 'version' ~ '^[0-9a-f]{{40}}([0-9a-f]{{24}})?$' \
                THEN reference ->> 'version' END) \
            FROM jsonb_array_elements({app_server}.variable_references) AS reference \
            LEFT JOIN app_server_pins AS pin ON pin.app_server_id = {app_server}.id \
                AND pin.repository = reference ->> 'repository' AND pin.version = reference ->> 'version' \
            WHERE reference ->> 'name' = {name} LIMIT 1)"
    )
}

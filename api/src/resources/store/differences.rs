//! The table `resources`, compared with the names that a server has.

use diesel::sql_types::{Array, BigInt, Nullable, Text};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use shared_types::ResourceServerName;
use shared_types::resource::ResourcePart;

use crate::platform::db::DbError;

/// The most names of one kind of difference that are returned.
pub const SHOWN: i64 = 20;

/// How much of what ocim makes is at a server.
#[derive(Debug, Clone, PartialEq, Eq, diesel::QueryableByName)]
pub struct Load {
    /// The server's name in the settings of this program, or of an earlier start.
    #[diesel(sql_type = Text)]
    pub server: ResourceServerName,
    /// Instances that have an account there.
    #[diesel(sql_type = BigInt)]
    pub instances: i64,
    /// Databases there that are not deleted.
    #[diesel(sql_type = BigInt)]
    pub databases: i64,
}

#[derive(diesel::QueryableByName)]
struct Named {
    #[diesel(sql_type = Nullable<Text>)]
    name: Option<String>,
}

/// Each server at which instances have something, by name.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn loads(conn: &mut AsyncPgConnection) -> Result<Vec<Load>, DbError> {
    Ok(diesel::sql_query(
        "SELECT server, count(DISTINCT instance_id) AS instances, count(*) FILTER (WHERE part = 'database') AS databases \
         FROM resources WHERE class = 'made' AND state <> 'deleted' GROUP BY server ORDER BY server",
    )
    .load(conn)
    .await?)
}

/// Those of a server's names that no resource has, the first [`SHOWN`] of them.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn unowned(
    conn: &mut AsyncPgConnection,
    (server, part): (&ResourceServerName, ResourcePart),
    names: &[String],
) -> Result<Vec<String>, DbError> {
    let query = diesel::sql_query(
        "SELECT n.name FROM unnest($3) AS n (name) WHERE NOT EXISTS (SELECT FROM resources AS r WHERE r.server = $1 \
             AND r.part = $2 AND r.remote_name = n.name AND r.state <> 'deleted' AND r.class = 'made') ORDER BY n.name LIMIT $4",
    );
    named(conn, query, (server, part), names).await
}

/// The resources at a server that it has confirmed once and does not have among its names, the first [`SHOWN`] of them.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn missing(
    conn: &mut AsyncPgConnection,
    (server, part): (&ResourceServerName, ResourcePart),
    names: &[String],
) -> Result<Vec<String>, DbError> {
    let query = diesel::sql_query(
        "SELECT r.remote_name AS name FROM resources AS r WHERE r.server = $1 AND r.part = $2 AND r.state = 'present' \
             AND r.class = 'made' AND r.remote_name <> ALL ($3) ORDER BY r.remote_name LIMIT $4",
    );
    named(conn, query, (server, part), names).await
}

async fn named(
    conn: &mut AsyncPgConnection,
    query: diesel::query_builder::SqlQuery,
    (server, part): (&ResourceServerName, ResourcePart),
    names: &[String],
) -> Result<Vec<String>, DbError> {
    let found: Vec<Named> = query
        .bind::<Text, _>(server)
        .bind::<Text, _>(part)
        .bind::<Array<Text>, _>(names)
        .bind::<BigInt, _>(SHOWN)
        .load(conn)
        .await?;
    Ok(found.into_iter().filter_map(|Named { name }| name).collect())
}

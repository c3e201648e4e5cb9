//! The table `watched_repositories`.

use chrono::{DateTime, Utc};
use diesel::{ExpressionMethods, OptionalExtension, QueryDsl, Queryable, Selectable, SelectableHelper};
use diesel_async::{AsyncPgConnection, RunQueryDsl};

use crate::db::DbError;
use crate::db::schema::watched_repositories;

/// A row.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = watched_repositories)]
pub struct Repository {
    /// Its number here.
    pub id: i64,
    /// Owner and name as WATCH_FORK has them.
    pub configured: String,
    /// Owner and name as GitHub has them now.
    pub name: String,
    /// What GitHub knows it by.
    pub github_id: Option<i64>,
    /// Of the first page of its pull requests, the last changed first.
    pub etag: Option<String>,
    /// Every pull request that changed before was seen.
    pub seen_until: Option<DateTime<Utc>>,
    /// When its open pull requests were last listed, all of them.
    pub swept_whole_at: Option<DateTime<Utc>>,
}

/// The one that WATCH_FORK names so; it comes into being.
///
/// # Errors
/// When a statement fails.
pub async fn configured(conn: &mut AsyncPgConnection, name: &str) -> Result<Repository, DbError> {
    diesel::insert_into(watched_repositories::table)
        .values((watched_repositories::configured.eq(name), watched_repositories::name.eq(name)))
        .on_conflict_do_nothing()
        .execute(conn)
        .await?;
    Ok(watched_repositories::table
        .filter(watched_repositories::configured.eq(name))
        .select(Repository::as_select())
        .first(conn)
        .await?)
}

/// One of them.
///
/// # Errors
/// When the statement fails.
pub async fn find(conn: &mut AsyncPgConnection, id: i64) -> Result<Option<Repository>, DbError> {
    Ok(watched_repositories::table.find(id).select(Repository::as_select()).first(conn).await.optional()?)
}

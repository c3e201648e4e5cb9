//! The table `watched_repositories`.

use chrono::{DateTime, Utc};
use diesel::{
    AsChangeset, BoolExpressionMethods, ExpressionMethods, OptionalExtension, QueryDsl, Queryable, Selectable,
    SelectableHelper,
};
use diesel_async::{AsyncPgConnection, RunQueryDsl};

use crate::platform::db::DbError;
use crate::platform::db::schema::watched_repositories;

#[diesel::declare_sql_function]
extern "SQL" {
    fn lower(text: diesel::sql_types::Text) -> diesel::sql_types::Text;
}

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
    let known: Option<Repository> = watched_repositories::table
        .filter(watched_repositories::configured.eq(name))
        .select(Repository::as_select())
        .first(conn)
        .await
        .optional()?;
    if let Some(known) = known {
        return Ok(known);
    }
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

/// The one that GitHub knows by this id, or else by this name.
///
/// # Errors
/// When the statement fails.
pub async fn by_github(
    conn: &mut AsyncPgConnection,
    github_id: i64,
    name: &str,
) -> Result<Option<Repository>, DbError> {
    let by_id: Option<Repository> = watched_repositories::table
        .filter(watched_repositories::github_id.eq(github_id))
        .select(Repository::as_select())
        .first(conn)
        .await
        .optional()?;
    if by_id.is_some() {
        return Ok(by_id);
    }
    Ok(watched_repositories::table
        .filter(watched_repositories::github_id.is_null())
        .filter(lower(watched_repositories::name).eq(name.to_lowercase()))
        .select(Repository::as_select())
        .first(conn)
        .await
        .optional()?)
}

/// What GitHub says it is.
///
/// # Errors
/// When the statement fails.
pub async fn is_now(conn: &mut AsyncPgConnection, id: i64, github_id: i64, name: &str) -> Result<(), DbError> {
    diesel::update(watched_repositories::table.find(id))
        .set((watched_repositories::github_id.eq(github_id), watched_repositories::name.eq(name)))
        .execute(conn)
        .await?;
    Ok(())
}

/// Takes a sweep upon itself, if the last one began before. False: somebody else has.
///
/// # Errors
/// When the statement fails.
pub async fn claim(conn: &mut AsyncPgConnection, id: i64, before: DateTime<Utc>) -> Result<bool, DbError> {
    let claimed = diesel::update(watched_repositories::table.find(id))
        .filter(watched_repositories::swept_at.is_null().or(watched_repositories::swept_at.lt(before)))
        .set(watched_repositories::swept_at.eq(Some(Utc::now())))
        .execute(conn)
        .await?;
    Ok(claimed == 1)
}

/// How far a sweep came.
#[derive(Debug, Clone, PartialEq, Eq, AsChangeset)]
#[diesel(table_name = watched_repositories)]
pub struct Swept {
    /// The tag of the first page; none: as before.
    pub etag: Option<String>,
    /// Every pull request that changed before was seen; none: as before.
    pub seen_until: Option<DateTime<Utc>>,
    /// When all were listed; none: as before.
    pub swept_whole_at: Option<DateTime<Utc>>,
}

/// Writes down how far a sweep came; that it went well.
///
/// # Errors
/// When the statement fails.
pub async fn swept(conn: &mut AsyncPgConnection, id: i64, swept: &Swept) -> Result<(), DbError> {
    diesel::update(watched_repositories::table.find(id))
        .set((swept, watched_repositories::trouble.eq(None::<String>)))
        .execute(conn)
        .await?;
    Ok(())
}

/// Why a sweep failed.
///
/// # Errors
/// When the statement fails.
pub async fn trouble(conn: &mut AsyncPgConnection, id: i64, words: &str) -> Result<(), DbError> {
    let words: String = words.chars().take(1000).collect();
    diesel::update(watched_repositories::table.find(id))
        .set(watched_repositories::trouble.eq(words))
        .execute(conn)
        .await?;
    Ok(())
}

/// Asks for all open ones to be listed at the next sweep.
///
/// # Errors
/// When the statement fails.
pub async fn forget_sweeps(conn: &mut AsyncPgConnection, id: i64) -> Result<(), DbError> {
    let never = None::<DateTime<Utc>>;
    diesel::update(watched_repositories::table.find(id))
        .set((watched_repositories::swept_at.eq(never), watched_repositories::swept_whole_at.eq(never)))
        .execute(conn)
        .await?;
    Ok(())
}

/// Why the last sweep of one failed, with its name; none: none did.
///
/// # Errors
/// When the statement fails.
pub async fn first_trouble(conn: &mut AsyncPgConnection) -> Result<Option<String>, DbError> {
    let found: Option<(String, Option<String>)> = watched_repositories::table
        .filter(watched_repositories::trouble.is_not_null())
        .order(watched_repositories::id)
        .select((watched_repositories::name, watched_repositories::trouble))
        .first(conn)
        .await
        .optional()?;
    Ok(found.and_then(|(name, trouble)| Some(format!("{name}: {}", trouble?))))
}

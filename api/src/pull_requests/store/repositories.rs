//! Queries of the table `watched_repositories`.

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

/// A row of `watched_repositories`.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = watched_repositories)]
pub struct Repository {
    pub id: i64,
    /// `owner/name` as WATCH_FORK spells it.
    pub configured: String,
    /// `owner/name` as GitHub spelled it last.
    pub name: String,
    /// GitHub's id of the repository, which a rename does not change; none: not fetched yet.
    pub github_id: Option<i64>,
    /// The `ETag` of the first page of its pull requests, the last changed first.
    pub etag: Option<String>,
    /// All changes before this time were seen, by GitHub's clock.
    pub seen_until: Option<DateTime<Utc>>,
    /// When all open pull requests were last listed.
    pub swept_whole_at: Option<DateTime<Utc>>,
}

/// The repository with this name in WATCH_FORK; inserted if there is none.
///
/// # Errors
/// [`DbError`] when a statement fails.
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

/// One repository; none: there is none with this id.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn find(conn: &mut AsyncPgConnection, id: i64) -> Result<Option<Repository>, DbError> {
    Ok(watched_repositories::table.find(id).select(Repository::as_select()).first(conn).await.optional()?)
}

/// The repository with this GitHub id, or else one without an id that has this name, ignoring case.
///
/// # Errors
/// [`DbError`] when the statement fails.
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

/// Stores a repository's GitHub id and current name.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn is_now(conn: &mut AsyncPgConnection, id: i64, github_id: i64, name: &str) -> Result<(), DbError> {
    diesel::update(watched_repositories::table.find(id))
        .set((watched_repositories::github_id.eq(github_id), watched_repositories::name.eq(name)))
        .execute(conn)
        .await?;
    Ok(())
}

/// Claims a sweep if the last one began before this time. False: another process has claimed it.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn claim(conn: &mut AsyncPgConnection, id: i64, before: DateTime<Utc>) -> Result<bool, DbError> {
    let claimed = diesel::update(watched_repositories::table.find(id))
        .filter(watched_repositories::swept_at.is_null().or(watched_repositories::swept_at.lt(before)))
        .set(watched_repositories::swept_at.eq(Some(Utc::now())))
        .execute(conn)
        .await?;
    Ok(claimed == 1)
}

/// The position that a sweep has reached.
#[derive(Debug, Clone, PartialEq, Eq, AsChangeset)]
#[diesel(table_name = watched_repositories)]
pub struct Swept {
    /// The `ETag` of the first page; none: unchanged.
    pub etag: Option<String>,
    /// All changes before this time were seen, by GitHub's clock; none: unchanged.
    pub seen_until: Option<DateTime<Utc>>,
    /// When all open pull requests were listed; none: unchanged.
    pub swept_whole_at: Option<DateTime<Utc>>,
}

/// Stores a sweep's position and clears the trouble.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn swept(conn: &mut AsyncPgConnection, id: i64, swept: &Swept) -> Result<(), DbError> {
    diesel::update(watched_repositories::table.find(id))
        .set((swept, watched_repositories::trouble.eq(None::<String>)))
        .execute(conn)
        .await?;
    Ok(())
}

/// Stores why a sweep failed, cut to 1,000 characters.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn trouble(conn: &mut AsyncPgConnection, id: i64, words: &str) -> Result<(), DbError> {
    let words: String = words.chars().take(1000).collect();
    diesel::update(watched_repositories::table.find(id))
        .set(watched_repositories::trouble.eq(words))
        .execute(conn)
        .await?;
    Ok(())
}

/// Makes the next sweep due at once and list all open pull requests.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn forget_sweeps(conn: &mut AsyncPgConnection, id: i64) -> Result<(), DbError> {
    let never = None::<DateTime<Utc>>;
    diesel::update(watched_repositories::table.find(id))
        .set((watched_repositories::swept_at.eq(never), watched_repositories::swept_whole_at.eq(never)))
        .execute(conn)
        .await?;
    Ok(())
}

/// The name of the first repository whose last sweep failed, and why; none: none failed.
///
/// # Errors
/// [`DbError`] when the statement fails.
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

//! The table `users`, as the administration of users sees it.

use chrono::{DateTime, Utc};
use diesel::{
    ExpressionMethods, OptionalExtension, PgTextExpressionMethods, QueryDsl, Queryable, Selectable, SelectableHelper,
};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use shared_types::{Role, UserId};

use crate::platform::db::DbError;
use crate::platform::db::schema::users;

/// A row of the table `users`.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = users)]
pub struct UserRow {
    pub id: UserId,
    /// The name to sign in with, unique.
    pub username: String,
    /// The password's Argon2id hash; null if the user has no password.
    pub password_hash: Option<String>,
    pub role: Role,
    /// When the user was created.
    pub created: DateTime<Utc>,
    /// Increases with every change; for optimistic locking.
    pub version: i64,
    /// Since when the user is disabled; null if they may sign in.
    pub disabled_at: Option<DateTime<Utc>>,
    /// When the user last signed in; null if never.
    pub last_login: Option<DateTime<Utc>>,
}

/// A filter for users.
#[derive(Debug, Default)]
pub struct Query {
    /// Only names that contain this text, ignoring case.
    pub text: Option<String>,
    /// Only users with this role.
    pub role: Option<Role>,
    /// Only names after this one (for paging).
    pub after: Option<String>,
    /// The maximum number of users.
    pub limit: i64,
}

/// The users that match, ordered by name.
///
/// # Errors
/// [`DbError`] if the statement fails.
pub async fn page(conn: &mut AsyncPgConnection, query: &Query) -> Result<Vec<UserRow>, DbError> {
    let mut select =
        users::table.order(users::username.asc()).limit(query.limit).select(UserRow::as_select()).into_boxed();
    if let Some(text) = &query.text {
        let pattern = format!("%{}%", text.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_"));
        select = select.filter(users::username.ilike(pattern));
    }
    if let Some(role) = query.role {
        select = select.filter(users::role.eq(role));
    }
    if let Some(after) = &query.after {
        select = select.filter(users::username.gt(after));
    }
    Ok(select.load(conn).await?)
}

/// The user with this id, if any.
///
/// # Errors
/// [`DbError`] if the statement fails.
pub async fn find(conn: &mut AsyncPgConnection, id: UserId) -> Result<Option<UserRow>, DbError> {
    Ok(users::table.find(id).select(UserRow::as_select()).first(conn).await.optional()?)
}

/// The id of the user with this name, even if disabled.
///
/// # Errors
/// [`DbError`] if the statement fails.
pub async fn id_of(conn: &mut AsyncPgConnection, name: &str) -> Result<Option<UserId>, DbError> {
    Ok(users::table.filter(users::username.eq(name)).select(users::id).first(conn).await.optional()?)
}

/// Creates a user. None: the name is taken.
///
/// # Errors
/// [`DbError`] if the statement fails.
pub async fn insert(
    conn: &mut AsyncPgConnection,
    name: &str,
    password_hash: Option<&str>,
    role: Role,
) -> Result<Option<UserRow>, DbError> {
    Ok(diesel::insert_into(users::table)
        .values((users::username.eq(name), users::password_hash.eq(password_hash), users::role.eq(role)))
        .on_conflict_do_nothing()
        .returning(UserRow::as_select())
        .get_result(conn)
        .await
        .optional()?)
}

/// The enabled administrators, locked until the transaction ends: a transaction that would remove one of them waits.
///
/// # Errors
/// [`DbError`] if the statement fails.
pub async fn lock_admins(conn: &mut AsyncPgConnection) -> Result<Vec<UserId>, DbError> {
    Ok(users::table
        .filter(users::role.eq(Role::Admin))
        .filter(users::disabled_at.is_null())
        .order(users::id)
        .select(users::id)
        .for_update()
        .load(conn)
        .await?)
}

/// One user, locked until the transaction ends.
///
/// # Errors
/// [`DbError`] if the statement fails.
pub async fn lock(conn: &mut AsyncPgConnection, id: UserId) -> Result<Option<UserRow>, DbError> {
    Ok(users::table.find(id).select(UserRow::as_select()).for_update().first(conn).await.optional()?)
}

/// Stores the role and whether the user is disabled.
///
/// # Errors
/// [`DbError`] if the statement fails.
pub async fn update(
    conn: &mut AsyncPgConnection,
    id: UserId,
    role: Role,
    disabled_at: Option<DateTime<Utc>>,
) -> Result<UserRow, DbError> {
    Ok(diesel::update(users::table.find(id))
        .set((users::role.eq(role), users::disabled_at.eq(disabled_at), users::version.eq(users::version + 1)))
        .returning(UserRow::as_select())
        .get_result(conn)
        .await?)
}

/// Stores a password's hash. False: there is no such user.
///
/// # Errors
/// [`DbError`] if the statement fails.
pub async fn set_password(conn: &mut AsyncPgConnection, id: UserId, password_hash: &str) -> Result<bool, DbError> {
    let set = diesel::update(users::table.find(id))
        .set((users::password_hash.eq(Some(password_hash)), users::version.eq(users::version + 1)));
    Ok(set.execute(conn).await? == 1)
}

/// Replaces the password's hash if it still equals the old one. False: it does not.
///
/// # Errors
/// [`DbError`] if the statement fails.
pub async fn replace_password(
    conn: &mut AsyncPgConnection,
    id: UserId,
    old_hash: &str,
    new_hash: &str,
) -> Result<bool, DbError> {
    let set = diesel::update(users::table.find(id).filter(users::password_hash.eq(old_hash)))
        .set((users::password_hash.eq(Some(new_hash)), users::version.eq(users::version + 1)));
    Ok(set.execute(conn).await? == 1)
}

/// Deletes a user, with their sessions and tokens. False: there is no such user.
///
/// # Errors
/// [`DbError`] if the statement fails.
pub async fn delete(conn: &mut AsyncPgConnection, id: UserId) -> Result<bool, DbError> {
    Ok(diesel::delete(users::table.find(id)).execute(conn).await? == 1)
}

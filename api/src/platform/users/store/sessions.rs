//! The table `sessions`: signed-in browsers.

use chrono::{DateTime, Duration, Utc};
use diesel::{ExpressionMethods, OptionalExtension, QueryDsl};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use shared_types::user::Session;
use shared_types::{Role, SessionId, UserId};

use super::noted;
use crate::platform::audit::Origin;
use crate::platform::db::DbError;
use crate::platform::db::schema::{sessions, users};
use crate::platform::origin::Actor;
use crate::platform::users::{Credential, Principal};

/// How much of the `User-Agent` header is stored, in characters.
const USER_AGENT_LENGTH: usize = 300;

/// Begins a session; the client's address comes from the [`Origin`]. Deletes expired sessions.
///
/// # Errors
/// [`DbError`] if a statement fails.
pub async fn begin_session(
    conn: &mut AsyncPgConnection,
    user: UserId,
    token_hash: &[u8],
    expires: DateTime<Utc>,
) -> Result<(), DbError> {
    let Origin { address, user_agent, .. } = Origin::current();
    let user_agent = user_agent.map(|words| words.chars().take(USER_AGENT_LENGTH).collect::<String>());
    diesel::insert_into(sessions::table)
        .values((
            sessions::token_hash.eq(token_hash),
            sessions::user_id.eq(user),
            sessions::expires.eq(expires),
            sessions::address.eq(address.map(|address| address.to_string())),
            sessions::user_agent.eq(user_agent),
        ))
        .execute(conn)
        .await?;
    diesel::delete(sessions::table.filter(sessions::expires.lt(diesel::dsl::now))).execute(conn).await?;
    Ok(())
}

/// Ends the session with this cookie.
///
/// # Errors
/// [`DbError`] if the statement fails.
pub async fn end_session(conn: &mut AsyncPgConnection, token_hash: &[u8]) -> Result<(), DbError> {
    diesel::delete(sessions::table.find(token_hash)).execute(conn).await?;
    Ok(())
}

/// Ends a session of a user. False: the user has no such session.
///
/// # Errors
/// [`DbError`] if the statement fails.
pub async fn end(conn: &mut AsyncPgConnection, user: UserId, id: SessionId) -> Result<bool, DbError> {
    let theirs = sessions::table.filter(sessions::user_id.eq(user)).filter(sessions::id.eq(id));
    Ok(diesel::delete(theirs).execute(conn).await? == 1)
}

/// Ends all sessions of a user but one. Returns the number of ended sessions.
///
/// # Errors
/// [`DbError`] if the statement fails.
pub async fn end_others(conn: &mut AsyncPgConnection, user: UserId, kept: SessionId) -> Result<usize, DbError> {
    let theirs = sessions::table.filter(sessions::user_id.eq(user)).filter(sessions::id.ne(kept));
    Ok(diesel::delete(theirs).execute(conn).await?)
}

/// Ends all sessions of a user. Returns the number of ended sessions.
///
/// # Errors
/// [`DbError`] if the statement fails.
pub async fn end_all(conn: &mut AsyncPgConnection, user: UserId) -> Result<usize, DbError> {
    Ok(diesel::delete(sessions::table.filter(sessions::user_id.eq(user))).execute(conn).await?)
}

/// A user's sessions, newest first, at most 500. `current`: the session of the request, if it has one.
///
/// # Errors
/// [`DbError`] if the statement fails.
pub async fn of(
    conn: &mut AsyncPgConnection,
    user: UserId,
    current: Option<SessionId>,
) -> Result<Vec<Session>, DbError> {
    type Row = (SessionId, DateTime<Utc>, DateTime<Utc>, DateTime<Utc>, Option<String>, Option<String>);
    let rows: Vec<Row> = sessions::table
        .filter(sessions::user_id.eq(user))
        .filter(sessions::expires.gt(diesel::dsl::now))
        .order(sessions::id.desc())
        .limit(shared_types::pagination::MAX_LIMIT)
        .select((
            sessions::id,
            sessions::created,
            sessions::last_seen,
            sessions::expires,
            sessions::address,
            sessions::user_agent,
        ))
        .load(conn)
        .await?;
    let session = |(id, created, last_seen, expires, address, user_agent): Row| Session {
        id,
        created,
        last_seen,
        expires,
        address,
        user_agent,
        is_current: Some(id) == current,
    };
    Ok(rows.into_iter().map(session).collect())
}

/// The caller with this session, unless it has expired; records the use and its address, at most once a minute.
///
/// # Errors
/// [`DbError`] if a statement fails.
pub async fn by_session(conn: &mut AsyncPgConnection, token_hash: &[u8]) -> Result<Option<Principal>, DbError> {
    type Row = (UserId, String, Role, SessionId, DateTime<Utc>, DateTime<Utc>);
    let row: Option<Row> = sessions::table
        .inner_join(users::table)
        .filter(sessions::token_hash.eq(token_hash))
        .filter(sessions::expires.gt(diesel::dsl::now))
        .filter(users::disabled_at.is_null())
        .select((users::id, users::username, users::role, sessions::id, sessions::expires, sessions::last_seen))
        .first(conn)
        .await
        .optional()?;
    let Some((user_id, username, role, session, expires, last_seen)) = row else {
        return Ok(None);
    };
    let now = Utc::now();
    if now - last_seen > Duration::minutes(1) {
        let address = Origin::current().address.map(|address| address.to_string());
        let note = diesel::update(sessions::table.find(token_hash))
            .set((sessions::last_seen.eq(now), sessions::address.eq(address)))
            .execute(conn);
        noted(note.await)?;
    }
    let (actor, credential) = (Actor::User(username.clone()), Credential::Session(session));
    Ok(Some(Principal { user_id, actor, username, role, credential, expires }))
}

/// The current role of the session's user; none if the session has ended.
///
/// # Errors
/// [`DbError`] if the statement fails.
pub(super) async fn role_now(conn: &mut AsyncPgConnection, id: SessionId) -> Result<Option<Role>, DbError> {
    Ok(sessions::table
        .inner_join(users::table)
        .filter(sessions::id.eq(id))
        .filter(sessions::expires.gt(diesel::dsl::now))
        .filter(users::disabled_at.is_null())
        .select(users::role)
        .first(conn)
        .await
        .optional()?)
}

//! The table `user_identities`: which user an identity at a provider belongs to.

use diesel::{ExpressionMethods, OptionalExtension, QueryDsl};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use shared_types::UserId;
use shared_types::sign_in::Provider;

use crate::platform::db::DbError;
use crate::platform::db::schema::user_identities;

/// Locks an identity until the transaction ends, so that concurrent first sign-ins create only one user.
///
/// # Errors
/// [`DbError`] if the statement fails.
pub async fn lock(conn: &mut AsyncPgConnection, provider: Provider, subject: &str) -> Result<(), DbError> {
    use diesel::sql_types::Text;
    let lock =
        diesel::sql_query("SELECT pg_advisory_xact_lock(hashtextextended('user_identities/' || $1 || '/' || $2, 0))");
    lock.bind::<Text, _>(provider.as_str()).bind::<Text, _>(subject).execute(conn).await?;
    Ok(())
}

/// The user of an identity; none if it has not signed in before.
///
/// # Errors
/// [`DbError`] if the statement fails.
pub async fn find(conn: &mut AsyncPgConnection, provider: Provider, subject: &str) -> Result<Option<UserId>, DbError> {
    let identity = user_identities::table.find((provider.as_str(), subject));
    Ok(identity.select(user_identities::user_id).first(conn).await.optional()?)
}

/// Stores the user of an identity.
///
/// # Errors
/// [`DbError`] if the statement fails.
pub async fn insert(
    conn: &mut AsyncPgConnection,
    provider: Provider,
    subject: &str,
    user: UserId,
) -> Result<(), DbError> {
    diesel::insert_into(user_identities::table)
        .values((
            user_identities::provider.eq(provider.as_str()),
            user_identities::subject.eq(subject),
            user_identities::user_id.eq(user),
        ))
        .execute(conn)
        .await?;
    Ok(())
}

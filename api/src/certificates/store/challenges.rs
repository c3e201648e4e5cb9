//! The table `acme_challenges`: what gateways answer while names are validated.

use diesel::QueryDsl;
use diesel::sql_types::{Array, Text};
use diesel_async::{AsyncPgConnection, RunQueryDsl};

use super::super::challenges::Http01;
use crate::platform::db::DbError;
use crate::platform::db::schema::acme_challenges;

/// Stores answers; those that are there stay as they are. Returns how many are new.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn put(conn: &mut AsyncPgConnection, answers: &[Http01]) -> Result<usize, DbError> {
    let column = |of: fn(&Http01) -> &String| answers.iter().map(of).cloned().collect::<Vec<String>>();
    let stored = diesel::sql_query(
        "INSERT INTO acme_challenges (token, key_authorization, hostname) SELECT * FROM unnest($1, $2, $3) \
         ON CONFLICT (token) DO NOTHING",
    )
    .bind::<Array<Text>, _>(column(|answer| &answer.token))
    .bind::<Array<Text>, _>(column(|answer| &answer.key_authorization))
    .bind::<Array<Text>, _>(column(|answer| &answer.hostname))
    .execute(conn)
    .await?;
    Ok(stored)
}

/// Removes answers, and those that have been there for a day. Returns how many there were.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn remove(conn: &mut AsyncPgConnection, answers: &[Http01]) -> Result<usize, DbError> {
    let tokens: Vec<_> = answers.iter().map(|answer| answer.token.clone()).collect();
    let removed =
        diesel::sql_query("DELETE FROM acme_challenges WHERE token = ANY ($1) OR created < now() - interval '1 day'")
            .bind::<Array<Text>, _>(tokens)
            .execute(conn)
            .await?;
    Ok(removed)
}

/// All answers, for gateways: token and key authorization.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn all(conn: &mut AsyncPgConnection) -> Result<Vec<Http01>, DbError> {
    let rows: Vec<(String, String, String)> = acme_challenges::table
        .order(acme_challenges::token)
        .select((acme_challenges::hostname, acme_challenges::token, acme_challenges::key_authorization))
        .load(conn)
        .await?;
    let answer = |(hostname, token, key_authorization)| Http01 { hostname, token, key_authorization };
    Ok(rows.into_iter().map(answer).collect())
}

//! The table `app_server_checks`: the last result of each site. A row is written when a user requests the check and
//! when the outcome changes, not with each check of the watch; when the watch last checked is in `instance_health`.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use diesel::sql_types::{Array, BigInt, Bool, Integer, Nullable, Text, Timestamptz};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use shared_types::AppServerId;
use shared_types::app_server::{Check, Checks};

use crate::platform::db::DbError;

#[derive(diesel::QueryableByName)]
struct Row {
    #[diesel(sql_type = BigInt)]
    app_server_id: AppServerId,
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Bool)]
    is_ok: bool,
    #[diesel(sql_type = Text)]
    detail: String,
    #[diesel(sql_type = Timestamptz)]
    checked_at: DateTime<Utc>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    confirmed_at: Option<DateTime<Utc>>,
}

/// The last checks of an app server. If the watch has found the same outcome since, the time is the watch's, and the
/// detail leaves out how long the answer took.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn of(conn: &mut AsyncPgConnection, id: AppServerId) -> Result<Checks, DbError> {
    Ok(of_each(conn, &[id]).await?.remove(&id).unwrap_or_default())
}

/// The last checks of each of these app servers that has any.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn of_each(
    conn: &mut AsyncPgConnection,
    ids: &[AppServerId],
) -> Result<HashMap<AppServerId, Checks>, DbError> {
    let rows: Vec<Row> = diesel::sql_query(
        "SELECT c.app_server_id, c.name, c.is_ok, c.detail, c.checked_at, h.checked_at AS confirmed_at \
         FROM app_server_checks AS c JOIN app_servers AS a ON a.id = c.app_server_id \
         LEFT JOIN instance_health AS h ON h.instance_id = a.instance_id AND h.app_server_id = a.id \
         WHERE c.app_server_id = ANY($1) ORDER BY c.app_server_id, c.position",
    )
    .bind::<Array<BigInt>, _>(ids)
    .load(conn)
    .await?;
    let mut found: HashMap<AppServerId, Checks> = HashMap::new();
    for Row { app_server_id, name, is_ok, detail, checked_at, confirmed_at } in rows {
        let check = match confirmed_at.filter(|at| *at > checked_at) {
            Some(at) => Check { name, is_ok, detail: outcome(&detail).to_owned(), checked_at: at },
            None => Check { name, is_ok, detail, checked_at },
        };
        found.entry(app_server_id).or_default().items.push(check);
    }
    Ok(found)
}

/// The detail of a check without the time it took: `200` of `200 in 84 ms`.
pub fn outcome(detail: &str) -> &str {
    let without = detail.strip_suffix(" ms").and_then(|rest| rest.rsplit_once(" in "));
    without.filter(|(_, took)| took.bytes().all(|byte| byte.is_ascii_digit())).map_or(detail, |(answer, _)| answer)
}

/// Whether two checks of one app server have the same outcome, apart from their times.
pub fn have_one_outcome(one: &Checks, other: &Checks) -> bool {
    let of = |checks: &Checks| -> Vec<(String, bool, String)> {
        checks.items.iter().map(|check| (check.name.clone(), check.is_ok, outcome(&check.detail).to_owned())).collect()
    };
    of(one) == of(other)
}

/// Replaces the stored checks of these app servers, except checks that were made later.
///
/// # Errors
/// [`DbError`] when a statement fails.
pub async fn keep(conn: &mut AsyncPgConnection, made: &[(AppServerId, &Checks)]) -> Result<(), DbError> {
    let mut made = made.to_vec();
    // In a fixed order, so that two processes do not deadlock.
    made.sort_unstable_by_key(|(id, _)| *id);
    let rows = || made.iter().flat_map(|(id, checks)| (0i32..).zip(&checks.items).map(move |row| (*id, row)));
    diesel::sql_query(
        "INSERT INTO app_server_checks AS c (app_server_id, position, name, is_ok, detail, checked_at) \
         SELECT * FROM unnest($1, $2, $3, $4, $5, $6) \
         ON CONFLICT (app_server_id, position) DO UPDATE SET name = excluded.name, is_ok = excluded.is_ok, \
            detail = excluded.detail, checked_at = excluded.checked_at WHERE c.checked_at <= excluded.checked_at",
    )
    .bind::<Array<BigInt>, _>(rows().map(|(id, _)| id).collect::<Vec<AppServerId>>())
    .bind::<Array<Integer>, _>(rows().map(|(_, (position, _))| position).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(rows().map(|(_, (_, check))| check.name.as_str()).collect::<Vec<_>>())
    .bind::<Array<Bool>, _>(rows().map(|(_, (_, check))| check.is_ok).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(rows().map(|(_, (_, check))| check.detail.as_str()).collect::<Vec<_>>())
    .bind::<Array<Timestamptz>, _>(rows().map(|(_, (_, check))| check.checked_at).collect::<Vec<_>>())
    .execute(conn)
    .await?;
    // An application of a later version may have fewer sites.
    let counts: Vec<i32> =
        made.iter().map(|(_, checks)| i32::try_from(checks.items.len()).unwrap_or(i32::MAX)).collect();
    diesel::sql_query(
        "DELETE FROM app_server_checks AS c USING unnest($1, $2) AS made (id, count) \
         WHERE c.app_server_id = made.id AND c.position >= made.count",
    )
    .bind::<Array<BigInt>, _>(made.iter().map(|(id, _)| *id).collect::<Vec<AppServerId>>())
    .bind::<Array<Integer>, _>(counts)
    .execute(conn)
    .await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::outcome;

    #[test]
    fn an_outcome_does_not_say_how_long_the_answer_took() {
        assert_eq!(outcome("200 in 84 ms"), "200");
        for whole in ["no answer within 5 s", "no connection", "503 in many ms", "", " ms"] {
            assert_eq!(outcome(whole), whole);
        }
    }
}

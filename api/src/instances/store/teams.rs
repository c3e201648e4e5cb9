//! The table `ssh_teams`: the members of teams outside of this program, as they were last read.

use std::collections::HashMap;
use std::time::Duration;

use chrono::{DateTime, Utc};
use diesel::sql_types::{Double, Nullable, Text, Timestamptz};
use diesel::{ExpressionMethods, OptionalExtension, QueryDsl, Queryable, Selectable, SelectableHelper};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use serde_json::Value;

use crate::platform::db::DbError;
use crate::platform::db::fixed::fixed;
use crate::platform::db::schema::ssh_teams;

/// What is known of a team.
#[derive(Debug, Clone, Default, Queryable, Selectable)]
#[diesel(table_name = ssh_teams)]
pub struct KnownTeam {
    /// The members with their keys; null: they were never read.
    pub members: Value,
    /// When they were last read; none: never.
    pub read_at: Option<DateTime<Utc>>,
    /// Why they could not be read last; none: they could.
    pub trouble: Option<String>,
}

/// What is known of one team; none: nothing.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn find(conn: &mut AsyncPgConnection, team: &str) -> Result<Option<KnownTeam>, DbError> {
    Ok(ssh_teams::table.find(team).select(KnownTeam::as_select()).first(conn).await.optional()?)
}

/// What is known of all teams, by name.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn all(conn: &mut AsyncPgConnection) -> Result<HashMap<String, KnownTeam>, DbError> {
    let rows: Vec<(String, KnownTeam)> =
        ssh_teams::table.select((ssh_teams::team, KnownTeam::as_select())).load(conn).await?;
    Ok(rows.into_iter().collect())
}

/// Records that this worker reads a team now. False: it was read, or an attempt was made, within the time `fresh`.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn claim(conn: &mut AsyncPgConnection, team: &str, fresh: Duration) -> Result<bool, DbError> {
    let claimed = diesel::sql_query(
        "INSERT INTO ssh_teams AS t (team) VALUES ($1) ON CONFLICT (team) DO UPDATE SET tried_at = now() \
         WHERE t.tried_at <= now() - make_interval(secs => $2)",
    );
    let claimed = claimed.bind::<Text, _>(team).bind::<Double, _>(fresh.as_secs_f64());
    Ok(claimed.execute(conn).await? == 1)
}

/// Stores the members of a team; `trouble`: why there are none.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn keep(
    conn: &mut AsyncPgConnection,
    team: &str,
    members: &Value,
    trouble: Option<&str>,
) -> Result<(), DbError> {
    diesel::update(ssh_teams::table.find(team))
        .set((
            ssh_teams::members.eq(members),
            ssh_teams::read_at.eq(fixed::<Nullable<Timestamptz>>("now()")),
            ssh_teams::trouble.eq(trouble),
        ))
        .execute(conn)
        .await?;
    Ok(())
}

/// Records why a team could not be read; its members stay as they were.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn keep_trouble(conn: &mut AsyncPgConnection, team: &str, trouble: &str) -> Result<(), DbError> {
    diesel::update(ssh_teams::table.find(team)).set(ssh_teams::trouble.eq(Some(trouble))).execute(conn).await?;
    Ok(())
}

//! The mail about a failed build: columns of `builds`, and what the mail says.

use std::time::Duration;

use diesel::sql_types::{BigInt, Double, Integer, Nullable, Text, Timestamptz};
use diesel::{ExpressionMethods, OptionalExtension, QueryDsl};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use shared_types::{AppServerId, AppServerStatus, InstanceId};

use crate::db::DbError;
use crate::db::fixed::fixed;
use crate::db::schema::builds;

/// How many mails one look finds; the next finds more.
const A_LOOK: i64 = 50;

#[derive(diesel::QueryableByName)]
struct Tries {
    #[diesel(sql_type = Integer)]
    mail_tries: i32,
}

/// Takes the mail about a build to send it: nobody else does, for so long. Gives which try this is; none: it is not owed,
/// or somebody is at it, or it is to wait.
///
/// # Errors
/// When the statement fails.
pub async fn claim(conn: &mut AsyncPgConnection, id: AppServerId, spell: Duration) -> Result<Option<i32>, DbError> {
    let claimed: Option<Tries> = diesel::sql_query(
        "UPDATE builds SET mail_tries = mail_tries + 1, mail_due = now() + make_interval(secs => $1) \
         WHERE app_server_id = $2 AND mail_owed AND (mail_due IS NULL OR mail_due <= now()) RETURNING mail_tries",
    )
    .bind::<Double, _>(spell.as_secs_f64())
    .bind::<BigInt, _>(id)
    .get_result(conn)
    .await
    .optional()?;
    Ok(claimed.map(|Tries { mail_tries }| mail_tries))
}

/// What the mail says.
#[derive(Debug, Clone, diesel::QueryableByName)]
pub struct Facts {
    /// The app server's name.
    #[diesel(sql_type = Text)]
    pub name: String,
    /// Whose it is.
    #[diesel(sql_type = BigInt)]
    pub instance_id: InstanceId,
    /// Its name.
    #[diesel(sql_type = Text)]
    pub instance_name: String,
    /// How the build ended.
    #[diesel(sql_type = Text)]
    pub status: AppServerStatus,
    /// Why, in words.
    #[diesel(sql_type = Nullable<Text>)]
    pub failure: Option<String>,
    /// The step that failed.
    #[diesel(sql_type = Nullable<Text>)]
    pub failed_step: Option<String>,
    /// Who we are.
    #[diesel(sql_type = Text)]
    pub installation: String,
}

/// Reads what the mail says.
///
/// # Errors
/// When the statement fails.
pub async fn facts(conn: &mut AsyncPgConnection, id: AppServerId) -> Result<Option<Facts>, DbError> {
    Ok(diesel::sql_query(
        "SELECT a.name, a.instance_id, i.name AS instance_name, a.status, a.failure, installation.id AS installation, \
            (SELECT s.step FROM build_steps AS s WHERE s.app_server_id = a.id AND NOT s.is_ok LIMIT 1) AS failed_step \
         FROM app_servers AS a JOIN instances AS i ON i.id = a.instance_id CROSS JOIN installation WHERE a.id = $1",
    )
    .bind::<BigInt, _>(id)
    .get_result(conn)
    .await
    .optional()?)
}

/// The mail was sent, or is given up.
///
/// # Errors
/// When the statement fails.
pub async fn settle(conn: &mut AsyncPgConnection, id: AppServerId) -> Result<(), DbError> {
    diesel::update(builds::table.find(id)).set(builds::mail_owed.eq(false)).execute(conn).await?;
    Ok(())
}

/// The mail is to be tried again after a pause.
///
/// # Errors
/// When the statement fails.
pub async fn postpone(conn: &mut AsyncPgConnection, id: AppServerId, pause: Duration) -> Result<(), DbError> {
    diesel::sql_query("UPDATE builds SET mail_due = now() + make_interval(secs => $1) WHERE app_server_id = $2")
        .bind::<Double, _>(pause.as_secs_f64())
        .bind::<BigInt, _>(id)
        .execute(conn)
        .await?;
    Ok(())
}

/// Builds whose mail is owed and may be tried now, the oldest first.
///
/// # Errors
/// When the statement fails.
pub async fn due(conn: &mut AsyncPgConnection) -> Result<Vec<AppServerId>, DbError> {
    use diesel::BoolExpressionMethods;
    let now = fixed::<Nullable<Timestamptz>>("now()");
    Ok(builds::table
        .filter(builds::mail_owed)
        .filter(builds::mail_due.is_null().or(builds::mail_due.le(now)))
        .order(builds::app_server_id)
        .limit(A_LOOK)
        .select(builds::app_server_id)
        .load(conn)
        .await?)
}

/// No mail is owed any more.
///
/// # Errors
/// When the statement fails.
pub async fn forget(conn: &mut AsyncPgConnection) -> Result<(), DbError> {
    diesel::update(builds::table.filter(builds::mail_owed)).set(builds::mail_owed.eq(false)).execute(conn).await?;
    Ok(())
}

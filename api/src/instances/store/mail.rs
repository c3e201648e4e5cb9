//! The mail about a failed build: what it says, and what workers of the version before owe (columns of `builds`).

use diesel::OptionalExtension;
use diesel::sql_types::{BigInt, Integer, Nullable, Text};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use shared_types::{AppServerId, AppServerStatus, InstanceId};

use crate::platform::db::DbError;

/// A mail that is owed and was tried so often.
#[derive(Debug, Clone, Copy, diesel::QueryableByName)]
pub struct Owed {
    /// The app server whose build failed.
    #[diesel(sql_type = BigInt)]
    pub app_server_id: AppServerId,
    /// How often it was tried.
    #[diesel(sql_type = Integer)]
    pub mail_tries: i32,
}

/// Takes what workers of the version before owe and are not sending at this moment.
///
/// # Errors
/// When the statement fails.
pub async fn take_owed(conn: &mut AsyncPgConnection) -> Result<Vec<Owed>, DbError> {
    Ok(diesel::sql_query(
        "UPDATE builds SET mail_owed = false WHERE mail_owed AND (mail_due IS NULL OR mail_due <= now()) \
         RETURNING app_server_id, mail_tries",
    )
    .load(conn)
    .await?)
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

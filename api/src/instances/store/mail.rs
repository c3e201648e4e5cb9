//! The mail about a failed build: its contents, and what workers of the previous version owe (columns of `builds`).

use diesel::OptionalExtension;
use diesel::sql_types::{BigInt, Integer, Nullable, Text};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use shared_types::app_server::BuildStepKind;
use shared_types::{AppServerId, AppServerStatus, InstanceId};

use crate::platform::db::DbError;

/// An owed mail, and how often sending it was tried.
#[derive(Debug, Clone, Copy, diesel::QueryableByName)]
pub struct Owed {
    /// The app server whose build failed.
    #[diesel(sql_type = BigInt)]
    pub app_server_id: AppServerId,
    /// How often sending was tried.
    #[diesel(sql_type = Integer)]
    pub mail_tries: i32,
}

/// Takes the mails that workers of the previous version owe and are not sending at this moment.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn take_owed(conn: &mut AsyncPgConnection) -> Result<Vec<Owed>, DbError> {
    Ok(diesel::sql_query(
        "UPDATE builds SET mail_owed = false WHERE mail_owed AND (mail_due IS NULL OR mail_due <= now()) \
         RETURNING app_server_id, mail_tries",
    )
    .load(conn)
    .await?)
}

/// The contents of the mail.
#[derive(Debug, Clone, diesel::QueryableByName)]
pub struct Facts {
    /// The app server's name.
    #[diesel(sql_type = Text)]
    pub name: String,
    #[diesel(sql_type = BigInt)]
    pub instance_id: InstanceId,
    #[diesel(sql_type = Text)]
    pub instance_name: String,
    /// How the build ended.
    #[diesel(sql_type = Text)]
    pub status: AppServerStatus,
    /// The reason, for users.
    #[diesel(sql_type = Nullable<Text>)]
    pub failure: Option<String>,
    /// The step that failed.
    #[diesel(sql_type = Nullable<Text>)]
    pub failed_step: Option<BuildStepKind>,
    /// Id of this installation, for the Message-ID.
    #[diesel(sql_type = Text)]
    pub installation: String,
}

/// Reads the contents of the mail. None: there is no such app server.
///
/// # Errors
/// [`DbError`] when the statement fails.
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

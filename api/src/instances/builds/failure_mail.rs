//! The mail about a failed build: one per build, to the installation's administrators, with the log.
//!
//! The transaction that ends the build writes it to the outbox; its text is composed when it is sent. Every copy has
//! the same Message-ID.

use diesel_async::AsyncPgConnection;
use serde_json::json;
use shared_types::app_server::BuildStepKind;
use shared_types::{AppServerId, AppServerStatus};

use crate::instances::Manager;
use crate::instances::store::mail::{self, Facts, Owed};
use crate::platform::db::{Db, DbError};
use crate::platform::logs::{self, Line};
use crate::platform::mail::{Attachment, Message, one_line};
use crate::platform::outbox::{self, New};

/// The mail's kind in the outbox.
pub const KIND: &str = "build_failed";
/// Largest attachment, in bytes: the log's end. Many servers take no more than 10 MB, and encoding adds a third.
const MAX_LOG: usize = 5 << 20;
/// How many entries of the log are read at once.
const PAGE: i64 = 200;

/// Writes the mail about a build to the outbox. Written already: nothing changes.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub async fn owe(conn: &mut AsyncPgConnection, id: AppServerId) -> Result<(), DbError> {
    write(conn, Owed { app_server_id: id, mail_tries: 0 }).await
}

/// Moves the mails that workers of the previous version owe from the rows of their builds to the outbox. A mail that
/// one of them is sending at this moment stays there.
///
/// # Errors
/// [`DbError`] when a statement fails.
pub async fn adopt(conn: &mut AsyncPgConnection) -> Result<(), DbError> {
    use diesel_async::AsyncConnection;
    conn.transaction(async |conn| {
        for owed in mail::take_owed(conn).await? {
            write(conn, owed).await?;
        }
        Ok(())
    })
    .await
}

async fn write(conn: &mut AsyncPgConnection, owed: Owed) -> Result<(), DbError> {
    let Owed { app_server_id, mail_tries } = owed;
    let key = format!("{KIND}/{app_server_id}");
    let new = New { kind: KIND, key: Some(&key), payload: json!({ "app_server_id": app_server_id }) };
    outbox::adopt(conn, &new, mail_tries, None).await.map(drop)
}

/// Composes the mail about a build. None: there is no such build.
///
/// # Errors
/// [`DbError`] when the database does not answer.
pub async fn message_about(manager: &Manager, id: AppServerId) -> Result<Option<Message>, DbError> {
    let mut conn = manager.db.conn().await?;
    let Some(facts) = mail::facts(&mut conn, id).await? else { return Ok(None) };
    drop(conn);
    let log = whole_log(&manager.db, logs::About::AppServer(facts.instance_id, id)).await?;
    Ok(Some(message(id, &facts, log)))
}

/// Logs for the app server that the mail will not be sent.
///
/// # Errors
/// [`DbError`] when the database does not answer.
pub async fn gave_up(manager: &Manager, id: AppServerId, words: &str) -> Result<(), DbError> {
    let mut conn = manager.db.conn().await?;
    let Some(facts) = mail::facts(&mut conn, id).await? else { return Ok(()) };
    let line = Line::error(format!("The mail about this failure could not be sent, and is given up: {words}"));
    logs::append(&mut conn, logs::About::AppServer(facts.instance_id, id), &[line]).await
}

fn message(id: AppServerId, facts: &Facts, log: String) -> Message {
    let Facts { name, instance_id, instance_name, status, failure, failed_step, installation } = facts;
    let instance_name = one_line(instance_name);
    let mut text = format!(
        "AppServer {name} for Instance {instance_name} failed to provision.\nReason: {}\n",
        reason(*status, *failed_step)
    );
    if let Some(failure) = failure {
        text.push_str(&format!("\n{failure}\n"));
    }
    text.push_str(&format!("\n/instances/{instance_id}/app-servers/{id}\n"));
    Message {
        id: format!("app-server-{id}@{installation}"),
        subject: format!("AppServer {name} ({instance_name}) failed to provision"),
        text,
        attachment: Some(Attachment { name: "provision.log".to_owned(), text: log }),
    }
}

/// The reason in the words of the original, which had none for a configuration that cannot be loaded, and for snapshots.
fn reason(status: AppServerStatus, failed_step: Option<BuildStepKind>) -> &'static str {
    match failed_step {
        Some(BuildStepKind::Pin | BuildStepKind::Checkout | BuildStepKind::Resources) => {
            "AppServer deploy failed: the configuration cannot be loaded"
        }
        _ if status == AppServerStatus::Error => "Unable to start a server",
        Some(BuildStepKind::Snapshot) => "AppServer deploy failed: there is no snapshot of the databases",
        Some(BuildStepKind::Playbooks) => "AppServer deploy failed: Ansible play exited with non-zero exit code",
        Some(BuildStepKind::Server | BuildStepKind::Reboot | BuildStepKind::Checks) | None => {
            "AppServer deploy failed: unhandled exception"
        }
    }
}

/// The log as text, read backwards page by page; only its end if it is too long.
async fn whole_log(db: &Db, about: logs::About) -> Result<String, DbError> {
    let mut lines: Vec<String> = Vec::new();
    let mut size = 0;
    let mut before = i64::MAX;
    loop {
        let query = logs::Query { before: Some(before), limit: PAGE, ..Default::default() };
        let entries = logs::page(&mut *db.conn().await?, about, &query).await?;
        for entry in entries.iter().rev() {
            let line = logs::line(entry);
            if size + line.len() > MAX_LOG {
                lines.push(format!("(What was logged before is cut off: entries 1 to {}.)\n", before - 1));
                lines.reverse();
                return Ok(lines.concat());
            }
            size += line.len();
            before = entry.seq.unwrap_or_default();
            lines.push(line);
        }
        if i64::try_from(entries.len()).is_ok_and(|count| count < PAGE) {
            lines.reverse();
            return Ok(lines.concat());
        }
    }
}

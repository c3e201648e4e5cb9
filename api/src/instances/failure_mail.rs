//! The mail about a build that failed: one a build, to the installation's administrators, with the log.
//!
//! That it is owed is written in the transaction that ends the build. Sending is tried for a day, by one worker at a time:
//! whoever tries moves the next try beyond the end of its own. It is sent at least once: who dies between the server's answer
//! and the note of it leaves a second copy, which carries the same Message-ID and is recognised by that.

use std::time::Duration;

use diesel_async::AsyncPgConnection;
use shared_types::app_server::BuildStepKind;
use shared_types::{AppServerId, AppServerStatus};

use super::Manager;
use super::jobs::SendFailureMail;
use super::store::mail::{self, Facts};
use crate::db::{Db, DbError};
use crate::logs::{self, Line};
use crate::mail::{Attachment, MailError, Message, one_line};

/// So many bytes of the log are attached at most, its end: many servers take no more than 10 MB, and encoding adds a third.
const MAX_LOG: usize = 5 << 20;
/// How long one try may take: several answers of the server, each in its own time.
const ONE_TRY: Duration = Duration::from_secs(600);
/// With the pauses between, a day.
const MAX_TRIES: i32 = 30;
/// How many entries of the log are read at once.
const PAGE: i64 = 200;

/// Sends the mail about a build, if it is owed and nobody is at it. A server that is away is asked again later.
///
/// # Errors
/// When the database does not answer.
pub async fn send(manager: &Manager, id: AppServerId) -> Result<(), DbError> {
    let Some(mailer) = &manager.mailer else { return Ok(()) };
    let mut conn = manager.db.conn().await?;
    let Some(tries) = mail::claim(&mut conn, id, ONE_TRY).await? else { return Ok(()) };
    let Some(facts) = mail::facts(&mut conn, id).await? else { return Ok(()) };
    drop(conn);
    let log = whole_log(&manager.db, logs::About::AppServer(facts.instance_id, id)).await?;
    let sent = tokio::time::timeout(ONE_TRY, mailer.send(&message(id, &facts, log))).await;
    let sent = sent.unwrap_or_else(|_| Err(MailError::Away("the mail server took too long".to_owned())));
    let mut conn = manager.db.conn().await?;
    match sent {
        Ok(()) => mail::settle(&mut conn, id).await,
        Err(MailError::Away(words)) if tries < MAX_TRIES => {
            tracing::warn!(app_server = %id, tries, error = words, "the mail about a failed build waits for its server");
            mail::postpone(&mut conn, id, pause(tries)).await
        }
        Err(MailError::Away(words) | MailError::Refused(words)) => give_up(&mut conn, id, &facts, &words).await,
    }
}

/// Looks for mail that no job has sent. Without somebody to send it to, none is owed.
///
/// # Errors
/// When the database does not answer.
pub async fn sweep(manager: &Manager, conn: &mut AsyncPgConnection) -> Result<(), DbError> {
    if manager.mailer.is_none() {
        return mail::forget(conn).await;
    }
    for id in mail::due(conn).await? {
        SendFailureMail::enqueue(conn, id).await?;
    }
    Ok(())
}

async fn give_up(conn: &mut AsyncPgConnection, id: AppServerId, facts: &Facts, words: &str) -> Result<(), DbError> {
    tracing::error!(app_server = %id, error = words, "the mail about a failed build is given up");
    mail::settle(conn, id).await?;
    let line = Line::error(format!("The mail about this failure could not be sent, and is given up: {words}"));
    logs::append(conn, logs::About::AppServer(facts.instance_id, id), &[line]).await
}

/// Twice as long after each try, an hour at most.
fn pause(tries: i32) -> Duration {
    let exponent = u32::try_from(tries.saturating_sub(1)).unwrap_or(0).min(6);
    Duration::from_secs(60 * 2u64.pow(exponent).min(60))
}

fn message(id: AppServerId, facts: &Facts, log: String) -> Message {
    let Facts { name, instance_id, instance_name, status, failure, failed_step, installation } = facts;
    let instance_name = one_line(instance_name);
    let mut text = format!(
        "AppServer {name} for Instance {instance_name} failed to provision.\nReason: {}\n",
        reason(*status, failed_step.as_deref())
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

/// The reason as people know it from the original, which had no word for what cannot be loaded.
fn reason(status: AppServerStatus, failed_step: Option<&str>) -> &'static str {
    let was = |steps: &[BuildStepKind]| steps.iter().any(|step| failed_step == Some(step.as_str()));
    if was(&[BuildStepKind::Pin, BuildStepKind::Checkout]) {
        "AppServer deploy failed: the configuration cannot be loaded"
    } else if status == AppServerStatus::Error {
        "Unable to start a server"
    } else if was(&[BuildStepKind::Playbooks]) {
        "AppServer deploy failed: Ansible play exited with non-zero exit code"
    } else {
        "AppServer deploy failed: unhandled exception"
    }
}

/// The log as text, its end where it is too long, page by page from there.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_tried_for_a_day() {
        let pauses: Vec<u64> = (1..MAX_TRIES).map(|tries| pause(tries).as_secs() / 60).collect();
        assert_eq!(pauses.get(..8), Some(&[1, 2, 4, 8, 16, 32, 60, 60][..]));
        let hours = pauses.iter().sum::<u64>() / 60;
        assert_eq!(hours, 24);
    }
}

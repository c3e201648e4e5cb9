//! Delivers the messages that this module writes to the outbox: all of them are mail to ADMINS.

use async_trait::async_trait;
use shared_types::AppServerId;

use crate::certificates::mail as certificates_mail;
use crate::instances::Manager;
use crate::instances::builds::failure_mail;
use crate::instances::health::mail as health_mail;
use crate::platform::db::DbError;
use crate::platform::mail::{MailError, Message};
use crate::platform::outbox::{self, Courier, Item, Undelivered};

/// Delivers what is due. Without ADMINS, unsent messages are discarded.
///
/// # Errors
/// [`DbError`] when the database does not answer.
pub async fn deliver(manager: &Manager) -> Result<(), DbError> {
    let mut conn = manager.db.conn().await?;
    failure_mail::adopt(&mut conn).await?;
    if manager.mailer.is_none() {
        return outbox::discard_unsent(&mut conn).await;
    }
    drop(conn);
    outbox::deliver_due(&manager.db, &Mails { manager }).await
}

struct Mails<'a> {
    manager: &'a Manager,
}

/// The payload of a mail about health or certificates.
#[derive(serde::Deserialize)]
struct Words {
    subject: String,
    text: String,
}

impl Mails<'_> {
    /// The mail to send; None: there is nothing to tell any more.
    async fn message(&self, item: &Item) -> Result<Option<Message>, DbError> {
        match item.kind.as_str() {
            failure_mail::KIND => failure_mail::message_about(self.manager, about(item)?).await,
            health_mail::KIND => {
                let Words { subject, text } = serde_json::from_value(item.payload.clone())?;
                let id = format!("health-{}@{}", item.id, self.manager.db.installation().await?);
                Ok(Some(Message { id, subject, text, attachment: None }))
            }
            certificates_mail::KIND => {
                let Words { subject, text } = serde_json::from_value(item.payload.clone())?;
                let id = format!("certificates-{}@{}", item.id, self.manager.db.installation().await?);
                Ok(Some(Message { id, subject, text, attachment: None }))
            }
            other => Err(DbError::Corrupt(format!("the outbox holds a message of the unknown kind {other}"))),
        }
    }
}

#[async_trait]
impl Courier for Mails<'_> {
    async fn deliver(&self, item: &Item) -> Result<(), Undelivered> {
        let message = match self.message(item).await {
            Ok(Some(message)) => message,
            Ok(None) => return Ok(()),
            Err(DbError::Corrupt(words)) => return Err(Undelivered::Never(words)),
            Err(error) => return Err(Undelivered::Later(error.to_string())),
        };
        let Some(mailer) = &self.manager.mailer else { return Ok(()) };
        mailer.send(&message).await.map_err(|error| match error {
            MailError::Away(words) => Undelivered::Later(words),
            MailError::Refused(words) => Undelivered::Never(words),
        })
    }

    async fn gave_up(&self, item: &Item, words: &str) -> Result<(), DbError> {
        match item.kind.as_str() {
            failure_mail::KIND => failure_mail::gave_up(self.manager, about(item)?, words).await,
            _ => Ok(()),
        }
    }
}

#[derive(serde::Deserialize)]
struct About {
    app_server_id: AppServerId,
}

fn about(item: &Item) -> Result<AppServerId, DbError> {
    let About { app_server_id } = serde_json::from_value(item.payload.clone())?;
    Ok(app_server_id)
}

//! Sends mail by SMTP, with a new connection for each mail.

use std::fmt;
use std::time::Duration;

use async_trait::async_trait;
use lettre::message::header::ContentType;
use lettre::message::{Attachment as Part, Mailbox, MultiPart, SinglePart};
use lettre::transport::smtp::AsyncSmtpTransport;
use lettre::transport::smtp::authentication::Credentials;
use lettre::{AsyncTransport as _, Tokio1Executor};
use secrecy::{ExposeSecret, SecretString};

use super::{Attachment, MailError, Mailer, Message, one_line};

/// The time limit for each answer of the server.
pub const TIMEOUT: Duration = Duration::from_secs(30);

/// The SMTP server, and the sender and recipients of all mail.
#[derive(Debug, Clone)]
pub struct SmtpConfig {
    /// The server's host name or address.
    pub host: String,
    /// The server's port, usually 25 or 587.
    pub port: u16,
    /// The user name to sign in with; blank: no sign-in.
    pub user: String,
    /// The password to sign in with.
    pub password: Option<SecretString>,
    /// Whether TLS (STARTTLS) is required before anything is sent; the certificate is then verified.
    pub use_tls: bool,
    /// The sender's address, with or without a display name.
    pub from: String,
    /// The addresses of all recipients.
    pub to: Vec<String>,
    /// The text before every subject.
    pub subject_prefix: String,
}

/// A mail setting is invalid; names the setting.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct SmtpConfigError(String);

/// Sends mail by SMTP.
pub struct SmtpMailer {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
    to: Vec<Mailbox>,
    subject_prefix: String,
}

impl fmt::Debug for SmtpMailer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Not derived: the transport holds a password.
        formatter.debug_struct("SmtpMailer").field("from", &self.from).field("to", &self.to).finish_non_exhaustive()
    }
}

impl SmtpMailer {
    /// Connects only when a mail is sent.
    ///
    /// # Errors
    /// [`SmtpConfigError`] if an address is invalid, or the TLS settings cannot be used.
    pub fn new(config: SmtpConfig) -> Result<Self, SmtpConfigError> {
        let SmtpConfig { host, port, user, password, use_tls, from, to, subject_prefix } = config;
        let mut builder = if use_tls {
            AsyncSmtpTransport::<Tokio1Executor>::starttls_relay(&host)
                .map_err(|error| SmtpConfigError(format!("EMAIL_HOST: {error}")))?
        } else {
            AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&host)
        };
        builder = builder.port(port).timeout(Some(TIMEOUT));
        if !user.is_empty() {
            let password = password.as_ref().map(ExposeSecret::expose_secret).unwrap_or_default();
            builder = builder.credentials(Credentials::new(user, password.to_owned()));
        }
        Ok(Self {
            transport: builder.build(),
            from: mailbox("SERVER_EMAIL", &from)?,
            to: to.iter().map(|address| mailbox("ADMINS", address)).collect::<Result<_, _>>()?,
            subject_prefix,
        })
    }

    fn compose(&self, message: &Message) -> Result<lettre::Message, lettre::error::Error> {
        let mut builder = lettre::Message::builder()
            .from(self.from.clone())
            .subject(one_line(&format!("{}{}", self.subject_prefix, message.subject)))
            .message_id(Some(format!("<{}>", message.id)))
            .date_now();
        for to in &self.to {
            builder = builder.to(to.clone());
        }
        let text = SinglePart::plain(message.text.clone());
        match &message.attachment {
            None => builder.singlepart(text),
            Some(Attachment { name, text: content }) => {
                let attached = Part::new(name.clone()).body(content.clone(), ContentType::TEXT_PLAIN);
                builder.multipart(MultiPart::mixed().singlepart(text).singlepart(attached))
            }
        }
    }
}

fn mailbox(setting: &str, address: &str) -> Result<Mailbox, SmtpConfigError> {
    address.parse().map_err(|error| SmtpConfigError(format!("{setting}: «{address}» is no mail address ({error})")))
}

#[async_trait]
impl Mailer for SmtpMailer {
    async fn send(&self, message: &Message) -> Result<(), MailError> {
        let composed = self.compose(message).map_err(|error| MailError::Refused(error.to_string()))?;
        match self.transport.send(composed).await {
            Ok(_) => Ok(()),
            Err(error) if error.is_permanent() => Err(MailError::Refused(words(&error))),
            Err(error) => Err(MailError::Away(words(&error))),
        }
    }

    async fn answers(&self) -> Result<(), MailError> {
        match self.transport.test_connection().await {
            Ok(true) => Ok(()),
            Ok(false) => Err(MailError::Away("the mail server does not take commands".to_owned())),
            Err(error) => Err(MailError::Away(words(&error))),
        }
    }
}

/// An error's message followed by those of its causes.
fn words(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    causes.fold(error.to_string(), |words, cause| format!("{words}: {cause}"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn config() -> SmtpConfig {
        SmtpConfig {
            host: "localhost".into(),
            port: 25,
            user: "me".into(),
            password: Some("hunter2".to_owned().into()),
            use_tls: false,
            from: "ocim@localhost".into(),
            to: vec!["admin@example.com".into()],
            subject_prefix: "[OpenCraft] ".into(),
        }
    }

    #[test]
    fn an_address_that_is_none_is_named_with_its_setting() {
        assert!(!format!("{:?}", SmtpMailer::new(config()).unwrap()).contains("hunter2"));
        let error = SmtpMailer::new(SmtpConfig { to: vec!["ada".into()], ..config() }).unwrap_err();
        assert!(error.to_string().starts_with("ADMINS: «ada» is no mail address"), "{error}");
        let error = SmtpMailer::new(SmtpConfig { from: "a b@c".into(), ..config() }).unwrap_err();
        assert!(error.to_string().starts_with("SERVER_EMAIL: "), "{error}");
    }
}

//! Mail to the administrators of the installation.
//!
//! The port is [`Mailer`]; [`smtp::SmtpMailer`] sends, [`fake::FakeMailer`] records. The implementation knows the
//! recipients and the subject prefix. Not here: the content of mail.

pub mod fake;
pub mod smtp;

use std::fmt::Debug;

use async_trait::async_trait;

/// The maximum length of a subject, in characters; the rest is cut off.
const SUBJECT_MAX: usize = 250;

/// A mail, without sender and recipients.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// The message id, as `left@right` without brackets. The same for every attempt to send a mail, so that mail
    /// clients recognise a second copy.
    pub id: String,
    /// The subject. Line breaks and bidirectional control characters are removed before the mail is sent.
    pub subject: String,
    /// The body, as plain text.
    pub text: String,
    /// A text file to attach, if any.
    pub attachment: Option<Attachment>,
}

/// A text file that is attached to a mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attachment {
    /// The file name that the recipient sees.
    pub name: String,
    /// The content of the file, as plain text.
    pub text: String,
}

/// Why a mail was not sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MailError {
    /// Permanent: the server refuses the mail, or it cannot be composed.
    #[error("{0}")]
    Refused(String),
    /// Transient: the server does not answer, or asks for a later attempt.
    #[error("{0}")]
    Away(String),
}

/// A way to send mail.
#[async_trait]
pub trait Mailer: Debug + Send + Sync {
    /// Sends one mail to all recipients.
    ///
    /// # Errors
    /// [`MailError`], which says whether a retry may succeed.
    async fn send(&self, message: &Message) -> Result<(), MailError>;

    /// Checks whether the server would accept mail, without sending any.
    ///
    /// # Errors
    /// [`MailError`] if it would not.
    async fn answers(&self) -> Result<(), MailError>;
}

/// Makes user input (an instance's name) safe for a header or a line: line breaks and other control characters become
/// spaces, bidirectional control characters are removed, and the length is limited to 250 characters.
pub fn one_line(text: &str) -> String {
    let turns = |c: &char| matches!(c, '\u{200e}' | '\u{200f}' | '\u{061c}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let breaks = |c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}');
    let spaced: String = text.chars().filter(|c| !turns(c)).map(|c| if breaks(c) { ' ' } else { c }).collect();
    let mut line = spaced.split_whitespace().collect::<Vec<_>>().join(" ");
    if let Some((end, _)) = line.char_indices().nth(SUBJECT_MAX) {
        line.truncate(end);
        line.push('…');
    }
    line
}

#[cfg(test)]
mod tests {
    use super::one_line;

    #[test]
    fn words_of_others_stay_on_their_line() {
        assert_eq!(one_line("a\r\nBcc: evil@example.com\u{2028}b\0"), "a Bcc: evil@example.com b");
        assert_eq!(one_line("\u{202e}gpj.exe\u{202c} «\"'»"), "gpj.exe «\"'»");
        assert_eq!(one_line(&"é".repeat(300)).chars().count(), 251);
    }
}

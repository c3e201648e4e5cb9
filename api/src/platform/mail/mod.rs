//! Mail to the people who look after the installation.
//!
//! The port is [`Mailer`]; [`smtp::SmtpMailer`] sends, [`fake::FakeMailer`] keeps. Whom it goes to and what subjects begin
//! with are the implementation's. Not here: what a mail is about.

pub mod fake;
pub mod smtp;

use std::fmt::Debug;

use async_trait::async_trait;

/// How long a subject may be, in characters; the rest is cut off.
const SUBJECT_MAX: usize = 250;

/// A mail, without sender and recipients.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// `left@right`, without brackets: the same for the same mail, however often it is sent, so that a second copy is
    /// recognised as one.
    pub id: String,
    /// What it is about. Line breaks and what turns the direction of text are taken out before it is sent.
    pub subject: String,
    /// The text.
    pub text: String,
    /// What is attached.
    pub attachment: Option<Attachment>,
}

/// A text file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attachment {
    /// Its name.
    pub name: String,
    /// What is in it.
    pub text: String,
}

/// Why a mail was not sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MailError {
    /// It never will be: the server refuses it, or it cannot be made.
    #[error("{0}")]
    Refused(String),
    /// It may be later: the server does not answer, or says so.
    #[error("{0}")]
    Away(String),
}

/// Sends mail.
#[async_trait]
pub trait Mailer: Debug + Send + Sync {
    /// Sends one mail to all who are to get it.
    ///
    /// # Errors
    /// Why not, and whether it may go better later.
    async fn send(&self, message: &Message) -> Result<(), MailError>;

    /// Whether the server would take mail in. Sends none.
    ///
    /// # Errors
    /// Why not.
    async fn answers(&self) -> Result<(), MailError>;
}

/// Somebody else's words (an instance's name) as they may stand in a header or a line: line breaks and other control
/// characters become spaces, marks that turn the direction of text go away, the length is bounded.
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

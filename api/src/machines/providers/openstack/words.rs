//! Makes the texts of a cloud fit for messages and logs: one line, no control characters, no secrets, a limited length.

use secrecy::{ExposeSecret, SecretString};

/// The limit of a text, in characters.
const MAX_CHARS: usize = 300;
/// The limit of a word, in characters. A UUID has 36, a token 180 and more.
const MAX_WORD_CHARS: usize = 100;
/// What stands for a secret.
const MASK: &str = "[hidden]";

/// Values that are removed from every text.
#[derive(Debug, Clone, Default)]
pub(super) struct Hidden(Vec<SecretString>);

impl Hidden {
    /// These values; empty ones are ignored.
    pub(super) fn new(values: impl IntoIterator<Item = SecretString>) -> Self {
        Self(values.into_iter().filter(|value| !value.expose_secret().is_empty()).collect())
    }

    /// The same values and this one.
    pub(super) fn and(&self, value: SecretString) -> Self {
        Self::new(self.0.iter().cloned().chain([value]))
    }

    /// The text as it may be shown.
    pub(super) fn scrub(&self, text: &str) -> String {
        // Before the text is cut, so that no part of a secret is left at its end.
        let masked = self.0.iter().fold(text.to_owned(), |text, value| text.replace(value.expose_secret(), MASK));
        line(&masked)
    }
}

/// The text on one line, without control characters and those that change the direction of writing, with long words and
/// the whole cut.
pub(in crate::machines::providers) fn line(text: &str) -> String {
    let words = text.split(|c: char| c.is_whitespace() || c.is_control()).filter(|word| !word.is_empty());
    let words: Vec<_> = words.map(|word| cut(&word.replace(is_hidden, ""), MAX_WORD_CHARS)).collect();
    cut(&words.join(" "), MAX_CHARS)
}

fn is_hidden(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// The first characters of a text, with `…` where it was longer.
fn cut(text: &str, most: usize) -> String {
    if text.chars().count() <= most { text.to_owned() } else { text.chars().take(most - 1).chain(['…']).collect() }
}

/// The text with a full stop, unless it ends like a sentence.
pub(super) fn sentence(text: &str) -> String {
    if text.ends_with(['.', '!', '?', '…']) { text.to_owned() } else { format!("{text}.") }
}

/// A list for a message: at most ten items, and how many more there are.
pub(super) fn choices(items: impl IntoIterator<Item = String>) -> String {
    const MOST: usize = 10;
    let mut items: Vec<_> = items.into_iter().map(|item| cut(&line(&item), MAX_WORD_CHARS)).collect();
    items.sort();
    let more = items.len().saturating_sub(MOST);
    items.truncate(MOST);
    match (items.is_empty(), more) {
        (true, _) => "none".to_owned(),
        (false, 0) => items.join(", "),
        (false, more) => format!("{} and {more} more", items.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_one_short_line_without_secrets() {
        let hidden = Hidden::new(["pass word".into(), "".into()]).and("dG9rZW4".into());
        let text = "bad\r\n\u{1b}[31m value\u{202e}: pass word\0 dG9rZW4.";
        assert_eq!(hidden.scrub(text), "bad [31m value: [hidden] [hidden].");
        let echo = format!("Invalid user_data. Value: {} is too long", "QUJD".repeat(5000));
        let shown = hidden.scrub(&echo);
        assert!(shown.starts_with("Invalid user_data. Value: QUJD") && shown.ends_with("… is too long"), "{shown}");
        assert_eq!(hidden.scrub(&"é ".repeat(1000)).chars().count(), 300);
    }

    #[test]
    fn a_secret_at_the_end_of_a_long_text_is_not_cut_in_half() {
        let hidden = Hidden::new(["correct-horse".into()]);
        let shown = hidden.scrub(&format!("{}correct-horse", "a ".repeat(147)));
        assert!(!shown.contains("correct"), "{shown}");
    }

    #[test]
    fn choices_are_sorted_and_limited() {
        assert_eq!(choices([]), "none");
        assert_eq!(choices(["b".into(), "a\n".into()]), "a, b");
        assert!(choices((0..30).map(|n| n.to_string())).ends_with(" and 20 more"));
    }
}

//! Texts that others write and that are only shown: without control characters and without what changes the direction of writing,
//! so that nothing looks like what it is not. What is read for its meaning, as a description is, is not changed.

/// Whether it is a control character, or one of those that change the direction of writing.
fn is_hidden(c: char) -> bool {
    c.is_control() || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// One line of text: line ends and tabs become spaces, other control characters go.
pub(super) fn line(text: &str) -> String {
    let spaced = text.replace("\r\n", " ").replace(['\n', '\r', '\t'], " ");
    spaced.chars().filter(|c| !is_hidden(*c)).collect()
}

/// A text that is read for its meaning: at most so many bytes of it, and as it is.
pub(super) fn exact(mut text: String, bytes: usize) -> String {
    text.truncate(text.floor_char_boundary(bytes));
    text
}

/// Whether nothing in it is hidden.
pub(super) fn is_plain(text: &str) -> bool {
    !text.chars().any(is_hidden)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_hidden() {
        assert_eq!(line("a\r\nb\nc\td\0\u{7f}\u{85}\u{202e}e\u{2066}\u{200f}é🦀"), "a b c de".to_owned() + "é🦀");
        assert_eq!(exact("aé".into(), 2), "a");
        assert_eq!(exact("a\t\u{202e}\r\n\0é".into(), 9), "a\t\u{202e}\r\n\0");
        assert!(is_plain("feature/é") && !is_plain("ma\u{200e}in") && !is_plain("a\nb"));
    }
}

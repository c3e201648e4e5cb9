//! Cleans untrusted texts for display: removes control characters and those that change the direction of writing, which
//! could disguise a text. Texts that are parsed, as a description, stay as they are.

/// Whether it is a control character or changes the direction of writing.
fn is_hidden(c: char) -> bool {
    c.is_control() || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// One line of text: line ends and tabs become spaces, other control characters go.
pub(super) fn line(text: &str) -> String {
    let spaced = text.replace("\r\n", " ").replace(['\n', '\r', '\t'], " ");
    spaced.chars().filter(|c| !is_hidden(*c)).collect()
}

/// The unchanged text, cut to at most so many bytes at a character boundary.
pub(super) fn exact(mut text: String, bytes: usize) -> String {
    text.truncate(text.floor_char_boundary(bytes));
    text
}

/// Whether the text has no such hidden characters.
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

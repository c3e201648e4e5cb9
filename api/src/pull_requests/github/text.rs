//! Texts that others write: bounded, without control characters and without what changes the direction of writing, so that nothing
//! looks like what it is not.

/// Whether it is a control character other than a line's end, or one of those that change the direction of writing.
fn is_hidden(c: char) -> bool {
    c.is_control() || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// One line of text: line ends and tabs become spaces, other control characters go.
pub(super) fn line(text: &str) -> String {
    let spaced = text.replace("\r\n", " ").replace(['\n', '\r', '\t'], " ");
    spaced.chars().filter(|c| !is_hidden(*c)).collect()
}

/// Lines of text, at most so many bytes of it: line ends become line feeds, tabs spaces, other control characters go.
pub(super) fn lines(text: &str, bytes: usize) -> String {
    let spaced = text.replace("\r\n", "\n").replace('\r', "\n").replace('\t', " ");
    let mut kept: String = spaced.chars().filter(|c| *c == '\n' || !is_hidden(*c)).collect();
    kept.truncate(kept.floor_char_boundary(bytes));
    kept
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
        assert_eq!(lines("a\r\nb\rc\td\0\u{202e}e\n", 100), "a\nb\nc de\n");
        assert_eq!(lines("aé", 2), "a");
        assert!(is_plain("feature/é") && !is_plain("ma\u{200e}in") && !is_plain("a\nb"));
    }
}

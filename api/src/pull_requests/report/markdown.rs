//! Puts foreign texts into code blocks, where GitHub interprets no mention, link or HTML.

/// How many characters of one text are shown.
const LONGEST: usize = 6_000;

/// A code block with this text; its fence is longer than any run of backticks in the text.
pub(super) fn block(text: &str) -> String {
    let mut text: String = text.replace("\r\n", "\n").chars().filter(|c| !is_hidden(*c)).collect();
    if let Some((end, _)) = text.char_indices().nth(LONGEST) {
        text.truncate(end);
        text.push_str(" …");
    }
    let fence = "`".repeat(longest_run(&text).max(2) + 1);
    format!("{fence}text\n{}\n{fence}\n", text.trim_end())
}

/// The length of the longest run of backticks.
fn longest_run(text: &str) -> usize {
    text.split(|c| c != '`').map(str::len).max().unwrap_or_default()
}

/// Whether it is a control character or changes the direction of writing.
fn is_hidden(c: char) -> bool {
    (c.is_control() && !matches!(c, '\n' | '\t'))
        || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_gets_out_of_a_block() {
        assert_eq!(block("hello @all #1"), "```text\nhello @all #1\n```\n");
        assert_eq!(block("a\n```\n@all\n~~~\n"), "````text\na\n```\n@all\n~~~\n````\n");
        assert_eq!(block("a `````` b"), "```````text\na `````` b\n```````\n");
        assert_eq!(block("a\r\nb\r```\u{202e}\0"), "````text\na\nb```\n````\n");
    }

    #[test]
    fn a_long_text_is_cut() {
        let block = block(&"é".repeat(LONGEST + 1));
        assert_eq!(block.chars().filter(|c| *c == 'é').count(), LONGEST);
        assert!(block.contains("é …\n```"));
    }
}

//! Checks a text before it is parsed.

use super::{MAX_BYTES, YamlError};

/// Refuses a text that is too long, and characters that PyYAML refuses or takes for line ends.
pub(super) fn check_text(text: &str) -> Result<(), YamlError> {
    if text.len() > MAX_BYTES {
        let message = format!("the text has {} bytes; at most {MAX_BYTES} are read", text.len());
        return Err(YamlError { line: 1, column: 1, message });
    }
    let (mut line, mut column, mut previous) = (1, 1, '\0');
    for character in text.chars() {
        if !is_allowed(character) {
            let message = format!(
                "the character U+{:04X} is not allowed; write it as an escape in double quotes: {}",
                u32::from(character),
                escape(character)
            );
            return Err(YamlError { line, column, message });
        }
        match character {
            '\n' if previous == '\r' => {}
            '\n' | '\r' => (line, column) = (line + 1, 1),
            _ => column += 1,
        }
        previous = character;
    }
    Ok(())
}

/// Whether PyYAML accepts the character unescaped. The three separators are line ends to PyYAML but not to the parser
/// used here, so they are refused.
pub(super) fn is_allowed(character: char) -> bool {
    matches!(
        character,
        '\t' | '\n' | '\r' | ' '..='~' | '\u{a0}'..='\u{2027}' | '\u{202a}'..='\u{fffd}' | '\u{10000}'..
    )
}

/// The character as an escape in double quotes.
pub(super) fn escape(character: char) -> String {
    match u32::from(character) {
        code @ 0..=0xff => format!("\\x{code:02X}"),
        code @ 0x100..=0xffff => format!("\\u{code:04X}"),
        code => format!("\\U{code:08X}"),
    }
}

/// Where a text ends, in characters, when something stands on its last line and the line is not ended.
///
/// A text block (`|`, `>`) whose last line is not ended has no newline at its end: PyYAML knows, the parser adds one.
pub(super) fn open_end(text: &str) -> Option<usize> {
    let last = text.rsplit(['\n', '\r']).next().unwrap_or_default();
    (!last.trim().is_empty()).then(|| text.chars().count())
}

/// The text without spaces on a last line that has nothing else and is not ended: the parser would take them for one more
/// line of a text block, PyYAML does not.
pub(super) fn without_blank_end(text: &str) -> &str {
    let trimmed = text.trim_end_matches(' ');
    if trimmed.is_empty() || trimmed.ends_with(['\n', '\r']) { trimmed } else { text }
}

//! Removes terminal colour codes from text.

use super::Span;

/// The start of a colour code: the escape character itself, and as JSON, Python and C escape it.
const BEGINNINGS: [&str; 6] = ["\u{1b}[", "\\u001b[", "\\u001B[", "\\x1b[", "\\x1B[", "\\033["];

/// A text without colour codes.
pub(super) struct Plain {
    pub text: String,
    /// The position of each code in the plain text, and the total length of all codes up to it.
    codes: Vec<(usize, usize)>,
}

/// The text without colour codes; none if there are none.
pub(super) fn without(text: &str) -> Option<Plain> {
    if !text.contains(['\u{1b}', '\\']) {
        return None;
    }
    let mut plain = Plain { text: String::with_capacity(text.len()), codes: Vec::new() };
    let (mut rest, mut total) = (text, 0);
    while let Some(at) = rest.find(['\u{1b}', '\\']) {
        let (before, from) = rest.split_at(at);
        plain.text.push_str(before);
        match code(from) {
            Some(length) => {
                total += length;
                plain.codes.push((plain.text.len(), total));
                rest = from.get(length..).unwrap_or_default();
            }
            None => {
                let next = from.chars().next().map_or(0, char::len_utf8);
                plain.text.push_str(from.get(..next).unwrap_or_default());
                rest = from.get(next..).unwrap_or_default();
            }
        }
    }
    plain.text.push_str(rest);
    (!plain.codes.is_empty()).then_some(plain)
}

/// The length of the code that starts here; none if there is no code.
fn code(text: &str) -> Option<usize> {
    let beginning = BEGINNINGS.into_iter().find(|beginning| text.starts_with(beginning))?;
    let body = text.get(beginning.len()..)?;
    let parameters = body.bytes().take_while(|byte| matches!(byte, 0x20..=0x3f)).count();
    let last = body.as_bytes().get(parameters)?;
    matches!(last, 0x40..=0x7e).then_some(beginning.len() + parameters + 1)
}

impl Plain {
    /// Maps a span of the plain text to the original text; codes inside the span are included.
    pub fn original(&self, (start, end): Span) -> Span {
        let before = |count: usize| {
            let last = count.checked_sub(1).and_then(|last| self.codes.get(last));
            last.map_or(0, |(_, total)| *total)
        };
        let (at_start, at_end) =
            (self.codes.partition_point(|(at, _)| *at <= start), self.codes.partition_point(|(at, _)| *at < end));
        (start + before(at_start), end + before(at_end))
    }
}

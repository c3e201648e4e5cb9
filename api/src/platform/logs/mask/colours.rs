//! Texts without the codes that colour them on a terminal.

use super::Span;

/// What begins a code: the character itself, and as JSON, Python and C write it.
const BEGINNINGS: [&str; 6] = ["\u{1b}[", "\\u001b[", "\\u001B[", "\\x1b[", "\\x1B[", "\\033["];

/// A text without codes.
pub(super) struct Plain {
    pub text: String,
    /// Where each code was in the text without codes, and how long all are together up to it.
    codes: Vec<(usize, usize)>,
}

/// The text without codes; none: it has none.
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

/// How long the code is that begins here.
fn code(text: &str) -> Option<usize> {
    let beginning = BEGINNINGS.into_iter().find(|beginning| text.starts_with(beginning))?;
    let body = text.get(beginning.len()..)?;
    let parameters = body.bytes().take_while(|byte| matches!(byte, 0x20..=0x3f)).count();
    let last = body.as_bytes().get(parameters)?;
    matches!(last, 0x40..=0x7e).then_some(beginning.len() + parameters + 1)
}

impl Plain {
    /// Where a span is in the text with its codes; those inside are part of it.
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

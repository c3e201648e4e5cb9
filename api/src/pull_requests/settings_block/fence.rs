//! Finds fenced code blocks, as CommonMark defines them.

use std::collections::HashMap;

/// The line that opens a code block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Fence {
    sign: char,
    length: usize,
    /// How many spaces stand before it.
    pub(super) indent: usize,
    /// Whether at most three spaces stand before it and nothing else. Otherwise the fence is indented more, or in a
    /// quotation or list.
    pub(super) is_plain: bool,
}

/// Remembers which fences have no end, so that the rest of the body is not searched again for each.
#[derive(Debug, Default)]
pub(super) struct Fences {
    /// The length of the shortest fence without an end, by sign and kind.
    endless: HashMap<(char, bool), usize>,
}

impl Fence {
    /// The fence that a line opens, if it does.
    pub(super) fn opened_by(line: &str) -> Option<Self> {
        let plain = plainly_begun(line).filter(|begun| begun.starts_with(['`', '~']));
        let begun = plain.unwrap_or_else(|| without_marks(line));
        let (sign, length) = signs(begun)?;
        let info = begun.get(length..).unwrap_or_default();
        // With backticks after it, it is inline code: ```` ```like this``` ````.
        let is_fence = length >= 3 && !(sign == '`' && info.contains('`'));
        let indent = line.len() - line.trim_start_matches(' ').len();
        is_fence.then_some(Self { sign, length, indent, is_plain: plain.is_some() })
    }

    fn is_closed_by(&self, line: &str) -> bool {
        let begun = if self.is_plain { plainly_begun(line) } else { Some(without_marks(line)) };
        let begun = begun.map(str::trim_end).unwrap_or_default();
        signs(begun).is_some_and(|(sign, length)| sign == self.sign && length >= self.length && length == begun.len())
    }
}

impl Fences {
    /// How many lines there are before the one that closes the fence; none: it is never closed.
    pub(super) fn end_of(&mut self, fence: &Fence, rest: &[&str]) -> Option<usize> {
        let kind = (fence.sign, fence.is_plain);
        if self.endless.get(&kind).is_some_and(|shortest| fence.length >= *shortest) {
            return None;
        }
        let found = rest.iter().position(|line| fence.is_closed_by(line));
        if found.is_none() {
            self.endless.insert(kind, fence.length);
        }
        found
    }
}

/// The line without up to three spaces at its beginning; `None` when there are more.
fn plainly_begun(line: &str) -> Option<&str> {
    let begun = line.trim_start_matches(' ');
    (line.len() - begun.len() <= 3).then_some(begun)
}

/// The line without spaces and the marks of quotations and lists.
fn without_marks(line: &str) -> &str {
    let is_mark = |c: char| c.is_whitespace() || c.is_ascii_digit() || matches!(c, '>' | '-' | '*' | '+' | '.' | ')');
    line.trim_start_matches(is_mark)
}

/// The fence sign that a line begins with, and the length of its run.
fn signs(begun: &str) -> Option<(char, usize)> {
    let sign = begun.chars().next().filter(|sign| matches!(sign, '`' | '~'))?;
    Some((sign, begun.len() - begun.trim_start_matches(sign).len()))
}

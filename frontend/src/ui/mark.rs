//! Highlights search hits in a line that has ANSI colours.

use std::ops::Range;

use super::ansi::{self, Ink};

/// A part of a line with one style.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    pub ink: Ink,
    pub text: String,
    /// Whether it is a search hit, or part of one.
    pub is_hit: bool,
}

/// The pieces of a line. The search ignores colours, so a hit may span a change of colour.
pub fn pieces(line: &str, sought: &str) -> Vec<Piece> {
    let parts = ansi::parts(line);
    if sought.is_empty() {
        return parts.into_iter().map(|(ink, text)| Piece { ink, text, is_hit: false }).collect();
    }
    let whole: String = parts.iter().map(|(_, text)| text.as_str()).collect();
    let hits = find(&whole, sought);
    let mut pieces = Vec::with_capacity(parts.len());
    let mut begin = 0;
    for (ink, text) in parts {
        let end = begin + text.len();
        let mut at = begin;
        let inside = hits.iter().filter(|hit| hit.start < end && hit.end > begin);
        for hit in inside {
            let (from, to) = (hit.start.max(begin), hit.end.min(end));
            for (range, is_hit) in [(at..from, false), (from..to, true)] {
                push(&mut pieces, ink, whole.get(range), is_hit);
            }
            at = to;
        }
        push(&mut pieces, ink, whole.get(at..end), false);
        begin = end;
    }
    pieces
}

fn push(pieces: &mut Vec<Piece>, ink: Ink, text: Option<&str>, is_hit: bool) {
    if let Some(text) = text.filter(|text| !text.is_empty()) {
        pieces.push(Piece { ink, text: text.to_owned(), is_hit });
    }
}

/// The ranges where the words occur in a text, ignoring case.
fn find(text: &str, sought: &str) -> Vec<Range<usize>> {
    let sought: Vec<char> = sought.chars().flat_map(char::to_lowercase).collect();
    if sought.is_empty() {
        return Vec::new();
    }
    // A letter may become several in lower case: each remembers where its original begins and ends.
    let lower: Vec<(char, usize, usize)> = text
        .char_indices()
        .flat_map(|(at, letter)| letter.to_lowercase().map(move |lower| (lower, at, at + letter.len_utf8())))
        .collect();
    let mut found = Vec::new();
    let mut rest = lower.as_slice();
    while let Some(window) = rest.get(..sought.len()) {
        let is_hit = window.iter().map(|(letter, ..)| letter).eq(&sought);
        if is_hit && let (Some(first), Some(last)) = (window.first(), window.last()) {
            found.push(first.1..last.2);
        }
        rest = rest.get(if is_hit { sought.len() } else { 1 }..).unwrap_or_default();
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    fn shown(line: &str, sought: &str) -> String {
        let piece = |piece: Piece| {
            let text = if piece.is_hit { format!("<{}>", piece.text) } else { piece.text };
            format!("{}{text}", piece.ink.color.map_or(String::new(), |color| format!("{color}:")))
        };
        pieces(line, sought).into_iter().map(piece).collect::<Vec<_>>().join("|")
    }

    #[test]
    fn marks_each_place_in_upper_and_lower_case() {
        assert_eq!(shown("Ok, ok", "OK"), "<Ok>|, |<ok>");
        assert_eq!(shown("aaa", "aa"), "<aa>|a");
        assert_eq!(shown("a<b>&amp;", "<B>&"), "a|<<b>&>|amp;");
        assert_eq!(shown("nothing", "x"), "nothing");
        assert_eq!(shown("nothing", ""), "nothing");
        assert_eq!(shown("", "x"), "");
    }

    #[test]
    fn a_hit_may_go_over_a_change_of_colour() {
        assert_eq!(shown("a \u{1b}[32mgre\u{1b}[31men\u{1b}[0m b", "GREEN b"), "a |2:<gre>|1:<en>|< b>");
    }

    #[test]
    fn letters_that_grow_in_lower_case_are_not_cut() {
        assert_eq!(shown("İstanbul ß", "stan"), "İ|<stan>|bul ß");
        assert_eq!(shown("éÉ", "é"), "<é>|<É>");
    }
}

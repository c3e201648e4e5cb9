//! A minimal YAML highlighter: separates keys, comments, texts, numbers and secrets, line by line. It does not check
//! whether the text is valid.

use serde_json::Value;
use shared_types::secret::HIDDEN;
use shared_types::yaml;

/// The token type of a piece of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Piece {
    /// A key with its colon.
    Key,
    Comment,
    Text,
    /// A number, a boolean or null, as Ansible parses it.
    Value,
    /// The mask in place of a secret.
    Secret,
    Plain,
}

impl Piece {
    /// The CSS class for this token type.
    pub const fn class(self) -> &'static str {
        match self {
            Self::Key => "key",
            Self::Comment => "comment",
            Self::Text => "text",
            Self::Value => "value",
            Self::Secret => "secret",
            Self::Plain => "",
        }
    }
}

/// The tag that marks a value as secret.
const SECRET_TAG: &str = "!secret";

/// The longest value, in bytes, that is classified; no number is longer.
const WORD_MAX: usize = 40;

/// Parses lines from first to last: the meaning of a line may depend on those before it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Lines {
    /// Inside a block scalar (`|` or `>`): the indentation of the lines around it.
    block: Option<usize>,
}

impl Lines {
    /// The pieces of the next line, in order; their concatenation is the line.
    pub fn pieces<'a>(&mut self, line: &'a str) -> Vec<(Piece, &'a str)> {
        if self.is_in_block(line) {
            return vec![(Piece::Text, line)];
        }
        let (indent, key, value) = parts(line);
        if key.is_empty() && value.starts_with('#') {
            return vec![(Piece::Comment, line)];
        }
        let (value, comment) = without_comment(value);
        self.look_for_block(indent, key, value);
        let mut pieces = vec![(Piece::Plain, indent), (Piece::Key, key)];
        push_value(&mut pieces, value);
        pieces.push((Piece::Comment, comment));
        pieces.retain(|(_, text)| !text.is_empty());
        pieces
    }

    /// Advances past a line without returning its pieces.
    pub fn skip(&mut self, line: &str) {
        if !self.is_in_block(line) {
            let (indent, key, value) = parts(line);
            self.look_for_block(indent, key, without_comment(value).0);
        }
    }

    fn is_in_block(&mut self, line: &str) -> bool {
        let Some(outside) = self.block else { return false };
        let text = line.trim_start_matches(' ');
        let is_inside = text.is_empty() || line.len() - text.len() > outside;
        if !is_inside {
            self.block = None;
        }
        is_inside
    }

    fn look_for_block(&mut self, indent: &str, key: &str, value: &str) {
        let value = value.trim();
        let header = value.strip_prefix(SECRET_TAG).map_or(value, str::trim_start);
        let begins = header.starts_with(['|', '>']) && header.len() <= 3;
        if begins && header.chars().skip(1).all(|sign| matches!(sign, '+' | '-' | '1'..='9')) {
            // The block scalar of a list item without a key is indented more than the item's dash.
            let dash = indent.rfind('-').filter(|_| key.is_empty());
            self.block = Some(dash.unwrap_or(indent.len()));
        }
    }
}

/// The indentation of a line including dashes; its key with its colon; the rest.
fn parts(line: &str) -> (&str, &str, &str) {
    let body = line.trim_start_matches(' ');
    let mut rest = body;
    while let Some(item) = rest.strip_prefix("- ") {
        rest = item.trim_start_matches(' ');
    }
    let indent = line.get(..line.len() - rest.len()).unwrap_or_default();
    let end = match rest.chars().next() {
        Some(quote @ ('"' | '\'')) => rest.get(1..).and_then(|inside| inside.find(quote)).map(|at| at + 2),
        Some('#' | '{' | '[' | '|' | '>' | '&' | '*' | '!') | None => None,
        Some(_) => Some(0),
    };
    let colon = end.and_then(|end| colon(rest, end));
    match colon {
        Some(colon) => (indent, rest.get(..=colon).unwrap_or_default(), rest.get(colon + 1..).unwrap_or_default()),
        None => (indent, "", rest),
    }
}

/// The position of the colon that ends a key, from `start` on.
fn colon(text: &str, start: usize) -> Option<usize> {
    let rest = text.get(start..)?;
    let ends_key =
        |at: usize| rest.get(at + 1..).is_some_and(|after| after.is_empty() || after.starts_with([' ', '\t']));
    let at = rest.match_indices(':').map(|(at, _)| at).find(|at| ends_key(*at))?;
    // A quoted text is a key only if its colon follows at once; text after the start of a comment is none.
    let is_key = if start > 0 { at == 0 } else { !rest.get(..at)?.contains(" #") };
    is_key.then_some(start + at)
}

/// Splits a value from the comment after it.
fn without_comment(value: &str) -> (&str, &str) {
    let mut quote = None;
    let mut before = ' ';
    for (at, sign) in value.char_indices() {
        match (quote, sign) {
            (Some(open), _) if open == sign => quote = None,
            (None, '"' | '\'') if before.is_whitespace() || matches!(before, '[' | '{' | ',') => quote = Some(sign),
            (None, '#') if before.is_whitespace() => return value.split_at(at),
            (Some(_) | None, _) => {}
        }
        before = sign;
    }
    (value, "")
}

/// Pushes a value's pieces: masks of secrets separate from the rest.
fn push_value<'a>(pieces: &mut Vec<(Piece, &'a str)>, value: &'a str) {
    let text = value.trim_start_matches([' ', '\t']);
    let (space, _) = value.split_at(value.len() - text.len());
    pieces.push((Piece::Plain, space));
    let is_marked = |after: &&str| after.is_empty() || after.starts_with([' ', '\t']);
    if let Some(after) = text.strip_prefix(SECRET_TAG).filter(is_marked) {
        let (tag, _) = text.split_at(text.len() - after.len());
        pieces.push((Piece::Secret, tag));
        return push_value(pieces, after);
    }
    let kind = kind(text.trim_end());
    let mut rest = text;
    while let Some(at) = rest.find(HIDDEN) {
        let (before, from) = rest.split_at(at);
        let (mark, after) = from.split_at(HIDDEN.len());
        pieces.extend([(kind, before), (Piece::Secret, mark)]);
        rest = after;
    }
    pieces.push((kind, rest));
}

fn kind(value: &str) -> Piece {
    match value.chars().next() {
        None | Some('{' | '[' | ']' | '}' | '|' | '>' | '&' | '*' | '!') => return Piece::Plain,
        Some('"' | '\'') => return Piece::Text,
        Some(_) => {}
    }
    if value.len() > WORD_MAX {
        return Piece::Text;
    }
    match yaml::parse(value) {
        Ok(Value::Null | Value::Bool(_) | Value::Number(_)) => Piece::Value,
        Ok(Value::String(_)) => Piece::Text,
        Ok(Value::Array(_) | Value::Object(_)) | Err(_) => Piece::Plain,
    }
}

#[cfg(test)]
mod tests {
    use super::Piece::{Comment, Key, Plain, Secret, Text, Value};
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    fn pieces(line: &str) -> Vec<(Piece, &str)> {
        Lines::default().pieces(line)
    }

    #[test]
    fn keys_and_comments_stand_apart() {
        assert_eq!(pieces("# why: so"), [(Comment, "# why: so")]);
        assert_eq!(pieces("  a: b"), [(Plain, "  "), (Key, "a:"), (Plain, " "), (Text, "b")]);
        assert_eq!(pieces("- a:"), [(Plain, "- "), (Key, "a:")]);
        assert_eq!(pieces("- - a: b"), [(Plain, "- - "), (Key, "a:"), (Plain, " "), (Text, "b")]);
        assert_eq!(pieces("- http://x"), [(Plain, "- "), (Text, "http://x")]);
        assert_eq!(pieces("'a: b': c"), [(Key, "'a: b':"), (Plain, " "), (Text, "c")]);
        assert_eq!(pieces("a: 'b # c' # d"), [(Key, "a:"), (Plain, " "), (Text, "'b # c' "), (Comment, "# d")]);
        assert_eq!(pieces("x # a: b"), [(Text, "x "), (Comment, "# a: b")]);
        assert_eq!(pieces("-a: b"), [(Key, "-a:"), (Plain, " "), (Text, "b")], "this dash is the key's");
        assert_eq!(pieces(""), []);
    }

    #[test]
    fn a_value_is_what_ansible_takes_it_for() {
        for value in ["1", "0.5", "yes", "off", "true", "null", "~", "0x1f", "1:30"] {
            assert_eq!(pieces(&format!("a: {value}")), [(Key, "a:"), (Plain, " "), (Value, value)], "{value}");
        }
        for text in ["one", "1.2.3", "'1'", "\"yes\"", "Yes please", "https://x.example/#y"] {
            assert_eq!(pieces(&format!("a: {text}")), [(Key, "a:"), (Plain, " "), (Text, text)], "{text}");
        }
        assert_eq!(pieces("a: {b: 1}"), [(Key, "a:"), (Plain, " "), (Plain, "{b: 1}")]);
    }

    #[test]
    fn the_mark_of_a_secret_is_seen_wherever_it_stands() {
        assert_eq!(
            pieces("P: \"••••••\" # x"),
            [(Key, "P:"), (Plain, " "), (Text, "\""), (Secret, HIDDEN), (Text, "\" "), (Comment, "# x")]
        );
        assert_eq!(
            pieces("U: https://me:••••••@host/"),
            [(Key, "U:"), (Plain, " "), (Text, "https://me:"), (Secret, HIDDEN), (Text, "@host/")]
        );
    }

    #[test]
    fn the_tag_of_a_secret_is_seen() {
        assert_eq!(
            pieces("A: !secret abc"),
            [(Key, "A:"), (Plain, " "), (Secret, "!secret"), (Plain, " "), (Text, "abc")]
        );
        assert_eq!(pieces("A: !secrets abc"), [(Key, "A:"), (Plain, " "), (Plain, "!secrets abc")]);
        let mut lines = Lines::default();
        lines.skip("A: !secret |");
        assert_eq!(lines.pieces("  b: c"), [(Text, "  b: c")]);
    }

    #[test]
    fn a_block_of_text_ends_where_its_key_is_indented() {
        let text = "a:\n  b: |\n    # text\n\n    c: 1\n  d: 2\nl:\n- >-\n  e: 3\n- f: |\n    g: 4\n  h: 5\n";
        let mut lines = Lines::default();
        let kinds: Vec<Vec<Piece>> =
            text.lines().map(|line| lines.pieces(line).into_iter().map(|(piece, _)| piece).collect()).collect();
        assert_eq!(kinds.get(2), Some(&vec![Text]), "no comment in there");
        assert_eq!(kinds.get(3), Some(&vec![Text]), "blank lines are part of it");
        assert_eq!(kinds.get(4), Some(&vec![Text]));
        assert_eq!(kinds.get(5), Some(&vec![Plain, Key, Plain, Value]));
        assert_eq!(kinds.get(8), Some(&vec![Text]));
        assert_eq!(kinds.get(9), Some(&vec![Plain, Key, Plain, Plain]));
        assert_eq!(kinds.get(10), Some(&vec![Text]));
        assert_eq!(kinds.get(11), Some(&vec![Plain, Key, Plain, Value]), "beside the key of the block");
        let mut skipping = Lines::default();
        for line in text.lines().take(3) {
            skipping.skip(line);
        }
        assert_eq!(skipping.pieces("    c: 1"), [(Text, "    c: 1")], "skipped lines count too");
    }

    #[test]
    fn the_pieces_are_the_line() {
        for line in ["  - a: 'b' # c", "\ta: b", "'open", "a:b", ": x", "é: ü •• ••••••", "- ", "-", "  "]
        {
            let text: String = pieces(line).into_iter().map(|(_, text)| text).collect();
            assert_eq!(text, line);
        }
    }
}

//! Enough of YAML's look to read it: keys and comments apart from values. Reads lines, understands nothing.

/// What a piece of a line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Piece {
    /// A key with its colon.
    Key,
    /// A comment.
    Comment,
    /// Anything else.
    Plain,
}

impl Piece {
    /// The class it is drawn with.
    pub const fn class(self) -> &'static str {
        match self {
            Self::Key => "key",
            Self::Comment => "comment",
            Self::Plain => "",
        }
    }
}

/// The pieces of a line, in order; put together they are the line.
pub fn pieces(line: &str) -> Vec<(Piece, &str)> {
    let body = line.trim_start_matches([' ', '-']);
    let indent = &line.get(..line.len() - body.len()).unwrap_or_default();
    if body.starts_with('#') {
        return vec![(Piece::Comment, line)];
    }
    let (key, value) = match body.split_once(':') {
        Some((key, value))
            if (value.is_empty() || value.starts_with(' ')) && !key.starts_with(['"', '\'', '{', '[']) =>
        {
            (body.get(..=key.len()).unwrap_or_default(), value)
        }
        Some(_) | None => ("", body),
    };
    [(Piece::Plain, *indent), (Piece::Key, key), (Piece::Plain, value)]
        .into_iter()
        .filter(|(_, text)| !text.is_empty())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn keys_and_comments_stand_apart() {
        assert_eq!(pieces("# why"), [(Piece::Comment, "# why")]);
        assert_eq!(pieces("  a: b"), [(Piece::Plain, "  "), (Piece::Key, "a:"), (Piece::Plain, " b")]);
        assert_eq!(pieces("- a:"), [(Piece::Plain, "- "), (Piece::Key, "a:")]);
        assert_eq!(pieces("- http://x"), [(Piece::Plain, "- "), (Piece::Plain, "http://x")]);
        assert_eq!(pieces(""), []);
    }
}

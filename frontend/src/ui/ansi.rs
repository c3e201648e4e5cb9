//! Parses ANSI colours in a line of output. Other control sequences are dropped.

/// How a part of a line is drawn.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Ink {
    pub is_bold: bool,
    /// One of the eight colours, 0 to 7.
    pub color: Option<u8>,
}

impl Ink {
    /// The CSS classes for this style.
    pub fn class(self) -> &'static str {
        match (self.is_bold, self.color) {
            (false, Some(1)) => "c1",
            (false, Some(2)) => "c2",
            (false, Some(3)) => "c3",
            (false, Some(4)) => "c4",
            (false, Some(5)) => "c5",
            (false, Some(6)) => "c6",
            (false, _) => "",
            (true, Some(1)) => "b c1",
            (true, Some(2)) => "b c2",
            (true, Some(3)) => "b c3",
            (true, Some(4)) => "b c4",
            (true, Some(5)) => "b c5",
            (true, Some(6)) => "b c6",
            (true, _) => "b",
        }
    }

    fn apply(&mut self, codes: &str) {
        for code in codes.split(';') {
            match code.parse().unwrap_or(0_u8) {
                0 => *self = Self::default(),
                1 => self.is_bold = true,
                22 => self.is_bold = false,
                color @ 30..=37 => self.color = Some(color - 30),
                color @ 90..=97 => self.color = Some(color - 90),
                39 => self.color = None,
                _ => {}
            }
        }
    }
}

/// The parts of a line, each with its style; no part is empty.
pub fn parts(line: &str) -> Vec<(Ink, String)> {
    let mut ink = Ink::default();
    let mut parts: Vec<(Ink, String)> = Vec::new();
    let mut rest = line;
    while let Some((text, after)) = rest.split_once('\u{1b}') {
        push(&mut parts, ink, text);
        rest = match after.strip_prefix('[') {
            Some(sequence) => match sequence.find(|end: char| ('@'..='~').contains(&end)) {
                Some(end) => {
                    let (codes, tail) = sequence.split_at(end);
                    if tail.starts_with('m') {
                        ink.apply(codes);
                    }
                    tail.get(1..).unwrap_or_default()
                }
                None => "",
            },
            None => after,
        };
    }
    push(&mut parts, ink, rest);
    parts
}

fn push(parts: &mut Vec<(Ink, String)>, ink: Ink, text: &str) {
    let text: String = text.chars().filter(|c| !c.is_control() || *c == '\t').collect();
    if text.is_empty() {
        return;
    }
    match parts.last_mut() {
        Some((last, words)) if *last == ink => words.push_str(&text),
        Some(_) | None => parts.push((ink, text)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    fn plain(color: Option<u8>, text: &str) -> (Ink, String) {
        (Ink { is_bold: false, color }, text.into())
    }

    #[test]
    fn colours_begin_and_end() {
        assert_eq!(parts("a \u{1b}[0;32mok\u{1b}[0m b"), [plain(None, "a "), plain(Some(2), "ok"), plain(None, " b")]);
        assert_eq!(parts("\u{1b}[1;31mX"), [(Ink { is_bold: true, color: Some(1) }, "X".into())]);
    }

    #[test]
    fn other_sequences_and_control_characters_vanish() {
        assert_eq!(parts("a\u{1b}[2Kb\u{7}c\r"), [plain(None, "abc")]);
        assert_eq!(parts("cut off \u{1b}[3"), [plain(None, "cut off ")]);
        assert_eq!(parts(""), []);
    }
}

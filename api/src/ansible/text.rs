//! Cleans a program's output for the log.

/// The text as a terminal would finally show it: of a line that was overwritten after a carriage return its last state;
/// without control characters, except line ends, tabs and colours (`ESC [ … m`), and without white space at its end.
pub(super) fn clean(text: &str) -> String {
    let mut kept = Kept { text: String::with_capacity(text.len()), ..Kept::default() };
    let mut rest = text.trim_end();
    while let Some(character) = rest.chars().next() {
        let length = match character {
            '\u{1b}' => {
                let (length, is_colour) = escape(rest);
                if is_colour {
                    kept.text.push_str(rest.get(..length).unwrap_or_default());
                }
                length
            }
            '\n' => {
                kept.end_line();
                1
            }
            '\r' => {
                kept.write_anew();
                1
            }
            '\t' => {
                kept.text.push(character);
                1
            }
            control if control.is_control() => control.len_utf8(),
            other => {
                kept.push(other);
                other.len_utf8()
            }
        };
        rest = rest.get(length..).unwrap_or_default();
    }
    kept.end()
}

/// The text for use outside a terminal: also without colours.
pub(super) fn plain(text: &str) -> String {
    let text = clean(text);
    let mut parts = text.split('\u{1b}');
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        plain.push_str(part.split_once('m').map_or("", |(_, rest)| rest));
    }
    plain
}

/// The cleaned text so far.
#[derive(Default)]
struct Kept {
    text: String,
    /// Offset of the present line.
    line: usize,
    /// Offset of the present line's latest state, begun by a carriage return.
    state: usize,
    /// The latest state has visible text, so it replaces the earlier ones.
    is_seen: bool,
}

impl Kept {
    fn push(&mut self, character: char) {
        if !self.is_seen && !character.is_whitespace() {
            self.is_seen = true;
            self.text.replace_range(self.line..self.state, "");
            self.state = self.line;
        }
        self.text.push(character);
    }

    /// Handles a carriage return. A state without visible text leaves the one before it.
    fn write_anew(&mut self) {
        if !self.is_seen {
            self.text.truncate(self.state);
        }
        self.is_seen = false;
        self.state = self.text.len();
    }

    fn end_line(&mut self) {
        if !self.is_seen && self.state > self.line {
            self.text.truncate(self.state);
        }
        self.text.push('\n');
        self.line = self.text.len();
        self.state = self.line;
        self.is_seen = false;
    }

    fn end(mut self) -> String {
        if !self.is_seen && self.state > self.line {
            self.text.truncate(self.state);
        }
        self.text
    }
}

/// The length of the escape sequence `text` begins with, and whether it sets a colour.
fn escape(text: &str) -> (usize, bool) {
    if !text.starts_with("\u{1b}[") {
        return (1, false);
    }
    let arguments = text.bytes().skip(2).take_while(|byte| (0x20..0x40).contains(byte)).count();
    let last = text.as_bytes().get(2 + arguments).copied();
    let is_whole = last.is_some_and(|byte| (0x40..0x7f).contains(&byte));
    (2 + arguments + usize::from(is_whole), last == Some(b'm'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_colours_and_removes_other_control_characters() {
        assert_eq!(clean("a\u{1b}[1;31mred\u{1b}[0m\tb\nc"), "a\u{1b}[1;31mred\u{1b}[0m\tb\nc");
        assert_eq!(clean("\u{1b}[2J\u{1b}[10;3Ha\u{7}b\u{0}\u{1b}]c\r\n"), "ab]c");
        assert_eq!(clean("cut \u{1b}[3"), "cut ");
        assert_eq!(clean("cut \u{1b}"), "cut ");
        assert_eq!(clean("é\u{1b}[é\u{9b}x"), "ééx");
        assert_eq!(plain("a\u{1b}[1;31mred\u{1b}[0m b\u{1b}[3"), "ared b");
    }

    #[test]
    fn a_line_written_anew_is_shown_in_its_last_state() {
        for (printed, shown) in [
            ("get 1%\rget 50%\rget 100%\n", "get 100%"),
            ("get 1%\rget 50%\rget 100%\ndone\r\n", "get 100%\ndone"),
            ("one\r\ntwo\r\r\nthree\r", "one\ntwo\nthree"),
            ("half\r\u{1b}[K", "half"),
            ("half\r      \rdone", "done"),
            ("half\r      \nnext", "half\nnext"),
            ("half\r      \r\nnext", "half\nnext"),
            ("a\n\r  b\n\rc", "a\n  b\nc"),
            ("1%\r\u{1b}[32m100%\u{1b}[0m", "\u{1b}[32m100%\u{1b}[0m"),
            ("  indented\n\n\tlines", "  indented\n\n\tlines"),
            ("\r\r\r", ""),
            ("é\rü", "ü"),
        ] {
            assert_eq!(clean(printed), shown, "{printed:?}");
        }
        let states: String = (0..200_000).map(|number| format!("\r{number}")).collect();
        assert_eq!(clean(&states), "199999");
        assert_eq!(clean(&format!("x{}", "\r".repeat(1_000_000))), "x");
    }
}

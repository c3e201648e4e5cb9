//! Makes text from outside safe to print: it cannot move the cursor, ring the bell or hide parts of itself.

/// Whether a character controls the terminal or the direction of text instead of being visible.
fn is_active(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// The text with every control character escaped (`\n`, `\u{1b}`).
pub fn shown(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    text.chars().for_each(|c| push(&mut shown, c));
    shown
}

fn push(shown: &mut String, c: char) {
    if is_active(c) { shown.extend(c.escape_default()) } else { shown.push(c) }
}

/// JSON text with active characters escaped: they occur only in strings, where `\u` is allowed.
pub fn shown_json(json: &str) -> String {
    let mut shown = String::with_capacity(json.len());
    for c in json.chars() {
        if c != '\n' && is_active(c) {
            shown.push_str(&format!("\\u{:04x}", u32::from(c)));
        } else {
            shown.push(c);
        }
    }
    shown
}

/// A log's text, which may have several lines and ANSI colours: control characters except tabs are escaped; colours are
/// kept if wanted and dropped otherwise; further lines are indented, so that none looks like another entry.
pub fn shown_log(text: &str, keeps_colours: bool, indent: usize) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut is_coloured = false;
    let mut rest = text.trim_end_matches(['\n', '\r']);
    while let Some(c) = rest.chars().next() {
        if let Some(length) = colour_length(rest) {
            let (colour, after) = rest.split_at(length);
            if keeps_colours {
                shown.push_str(colour);
                is_coloured = true;
            }
            rest = after;
            continue;
        }
        rest = rest.get(c.len_utf8()..).unwrap_or_default();
        match c {
            '\n' => {
                shown.push('\n');
                shown.extend(std::iter::repeat_n(' ', indent));
            }
            '\r' if rest.starts_with('\n') => {}
            '\t' => shown.push('\t'),
            c => push(&mut shown, c),
        }
    }
    if is_coloured {
        shown.push_str("\u{1b}[0m");
    }
    shown
}

/// The length of the SGR sequence (`ESC [ digits and semicolons m`) at the beginning of a text.
fn colour_length(text: &str) -> Option<usize> {
    let parameters = text.strip_prefix("\u{1b}[")?;
    let end = parameters.find(|c: char| !c.is_ascii_digit() && c != ';' && c != ':')?;
    parameters.get(end..)?.starts_with('m').then_some(2 + end + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_act_is_written_out() {
        assert_eq!(shown("a\u{1b}[2Jb\nc\u{202e}ü"), "a\\u{1b}[2Jb\\nc\\u{202e}ü");
        assert_eq!(shown_json("{\n\"a\": \"\u{9b}2J\u{7f}\"}"), "{\n\"a\": \"\\u009b2J\\u007f\"}");
    }

    #[test]
    fn a_log_keeps_its_lines_and_to_a_terminal_its_colours() {
        let text = "\u{1b}[31mred\u{1b}[0m\n2026 INFO forged\u{1b}]0;title\u{7}\u{1b}[2J\n";
        let rest = "\n    2026 INFO forged\\u{1b}]0;title\\u{7}\\u{1b}[2J";
        assert_eq!(shown_log(text, false, 4), format!("red{rest}"));
        assert_eq!(shown_log(text, true, 4), format!("\u{1b}[31mred\u{1b}[0m{rest}\u{1b}[0m"));
        assert_eq!(shown_log("a\r\nb\rc\td", true, 1), "a\n b\\rc\td");
        assert_eq!(shown_log("\u{1b}[31", true, 0), "\\u{1b}[31");
    }
}

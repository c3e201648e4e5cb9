//! Warnings about white space and punctuation that look like other characters but are part of a text or a name.

use super::Advice;
use super::entries::{Entry, Seen, Text};

/// Warnings about unusual characters in a text.
pub(super) fn advice(text: &str, entries: &[Entry]) -> Vec<Advice> {
    let mut found = Vec::new();
    for entry in entries {
        found.extend(odd(&entry.key, false).map(|what| Advice {
            line: entry.line,
            detail: format!("The name `{}` has {what} in it, which is part of the name.", visible(&entry.key)),
        }));
        if entry.key.trim() != entry.key && !entry.key.trim().is_empty() {
            found.push(Advice {
                line: entry.line,
                detail: format!("The name `{}` begins or ends with a space.", visible(&entry.key)),
            });
        }
        match &entry.value {
            Seen::Scalar(value) => found.extend(of_value(entry, value)),
            Seen::List(items) => found.extend(items.iter().filter_map(|item| of_value(entry, item))),
            Seen::Nothing | Seen::Other => {}
        }
    }
    found.extend(tabs(text, entries));
    found
}

fn of_value(entry: &Entry, value: &Text) -> Option<Advice> {
    let key = visible(&entry.key);
    let line = value.line;
    if let Some(what) = odd(&value.text, !value.is_plain) {
        return Some(Advice {
            line,
            detail: format!("A value of `{key}` has {what} in it, which is part of the text."),
        });
    }
    if value.is_plain && value.text.starts_with(['\u{201c}', '\u{201d}', '\u{2018}', '\u{2019}', '«', '„']) {
        return Some(Advice {
            line,
            detail: format!("The quotes around a value of `{key}` are part of the text: only \" and ' quote in YAML."),
        });
    }
    let is_padded = !value.is_plain && !value.is_block && value.text.trim() != value.text;
    (is_padded && value.text.contains(char::is_alphanumeric)).then(|| Advice {
        line,
        detail: format!(
            "A value of `{key}` begins or ends with white space inside its quotes, which is part of the text."
        ),
    })
}

/// The first unusual character of a text, in words. A no-break space in quotes is taken as intended.
fn odd(text: &str, is_quoted: bool) -> Option<String> {
    let what = |character| match character {
        '\u{a0}' | '\u{202f}' | '\u{2007}' if !is_quoted => Some("a no-break space"),
        '\u{1680}' | '\u{2000}'..='\u{2006}' | '\u{2008}'..='\u{200a}' | '\u{205f}' | '\u{3000}' if !is_quoted => {
            Some("a space of another width")
        }
        '\u{ad}' | '\u{200b}'..='\u{200d}' | '\u{2060}' | '\u{feff}' => Some("an invisible character"),
        '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {
            Some("a mark of the writing direction")
        }
        '\u{ff1a}' | '\u{fe55}' | '\u{2236}' if !is_quoted => Some("a colon that is none to YAML"),
        _ => None,
    };
    text.chars().find_map(|character| what(character).map(|what| format!("{what} (U+{:04X})", u32::from(character))))
}

/// The text with each invisible character replaced by its number, `<U+200B>`.
fn visible(text: &str) -> String {
    let shown = |character: char| match character {
        '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}' => {
            format!("<U+{:04X}>", u32::from(character))
        }
        character if character.is_control() => format!("<U+{:04X}>", u32::from(character)),
        character => character.to_string(),
    };
    text.chars().map(shown).collect()
}

/// Warnings about tabs between a key and its value, which PyYAML refuses.
fn tabs(text: &str, entries: &[Entry]) -> Vec<Advice> {
    let lines: Vec<&str> = text.lines().collect();
    let has_tab = |entry: &&Entry| {
        let line = lines.get(entry.line.saturating_sub(1)).copied().unwrap_or_default();
        let rest: String = line.chars().skip(entry.column).collect();
        let name = entry.key.len() + if entry.is_quoted { 2 } else { 0 };
        let behind = rest.get(name..).unwrap_or_default();
        let gap: String = behind.chars().take_while(|letter| matches!(letter, ' ' | '\t' | ':')).collect();
        gap.contains('\t')
    };
    entries
        .iter()
        .filter(has_tab)
        .map(|entry| Advice {
            line: entry.line,
            detail: format!(
                "There is a tab beside the colon of `{}`. Use a space: Ansible's own reader refuses a tab here.",
                visible(&entry.key)
            ),
        })
        .collect()
}

//! The forms in which a secret may be printed.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};

use super::SHORTEST;

/// What URLs leave as it is, besides letters and digits: RFC 3986; Python's `quote`; JavaScript's `encodeURIComponent`;
/// forms (`application/x-www-form-urlencoded`).
const UNRESERVED: [&str; 4] = ["-._~", "-._~/", "-._~!'()*", "-._*"];
/// So many letters of base64 stand on a line, where programs break it.
const LINES: [usize; 2] = [64, 76];

/// Every form of every secret, each once.
pub(super) fn of(secrets: &[String]) -> Vec<String> {
    let mut forms = BTreeSet::new();
    for secret in secrets {
        let lines = secret.lines().map(str::trim);
        for part in lines.chain([secret.as_str(), secret.trim()]).filter(|part| part.len() >= SHORTEST) {
            add(part, &mut forms);
        }
    }
    forms.into_iter().collect()
}

fn add(part: &str, forms: &mut BTreeSet<String>) {
    forms.insert(part.to_owned());
    for escaped in [json(part), ascii_json(part)] {
        // JSON inside of JSON, as Ansible prints what a module was given.
        forms.insert(json(&escaped));
        forms.insert(escaped);
    }
    for unreserved in UNRESERVED {
        for space in ["%20", "+"] {
            let escaped = percent(part, unreserved, space);
            forms.insert(lower_case_codes(&escaped));
            forms.insert(escaped);
        }
    }
    for engine in [&STANDARD_NO_PAD, &URL_SAFE_NO_PAD] {
        add_base64(engine, part.as_bytes(), forms);
    }
}

/// As it stands between the quotes of JSON.
fn json(text: &str) -> String {
    let quoted = serde_json::Value::from(text).to_string();
    quoted.get(1..quoted.len().saturating_sub(1)).unwrap_or_default().to_owned()
}

/// The same as Python writes it: nothing but ASCII.
fn ascii_json(text: &str) -> String {
    let mut escaped = String::new();
    for character in json(text).chars() {
        if character.is_ascii() {
            escaped.push(character);
        } else {
            for unit in character.encode_utf16(&mut [0; 2]) {
                // Writing to a string cannot fail.
                let _ = write!(escaped, "\\u{unit:04x}");
            }
        }
    }
    escaped
}

fn percent(text: &str, unreserved: &str, space: &str) -> String {
    let mut escaped = String::new();
    for byte in text.bytes() {
        let character = char::from(byte);
        if character.is_ascii_alphanumeric() || unreserved.contains(character) {
            escaped.push(character);
        } else if byte == b' ' {
            escaped.push_str(space);
        } else {
            // Writing to a string cannot fail.
            let _ = write!(escaped, "%{byte:02X}");
        }
    }
    escaped
}

/// `%2F` as `%2f`.
fn lower_case_codes(escaped: &str) -> String {
    let mut left = 0;
    let lower = |character: char| {
        if character == '%' {
            left = 2;
            return character;
        }
        if left > 0 {
            left -= 1;
            return character.to_ascii_lowercase();
        }
        character
    };
    escaped.chars().map(lower).collect()
}

/// Base64 of the secret alone, with and without padding, and what of it stands in the base64 of any longer text: the
/// letters that only the secret decides, after none, one and two bytes of something else.
fn add_base64(engine: &impl base64::Engine, secret: &[u8], forms: &mut BTreeSet<String>) {
    let whole = engine.encode(secret);
    if !whole.len().is_multiple_of(4) {
        forms.insert(format!("{whole:=<width$}", width = whole.len().next_multiple_of(4)));
    }
    for width in LINES.into_iter().filter(|width| whole.len() > *width) {
        let lines = whole.as_bytes().chunks(width).filter_map(|line| std::str::from_utf8(line).ok());
        forms.extend(lines.filter(|line| line.len() >= SHORTEST).map(str::to_owned));
    }
    forms.insert(whole);
    for before in 0..3 {
        let mut bytes = vec![0; before];
        bytes.extend_from_slice(secret);
        let encoded = engine.encode(&bytes);
        // A letter holds six bits: of the letters that hold bits of `before` bytes, and of what follows, nothing is known.
        let start = (before * 8).div_ceil(6);
        let end = bytes.len() * 8 / 6;
        forms.extend(encoded.get(start..end).filter(|core| core.len() >= SHORTEST).map(str::to_owned));
    }
}

//! Escaped forms of a text, as languages and formats write it between quotes.

use std::collections::BTreeSet;
use std::fmt::Write as _;

/// Characters that URL encoders leave unescaped, besides letters and digits: RFC 3986; Python's `quote`; JavaScript's
/// `encodeURIComponent`; forms (`application/x-www-form-urlencoded`).
const UNRESERVED: [&str; 4] = ["-._~", "-._~/", "-._~!'()*", "-._*"];
/// Characters that are special in a shell; `printf %q` escapes them with a backslash.
const SHELL: &str = " !\"#$&'()*,;<=>?@[\\]^`{|}~";

pub(super) fn add(part: &str, forms: &mut BTreeSet<String>) {
    let mut escaped = vec![json(part), ascii(&json(part), json_unit)];
    for quote in ['\'', '"'] {
        escaped.push(python(part, quote));
        escaped.push(ascii(&python(part, quote), python_character));
    }
    escaped.push(bytes(part));
    escaped.extend(shell(part));
    for inner in escaped {
        // Escaped again in JSON, as Ansible prints module arguments.
        forms.insert(json(&inner));
        forms.insert(inner);
    }
    for unreserved in UNRESERVED {
        for space in ["%20", "+"] {
            let escaped = percent(part, unreserved, space);
            forms.insert(lower_case_codes(&escaped));
            forms.insert(escaped);
        }
    }
    forms.extend(html(part));
    forms.insert(quoted_printable(part));
    // YAML and SQL.
    forms.insert(part.replace('\'', "''"));
}

/// The text as escaped between the quotes of a JSON string.
fn json(text: &str) -> String {
    let quoted = serde_json::Value::from(text).to_string();
    quoted.get(1..quoted.len().saturating_sub(1)).unwrap_or_default().to_owned()
}

/// Escapes all non-ASCII characters with `escape`.
fn ascii(text: &str, escape: fn(char, &mut String)) -> String {
    let mut escaped = String::new();
    for character in text.chars() {
        if character.is_ascii() { escaped.push(character) } else { escape(character, &mut escaped) }
    }
    escaped
}

fn json_unit(character: char, out: &mut String) {
    for unit in character.encode_utf16(&mut [0; 2]) {
        // Writing to a string cannot fail.
        let _ = write!(out, "\\u{unit:04x}");
    }
}

fn python_character(character: char, out: &mut String) {
    let _ = match u32::from(character) {
        code @ 0..=0xff => write!(out, "\\x{code:02x}"),
        code @ 0x100..=0xffff => write!(out, "\\u{code:04x}"),
        code => write!(out, "\\U{code:08x}"),
    };
}

/// The text as escaped between the quotes of Python's `repr`.
fn python(text: &str, quote: char) -> String {
    let mut escaped = String::new();
    for character in text.chars() {
        match character {
            '\\' => escaped.push_str("\\\\"),
            '\n' => escaped.push_str("\\n"),
            '\r' => escaped.push_str("\\r"),
            '\t' => escaped.push_str("\\t"),
            _ if character == quote => escaped.extend(['\\', quote]),
            _ if character.is_control() => python_character(character, &mut escaped),
            _ => escaped.push(character),
        }
    }
    escaped
}

/// The text as escaped between the quotes of Python's `b'…'`.
fn bytes(text: &str) -> String {
    let mut escaped = String::new();
    for character in python(text, '\'').chars() {
        if character.is_ascii() {
            escaped.push(character);
            continue;
        }
        for byte in character.encode_utf8(&mut [0; 4]).bytes() {
            let _ = write!(escaped, "\\x{byte:02x}");
        }
    }
    escaped
}

/// Shell quoting: two ways to put a quote in single quotes, double quotes, `$'…'` (with octal and hexadecimal bytes),
/// and backslashes.
fn shell(text: &str) -> Vec<String> {
    let with_backslashes = |special: &str| {
        let mut escaped = String::new();
        for character in text.chars() {
            if special.contains(character) {
                escaped.push('\\');
            }
            escaped.push(character);
        }
        escaped
    };
    let mut octal = String::new();
    for character in python(text, '\'').chars() {
        if character.is_ascii() {
            octal.push(character);
        } else {
            for byte in character.encode_utf8(&mut [0; 4]).bytes() {
                let _ = write!(octal, "\\{byte:03o}");
            }
        }
    }
    vec![
        text.replace('\'', "'\\''"),
        text.replace('\'', "'\"'\"'"),
        with_backslashes("\"$`\\"),
        with_backslashes("\"$`\\!"),
        with_backslashes(SHELL),
        octal,
    ]
}

fn html(text: &str) -> Vec<String> {
    let plain = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let quoted = plain.replace('"', "&quot;");
    let decimal = plain.replace('"', "&#34;");
    vec![
        quoted.replace('\'', "&#39;"),
        quoted.replace('\'', "&#x27;"),
        quoted.replace('\'', "&apos;"),
        decimal.replace('\'', "&#39;"),
        quoted,
        plain,
    ]
}

fn quoted_printable(text: &str) -> String {
    let mut escaped = String::new();
    for byte in text.bytes() {
        if byte == b'=' || !(byte == b' ' || byte.is_ascii_graphic()) {
            let _ = write!(escaped, "={byte:02X}");
        } else {
            escaped.push(char::from(byte));
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

/// Percent codes in lower case: `%2F` becomes `%2f`.
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

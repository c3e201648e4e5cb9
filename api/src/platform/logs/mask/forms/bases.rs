//! Encodings of bytes as text: base64, base32, hexadecimal.

use std::collections::BTreeSet;

use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};

use super::super::LONG;

/// Line lengths at which programs wrap base64, in characters.
const LINES: [usize; 2] = [64, 76];
const BASE32: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

pub(super) fn add(part: &str, forms: &mut BTreeSet<String>) {
    let bytes = part.as_bytes();
    for engine in [&STANDARD_NO_PAD, &URL_SAFE_NO_PAD] {
        add_base64(engine, bytes, forms);
    }
    add_aligned(bytes, (5, 8), forms, &base32);
    for separator in ["", ":", " ", "\\x"] {
        let lower = hex(bytes, separator);
        forms.insert(lower.to_uppercase().replace("\\X", "\\x"));
        forms.insert(lower);
    }
}

fn hex(bytes: &[u8], separator: &str) -> String {
    let parts: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let text = parts.join(separator);
    if separator == "\\x" { format!("{separator}{text}") } else { text }
}

/// Base64 of the secret alone, with and without padding, and the part of it that is in the base64 of any longer text.
fn add_base64(engine: &impl base64::Engine, secret: &[u8], forms: &mut BTreeSet<String>) {
    let whole = engine.encode(secret);
    for width in LINES.into_iter().filter(|width| whole.len() > *width) {
        let lines = whole.as_bytes().chunks(width).filter_map(|line| std::str::from_utf8(line).ok());
        forms.extend(lines.filter(|line| line.len() >= LONG).map(str::to_owned));
    }
    add_aligned(secret, (3, 4), forms, &|bytes| engine.encode(bytes));
}

/// The encoded secret, with and without padding, and the characters that depend on the secret alone if 0 or more other
/// bytes precede it. Groups of `bytes` are encoded as `letters` characters.
fn add_aligned(
    secret: &[u8],
    (bytes, letters): (usize, usize),
    forms: &mut BTreeSet<String>,
    encode: &dyn Fn(&[u8]) -> String,
) {
    let whole = encode(secret);
    if !whole.len().is_multiple_of(letters) {
        forms.insert(format!("{whole:=<width$}", width = whole.len().next_multiple_of(letters)));
    }
    forms.insert(whole);
    let bits = bytes * 8 / letters;
    for before in 0..bytes {
        let mut longer = vec![0; before];
        longer.extend_from_slice(secret);
        let encoded = encode(&longer);
        // Characters that also hold bits of the preceding bytes, or of what follows, are unknown.
        let start = (before * 8).div_ceil(bits);
        let end = longer.len() * 8 / bits;
        forms.extend(encoded.get(start..end).filter(|core| core.len() >= LONG).map(str::to_owned));
    }
}

/// Base32 (RFC 4648) without padding.
fn base32(bytes: &[u8]) -> String {
    let mut text = String::new();
    let (mut bits, mut count) = (0_u32, 0);
    for byte in bytes {
        bits = (bits << 8) | u32::from(*byte);
        count += 8;
        while count >= 5 {
            count -= 5;
            push(&mut text, bits >> count);
        }
        bits &= (1 << count) - 1;
    }
    if count > 0 {
        push(&mut text, bits << (5 - count));
    }
    text
}

fn push(text: &mut String, bits: u32) {
    let letter = usize::try_from(bits & 31).ok().and_then(|place| BASE32.get(place));
    text.extend(letter.map(|letter| char::from(*letter)));
}

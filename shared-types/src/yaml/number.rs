//! Numbers as PyYAML's patterns and constructors read them (YAML 1.1): underscores, bases 2, 8, 10, 16 and 60; a float
//! needs a dot, and its exponent a sign.

use serde_json::{Number, Value};

use super::typed::{self, Kind};

/// The most decimal digits of a number: the limit of Python.
const MAX_DIGITS: usize = 4_300;
const TOO_LARGE: &str = "this number has more than 4300 digits; put it in quotes to keep it as a text";

/// Reads a plain scalar as an integer; `None` when it is none.
///
/// # Errors
/// A sentence for the user if the text has the form of an integer but cannot be kept.
pub(super) fn integer(text: &str) -> Option<Result<Value, &'static str>> {
    let (is_negative, unsigned) = split_sign(text);
    let magnitude = if let Some(digits) = unsigned.strip_prefix("0b").filter(|d| all(d, |b| matches!(b, b'0' | b'1'))) {
        in_base(digits, 2)
    } else if let Some(digits) = unsigned.strip_prefix("0x").filter(|d| all(d, |b| b.is_ascii_hexdigit())) {
        in_base(digits, 16)
    } else if unsigned == "0" {
        Ok("0".to_owned())
    } else if let Some(digits) = unsigned.strip_prefix('0').filter(|d| all(d, |b| matches!(b, b'0'..=b'7'))) {
        if digits.bytes().all(|b| b == b'_') { Ok("0".to_owned()) } else { in_base(digits, 8) }
    } else if unsigned.starts_with(|c: char| matches!(c, '1'..='9')) && all(unsigned, |b| b.is_ascii_digit()) {
        in_base(unsigned, 10)
    } else if unsigned.starts_with(|c: char| matches!(c, '1'..='9')) && is_sexagesimal(unsigned) {
        in_base_60(unsigned)
    } else {
        return None;
    };
    Some(magnitude.map(|magnitude| signed(is_negative, &magnitude)))
}

/// Reads a plain scalar as a float; `None` when it is none.
///
/// # Errors
/// A sentence for the user if the text has the form of a float but cannot be kept.
pub(super) fn float(text: &str) -> Option<Result<Value, &'static str>> {
    let (is_negative, unsigned) = split_sign(text);
    let has_sign = unsigned.len() != text.len();
    match unsigned {
        ".inf" | ".Inf" | ".INF" => return Some(Ok(infinite(is_negative))),
        ".nan" | ".NaN" | ".NAN" if !has_sign => return Some(Ok(typed::encoded(Kind::Float, ".nan").into())),
        _ => {}
    }
    let (whole, rest) = unsigned.split_once('.')?;
    if whole.contains(':') {
        let is_float = is_sexagesimal(whole) && (rest.is_empty() || all(rest, |b| b.is_ascii_digit()));
        return is_float.then(|| Ok(signed_float(is_negative, base_60_float(unsigned))));
    }
    let (fraction, exponent) = match rest.find(['e', 'E']) {
        Some(at) => (rest.get(..at)?, rest.get(at + 1..)),
        None => (rest, None),
    };
    let whole_is_fine = if whole.is_empty() {
        !has_sign && fraction.starts_with(|c: char| c.is_ascii_digit())
    } else {
        whole.starts_with(|c: char| c.is_ascii_digit()) && all(whole, |b| b.is_ascii_digit())
    };
    let fraction_is_fine = fraction.is_empty() || all(fraction, |b| b.is_ascii_digit());
    let exponent_is_fine = exponent.is_none_or(|exponent| {
        exponent
            .strip_prefix(['-', '+'])
            .is_some_and(|digits| !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()))
    });
    (whole_is_fine && fraction_is_fine && exponent_is_fine)
        .then(|| Ok(signed_float(is_negative, decimal(&unsigned.replace('_', "")))))
}

/// Reads a value with the tag `!!float`: any decimal number.
pub(super) fn any_float(text: &str) -> Option<Result<Value, &'static str>> {
    let plain = text.replace('_', "");
    let is_decimal =
        !plain.is_empty() && plain.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'e' | b'E' | b'-' | b'+'));
    float(text).or_else(|| {
        is_decimal.then(|| decimal(&plain)).filter(|value| !value.is_nan()).map(|value| Ok(signed_float(false, value)))
    })
}

fn split_sign(text: &str) -> (bool, &str) {
    text.strip_prefix('-').map_or_else(|| (false, text.strip_prefix('+').unwrap_or(text)), |rest| (true, rest))
}

/// Whether the text is not empty and has only underscores and such digits.
fn all(text: &str, is_digit: fn(u8) -> bool) -> bool {
    !text.is_empty() && text.bytes().all(|b| b == b'_' || is_digit(b))
}

/// Whether the text is in base 60, like `190:20:30`: digits first, then parts below 60.
fn is_sexagesimal(text: &str) -> bool {
    let mut parts = text.split(':');
    let first = parts.next().unwrap_or_default();
    let mut rest = parts.peekable();
    first.starts_with(|c: char| c.is_ascii_digit())
        && all(first, |b| b.is_ascii_digit())
        && rest.peek().is_some()
        && rest.all(|part| match part.as_bytes() {
            [one] => one.is_ascii_digit(),
            [ten, one] => matches!(ten, b'0'..=b'5') && one.is_ascii_digit(),
            _ => false,
        })
}

fn in_base(digits: &str, base: u32) -> Result<String, &'static str> {
    let digits = digits.replace('_', "");
    if digits.is_empty() {
        return Err("this begins like a number and has no digits; put it in quotes to keep it as a text");
    }
    let mut sum = Large::default();
    // A number of so many digits is below 2^30 in every base.
    let width = if base == 2 { 28 } else { 7 };
    for chunk in digits.as_bytes().chunks(width) {
        let text = std::str::from_utf8(chunk).map_err(|_| TOO_LARGE)?;
        let value = u32::from_str_radix(text, base).map_err(|_| TOO_LARGE)?;
        sum.append(base.pow(u32::try_from(chunk.len()).map_err(|_| TOO_LARGE)?), value)?;
    }
    sum.decimal()
}

fn in_base_60(text: &str) -> Result<String, &'static str> {
    let text = text.replace('_', "");
    let mut sum = Large::default();
    let mut parts = text.split(':');
    for digit in parts.next().unwrap_or_default().bytes() {
        sum.append(10, u32::from(digit.saturating_sub(b'0')))?;
    }
    for part in parts {
        sum.append(60, part.parse().map_err(|_| TOO_LARGE)?)?;
    }
    sum.decimal()
}

/// A whole number of any size: digits in base 10^9, the lowest first.
#[derive(Default)]
struct Large(Vec<u64>);

impl Large {
    const BASE: u64 = 1_000_000_000;

    /// Appends a digit: multiplies by `factor`, then adds it.
    fn append(&mut self, factor: u32, digit: u32) -> Result<(), &'static str> {
        let mut carry = u64::from(digit);
        for limb in &mut self.0 {
            let value = *limb * u64::from(factor) + carry;
            (*limb, carry) = (value % Self::BASE, value / Self::BASE);
        }
        while carry > 0 {
            self.0.push(carry % Self::BASE);
            carry /= Self::BASE;
        }
        if self.0.len() * 9 > MAX_DIGITS + 9 { Err(TOO_LARGE) } else { Ok(()) }
    }

    fn decimal(&self) -> Result<String, &'static str> {
        let mut text = String::new();
        for (index, limb) in self.0.iter().rev().enumerate() {
            text.push_str(&if index == 0 { limb.to_string() } else { format!("{limb:09}") });
        }
        match text.len() {
            0 => Ok("0".to_owned()),
            length if length > MAX_DIGITS => Err(TOO_LARGE),
            _ => Ok(text),
        }
    }
}

/// Adds in the same order as PyYAML, so that the last bit is the same.
fn base_60_float(text: &str) -> f64 {
    let mut base = 1.0;
    text.replace('_', "").rsplit(':').fold(0.0, |sum, part| {
        let sum = sum + decimal(part) * base;
        base *= 60.0;
        sum
    })
}

fn signed(is_negative: bool, magnitude: &str) -> Value {
    let text = if is_negative && magnitude != "0" { format!("-{magnitude}") } else { magnitude.to_owned() };
    let number = text.parse::<i64>().map(Number::from).or_else(|_| text.parse::<u64>().map(Number::from));
    number.map_or_else(|_| typed::encoded(Kind::Integer, &text).into(), Value::Number)
}

fn signed_float(is_negative: bool, magnitude: f64) -> Value {
    let number = if is_negative { -magnitude } else { magnitude };
    Number::from_f64(number).map_or_else(|| infinite(number < 0.0), Value::Number)
}

fn infinite(is_negative: bool) -> Value {
    typed::encoded(Kind::Float, if is_negative { "-.inf" } else { ".inf" }).into()
}

/// Parses a decimal number, rounded to the nearest; NaN if the text is no number.
#[cfg(not(target_arch = "wasm32"))]
pub(super) fn decimal(text: &str) -> f64 {
    text.parse().unwrap_or(f64::NAN)
}

/// Uses the browser's parser, which rounds alike (ECMAScript, 7.1.4.1) and saves the tables for it in WebAssembly.
#[cfg(target_arch = "wasm32")]
pub(super) fn decimal(text: &str) -> f64 {
    f64::try_from(&wasm_bindgen::JsValue::from_str(text)).unwrap_or(f64::NAN)
}

//! Warnings about values that do not mean what they look like.

use super::super::scalar::{self, Plain};
use super::super::timestamp;
use super::Advice;
use super::entries::{Entry, Seen, Text};

/// Warnings about the value of one entry.
pub(super) fn advice(entry: &Entry, text: &str) -> Vec<Advice> {
    match &entry.value {
        Seen::Nothing => emptied(entry, text).into_iter().collect(),
        Seen::Scalar(value) => of_scalar(entry, value).into_iter().collect(),
        Seen::List(items) => items.iter().filter_map(|item| as_number(&entry.key, item)).collect(),
        Seen::Other => Vec::new(),
    }
}

/// Warns about a key without a value if a comment behind it or below it looks like one.
fn emptied(entry: &Entry, text: &str) -> Option<Advice> {
    let key = &entry.key;
    let mut lines = text.lines().skip(entry.line.saturating_sub(1));
    let own = lines.next().unwrap_or_default();
    let until = entry.next_line.unwrap_or(usize::MAX).saturating_sub(entry.line + 1);
    let comments = lines.take(until).map(str::trim_start).filter(|line| line.starts_with('#'));
    if comments.filter(|line| is_like_yaml(line)).count() > 0 {
        return Some(Advice {
            line: entry.line,
            detail: format!(
                "`{key}` is empty: every line below it is a comment. It is null, and replaces what would stand there without \
                 it. Write `{key}: {{}}` for an empty map, or make the line of `{key}` a comment too."
            ),
        });
    }
    let behind = own.split_once(": #").or_else(|| own.split_once(":  #"))?.1;
    let is_word = behind.starts_with(|first: char| !first.is_whitespace() && first != '#');
    is_word.then(|| Advice {
        line: entry.line,
        detail: format!("`{key}` is empty: a `#` begins a comment. Put the value in quotes if the `#` is part of it."),
    })
}

/// Whether a comment holds an entry of a map or an item of a list.
fn is_like_yaml(comment: &str) -> bool {
    let inside = comment.trim_start_matches(['#', ' ', '\t']);
    let key = inside.split_once(':').filter(|(_, rest)| rest.is_empty() || rest.starts_with(' ')).map(|(key, _)| key);
    inside.starts_with("- ") || key.is_some_and(|key| !key.is_empty() && !key.trim_matches(['"', '\'']).contains(' '))
}

fn of_scalar(entry: &Entry, value: &Text) -> Option<Advice> {
    let Entry { key, line, .. } = entry;
    if value.is_plain && value.line > *line {
        let word = value.text.split(' ').next().unwrap_or_default();
        let glued = word.split_once(':').is_some_and(|(name, rest)| {
            !name.is_empty() && !rest.is_empty() && !rest.starts_with("//") && name.chars().all(is_of_name)
        });
        if glued {
            return Some(Advice {
                line: value.line,
                detail: format!(
                    "The value of `{key}` is one text, and no map: a colon that ends a key needs a space behind it."
                ),
            });
        }
        if word.starts_with('-') && word.chars().nth(1).is_some_and(char::is_alphabetic) {
            return Some(Advice {
                line: value.line,
                detail: format!(
                    "The value of `{key}` is one text, and no list: the `-` of an item needs a space behind it."
                ),
            });
        }
    }
    as_number(key, value)
}

fn is_of_name(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || matches!(letter, '_' | '-' | '.')
}

/// Warns about a text without quotes that YAML 1.1 reads as an unexpected number or as a date.
fn as_number(key: &str, value: &Text) -> Option<Advice> {
    let Text { text, line, is_plain, has_tag, .. } = value;
    if !is_plain || *has_tag {
        return None;
    }
    let digits = text.trim_start_matches(['+', '-']);
    let is_octal = digits.len() > 1 && digits.starts_with('0') && digits.bytes().all(|byte| byte.is_ascii_digit());
    let what = match scalar::resolve(text) {
        Ok(Plain::Value(serde_json::Value::Number(_))) if is_octal => "as an octal number",
        Ok(Plain::Value(serde_json::Value::Number(_))) if digits.contains(':') => "as a number in base 60",
        Ok(Plain::Value(_)) if timestamp::timestamp(text).is_some() => "as a date",
        Ok(_) | Err(_) => return None,
    };
    let detail = format!("A value of `{key}` is read {what}. Put it in quotes to keep it as a text.");
    Some(Advice { line: *line, detail })
}

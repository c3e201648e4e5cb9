//! The forms in which a secret may be printed.

mod bases;
mod escapes;

use std::collections::BTreeSet;

use super::{LONG, SHORT};

/// All forms of a secret, and of each of its lines that is long enough.
pub(super) fn of(secret: &str) -> BTreeSet<String> {
    let mut forms = BTreeSet::new();
    let lines = secret.lines().map(str::trim).filter(|line| line.len() >= LONG);
    for part in lines.chain([secret, secret.trim()]).filter(|part| part.len() >= SHORT) {
        forms.insert(part.to_owned());
        escapes::add(part, &mut forms);
        bases::add(part, &mut forms);
    }
    forms
}

/// How a short value is written after its variable's name: the text before it, and the text that must follow.
pub(super) fn named(name: &str) -> Vec<(String, &'static str)> {
    const QUOTES: [&str; 4] = ["", "\"", "'", "\\\""];
    let mut forms = Vec::new();
    for around in QUOTES {
        for quote in QUOTES {
            for separator in ["=", ": ", ":"] {
                forms.push((format!("{around}{name}{around}{separator}{quote}"), quote));
            }
        }
    }
    forms
}

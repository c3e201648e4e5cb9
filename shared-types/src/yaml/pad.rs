//! Indents lines that the parser needs indented but PyYAML does not: inside `{ }`, `[ ]` and quotes, PyYAML ignores
//! indentation. The lines are indented before the text is read.

use std::collections::BTreeSet;

use saphyr_parser::{Parser, ScanError};

use super::YamlError;

/// Spaces to add: more than the lines around are indented by.
const PAD: usize = 256;
/// The most bytes that all repeated reads may take together.
const MAX_READ: usize = 30_000_000;

/// A text with some lines indented.
pub(super) struct Padded {
    /// The text with those lines indented.
    pub text: String,
    lines: BTreeSet<usize>,
}

impl Padded {
    /// The error, with its place in the original text.
    pub fn original(&self, mut error: YamlError) -> YamlError {
        if self.lines.contains(&error.line) {
            error.column = error.column.saturating_sub(PAD).max(1);
        }
        error
    }
}

/// The text with every line indented that the parser needs indented; none if there is no such line.
pub(super) fn padded(text: &str) -> Option<Padded> {
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    if lines.len() < 2 || text.contains('\r') && !text.contains('\n') {
        return None;
    }
    let mut found = BTreeSet::new();
    let mut padded = text.to_owned();
    let pad = " ".repeat(PAD);
    let mut left = MAX_READ;
    while let Some(fault) = fault(&padded) {
        let Some(line) = wanted(&fault, &lines, &found) else { break };
        left = left.checked_sub(padded.len())?;
        found.insert(line);
        padded = join(&lines, &found, &pad);
    }
    (!found.is_empty()).then_some(Padded { text: padded, lines: found })
}

fn join(lines: &[&str], padded: &BTreeSet<usize>, pad: &str) -> String {
    let mut text = String::new();
    for (index, line) in lines.iter().enumerate() {
        if padded.contains(&(index + 1)) {
            text.push_str(pad);
        }
        text.push_str(line);
    }
    text
}

fn fault(text: &str) -> Option<ScanError> {
    Parser::new_from_str(text).find_map(Result::err)
}

/// The line, from 1, that is to be indented so that the parser gets further.
fn wanted(fault: &ScanError, lines: &[&str], padded: &BTreeSet<usize>) -> Option<usize> {
    let (line, column) = (fault.marker().line(), fault.marker().col());
    match fault.info() {
        "invalid indentation in flow construct" | "invalid indentation" => (!padded.contains(&line)).then_some(line),
        // The parser names the place where the quote opens.
        "invalid indentation in quoted scalar" => {
            let is_short = |text: &str| {
                let indent = text.len() - text.trim_start_matches(' ').len();
                indent <= column && !text.trim().is_empty()
            };
            let after = lines.iter().enumerate().skip(line);
            after
                .map(|(index, text)| (index + 1, text))
                .find(|(at, text)| is_short(text) && !padded.contains(at))
                .map(|(at, _)| at)
        }
        _ => None,
    }
}

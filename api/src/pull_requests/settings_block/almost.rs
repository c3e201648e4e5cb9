//! Warns about blocks that are not read although their authors may think so: the heading is misspelled, or other text
//! stands between it and the block.
//!
//! Only a code block that looks like settings (marked as YAML, or a map) causes a warning. Prose about settings, and
//! code of another kind below such a heading, do not.

use serde_json::Value;
use shared_types::{FieldWarning, yaml};

use super::body::{is_heading, line_number};
use super::fence::Fence;

/// The word of the heading, in lower case.
const WORD: &str = "settings";
/// Words that a misspelled heading may also have.
const BESIDE: &[&str] = &["yaml", "yml", "block"];
/// The most lines of text between a heading and a block that causes a warning.
const MAX_BETWEEN: usize = 2;

/// The last heading that a block might belong to.
#[derive(Debug, Default)]
pub(super) struct Almost(Option<Heading>);

#[derive(Debug)]
struct Heading {
    /// The index of its line, from 0, as in `between`.
    line: usize,
    is_exact: bool,
    /// The first line after it that keeps a block from being read.
    between: Option<usize>,
    /// How many lines of text follow it.
    texts: usize,
    /// Whether the fence is on the heading's own line.
    is_inline: bool,
}

/// A code block that is not read as settings.
#[derive(Debug)]
pub(super) struct Unread<'a> {
    pub(super) fence: &'a Fence,
    /// The line that opens it.
    pub(super) line: &'a str,
    pub(super) inner: &'a [&'a str],
    /// Whether a block was read already.
    pub(super) is_second: bool,
}

impl Almost {
    /// Takes a line that is outside of code blocks.
    pub(super) fn look(&mut self, at: usize, line: &str) {
        let is_inline = inline_heading(line);
        if is_inline || is_almost(line) {
            let is_exact = is_heading(line);
            self.0 = Some(Heading { line: at, is_exact, between: None, texts: 0, is_inline });
            return;
        }
        let Some(heading) = &mut self.0 else { return };
        if heading.is_inline || line.trim().is_empty() {
            return;
        }
        heading.between.get_or_insert(at);
        // A line of signs only is a rule or underlines the heading, and does not count.
        heading.texts += usize::from(!words(line).is_empty());
        if heading.texts > MAX_BETWEEN || is_any_heading(line) {
            self.0 = None;
        }
    }

    /// The warning about a code block that is not read, which begins at this line.
    pub(super) fn warn(&self, at: usize, block: &Unread<'_>) -> Option<FieldWarning> {
        let heading = self.0.as_ref()?;
        if block.line.trim_start().starts_with('>') || !looks_like_settings(heading, block) {
            return None;
        }
        let (line, detail) = match heading {
            Heading { is_inline: true, line, .. } => (
                *line,
                "The code block begins on the line of its heading, so it is not read as **Settings**. Write `**Settings**` on a \
                 line of its own, and the fence (```) on the next line.",
            ),
            Heading { is_exact: false, line, .. } => (
                *line,
                "This heading is almost **Settings**; its block is not read. Write `**Settings**` on a line of its own, directly \
                 above the fence (```).",
            ),
            Heading { between: Some(between), .. } => (
                *between,
                "This line stands between **Settings** and the block below it, which is not read. Write `**Settings**` directly \
                 above the fence (```).",
            ),
            Heading { .. } if !block.fence.is_plain => (
                at,
                "The block below **Settings** is not read, because it is indented or in a list. Write at most three spaces before \
                 its fence (```).",
            ),
            Heading { .. } if block.is_second => (
                at,
                "Only the first block below **Settings** is read; this one is not. Move its lines into the first one.",
            ),
            Heading { .. } => return None,
        };
        let line = Some(line_number(line));
        Some(FieldWarning { pointer: "/extra_settings".to_owned(), line, detail: detail.to_owned() })
    }
}

fn looks_like_settings(heading: &Heading, block: &Unread<'_>) -> bool {
    if heading.is_inline {
        return true;
    }
    let info = block.line.trim_start_matches(|c| c != '`' && c != '~').trim_start_matches(['`', '~']).trim();
    let language = info.split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default().to_ascii_lowercase();
    if matches!(language.as_str(), "yaml" | "yml") {
        return true;
    }
    match yaml::parse(&block.inner.join("\n")) {
        Ok(Value::Object(map)) => !map.is_empty(),
        Ok(Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_)) => false,
        // Probably settings with a mistake: other code would name its language.
        Err(_) => language.is_empty() && heading.texts == 0,
    }
}

/// A heading with the fence behind it: `**Settings** ```yaml`.
fn inline_heading(line: &str) -> bool {
    let fence = ["```", "~~~"].into_iter().find_map(|sign| line.split_once(sign));
    fence.is_some_and(|(before, after)| is_almost(before) && !after.contains(['`', '~']))
}

/// Whether a line says only «settings», ignoring signs and invisible characters.
fn is_almost(line: &str) -> bool {
    // A quotation belongs to another text.
    if line.trim_start().starts_with('>') {
        return false;
    }
    let words = words(line);
    // `1. Settings` is in a list.
    let mut words = words.iter().map(String::as_str).skip_while(|word| word.bytes().all(|b| b.is_ascii_digit()));
    let mut count = 0;
    words.all(|word| {
        count += usize::from(is_misspelled(word));
        is_misspelled(word) || BESIDE.contains(&word)
    }) && count == 1
}

/// The words of a line in lower case, without HTML tags, signs and invisible characters.
fn words(line: &str) -> Vec<String> {
    let mut is_tag = false;
    let text: String = line
        .replace("&nbsp;", " ")
        .chars()
        .filter(|c| {
            is_tag = (is_tag || *c == '<') && *c != '>';
            !is_tag && (c.is_alphanumeric() || c.is_whitespace())
        })
        .collect();
    text.split_whitespace().map(str::to_lowercase).collect()
}

/// Whether a word is the heading's, with at most one letter added, missing, wrong or swapped with the next.
fn is_misspelled(word: &str) -> bool {
    let (word, right): (Vec<char>, Vec<char>) = (word.chars().collect(), WORD.chars().collect());
    let start = word.iter().zip(&right).take_while(|(a, b)| a == b).count();
    let rest = |from: &[char], skip: usize| from.get(start + skip..).unwrap_or_default().to_vec();
    let is_swapped = || {
        let mut swapped = word.clone();
        if start + 1 < swapped.len() {
            swapped.swap(start, start + 1);
        }
        swapped == right
    };
    word == right
        || (word.len() == right.len() && rest(&word, 1) == rest(&right, 1))
        || (word.len() == right.len() + 1 && rest(&word, 1) == rest(&right, 0))
        || (word.len() + 1 == right.len() && rest(&word, 0) == rest(&right, 1))
        || (word.len() == right.len() && is_swapped())
}

/// Whether a line is any heading: `## Tests`, `**Tests**`.
fn is_any_heading(line: &str) -> bool {
    let line = line.trim();
    line.starts_with('#') || (line.len() > 4 && line.starts_with("**") && line.trim_end_matches(':').ends_with("**"))
}

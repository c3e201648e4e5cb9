//! Finds the settings block in a body, and the lines of the body that GitHub shows.
//!
//! A heading is a line of two signs, `Settings`, two signs (`**Settings**`; signs are neither letters, digits nor spaces),
//! with up to three spaces before it and any after. After it, and after blank lines, a code block begins as in CommonMark: at
//! least three backticks or tildes, up to three spaces before them, any language after them. It ends with at least as many.
//! The first such block counts.
//!
//! - A heading without a code block after it is ignored.
//! - HTML comments are ignored: templates of pull requests use them for explanations. A comment that is not closed
//!   hides the rest, as it does on GitHub.
//! - A heading inside another code block is ignored: it is an example. A fence that is never closed begins no such code
//!   block; for the settings' own fence, that is an error.

use shared_types::FieldWarning;
use shared_types::yaml::{self, Advice};

use super::almost::{Almost, Unread};
use super::comments::Comments;
use super::fence::{Fence, Fences};
use super::{MAX_BLOCK_BYTES, MAX_BODY_BYTES, Trouble};
use crate::instances::previews::Previews;

/// The most warnings about blocks that are not read.
const MAX_WARNINGS: usize = 5;
/// The most warnings about variables of the block that is read.
const MAX_ADVICE: usize = 10;

/// A block of settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Block {
    /// The lines, each with an LF at its end.
    pub(super) text: String,
    /// How many spaces of indentation were removed from each line.
    cut: Vec<usize>,
    /// The body's line with the opening fence; the text begins on the next one.
    pub(super) opened: u32,
    /// The body's line with the closing fence.
    pub(super) closed: u32,
}

/// The contents of a body.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) block: Option<Block>,
    /// The lines that GitHub shows, without comments.
    pub(super) shown: Vec<String>,
    /// Blocks that are not read, and why.
    pub(super) warnings: Vec<FieldWarning>,
}

impl Block {
    /// The body's line number of a line of the text; both count from 1.
    pub(super) fn line_in_body(&self, line: usize) -> u32 {
        let line = u32::try_from(line).unwrap_or(u32::MAX);
        self.opened.saturating_add(line).min(self.closed)
    }

    /// Unexpected effects of the variables on an instance at `domain`, at most [`MAX_ADVICE`]; line numbers are of the
    /// body.
    pub(super) fn advice(&self, previews: &Previews, domain: &str) -> impl Iterator<Item = FieldWarning> {
        let mut found = yaml::advice(&self.text);
        found.extend((previews.advice)(domain, &self.text));
        found.sort_by_key(|advice| advice.line);
        found.into_iter().take(MAX_ADVICE).map(|Advice { line, detail }| FieldWarning {
            pointer: "/extra_settings".to_owned(),
            line: Some(self.line_in_body(line)),
            detail,
        })
    }

    /// A trouble in a line of the text; lines count from 1.
    pub(super) fn trouble_at(&self, line: usize, detail: &str) -> Trouble {
        Trouble::new(self.line_in_body(line), detail)
    }

    /// The trouble for a text that is no valid YAML.
    pub(super) fn no_yaml(&self, error: &yaml::YamlError) -> Trouble {
        let cut = error.line.checked_sub(1).and_then(|index| self.cut.get(index));
        // An error at the end of the text has no column.
        let column = cut.and_then(|cut| u32::try_from(error.column + cut).ok());
        Trouble { column, ..self.trouble_at(error.line, &error.message) }
    }

    /// A trouble with a top-level key or its value.
    pub(super) fn trouble_of_key(&self, key: &str, detail: &str) -> Trouble {
        self.trouble_where(|place| place.depth == 1 && place.is_key && place.text == key, |text| text == key, detail)
    }

    /// A trouble at the first place that `is_wanted`; else at the first text that `is_such` (aliases have no place of
    /// their own), else at the block.
    pub(super) fn trouble_where(
        &self,
        is_wanted: impl Fn(&yaml::Place) -> bool,
        is_such: impl Fn(&str) -> bool,
        detail: &str,
    ) -> Trouble {
        let places = yaml::places(&self.text);
        let found = places.iter().find(|place| is_wanted(place)).or_else(|| places.iter().find(|p| is_such(&p.text)));
        match found {
            Some(place) => self.trouble_at(place.line, detail),
            None => Trouble::new(self.opened, detail),
        }
    }
}

/// The body with LF line ends and without a byte order mark.
///
/// # Errors
/// A [`Trouble`] if the body is too long, at the line where the limit is reached.
pub(super) fn with_plain_ends(body: &str) -> Result<String, Trouble> {
    let plain = |text: &str| text.replace("\r\n", "\n").replace('\r', "\n");
    if body.len() > MAX_BODY_BYTES {
        let end = body.floor_char_boundary(MAX_BODY_BYTES);
        let line = line_number(plain(body.get(..end).unwrap_or_default()).matches('\n').count());
        let detail = format!(
            "the description has {} bytes; at most {MAX_BODY_BYTES} are read, so it must be shorter",
            body.len()
        );
        return Err(Trouble::new(line, &detail));
    }
    Ok(plain(body.strip_prefix('\u{feff}').unwrap_or(body)))
}

/// Finds the block, the shown lines and the warnings.
///
/// # Errors
/// A [`Trouble`] if the block is too long or never closed.
pub(super) fn find(lines: &[&str]) -> Result<Found, Trouble> {
    let mut found = Found { block: None, shown: Vec::with_capacity(lines.len()), warnings: Vec::new() };
    let mut almost = Almost::default();
    let mut fences = Fences::default();
    let mut comments = Comments::of(lines);
    let mut is_headed = false;
    let mut at = 0;
    while let Some(line) = lines.get(at) {
        let fence = if comments.is_open() { None } else { Fence::opened_by(line) };
        let is_asked = is_headed && found.block.is_none() && fence.is_some_and(|fence| fence.is_plain);
        let rest = lines.get(at + 1..).unwrap_or_default();
        let end = fence.as_ref().and_then(|fence| fences.end_of(fence, rest));
        if let Some(fence) = fence.as_ref().filter(|_| !is_asked) {
            let inner = rest.get(..end.unwrap_or(rest.len())).unwrap_or_default();
            let warning = almost.warn(at, &Unread { fence, line, inner, is_second: found.block.is_some() });
            found.warnings.extend(warning.filter(|_| found.warnings.len() < MAX_WARNINGS));
        }
        match (fence, end) {
            (Some(fence), Some(length)) => {
                let inner = rest.get(..length).unwrap_or_default();
                if is_asked {
                    found.block = Some(block(&fence, at, inner)?);
                }
                found.shown.extend(inner.iter().map(|line| (*line).to_owned()));
                is_headed = false;
                almost = Almost::default();
                at += length + 2;
            }
            (Some(_), None) if is_asked => {
                let detail = "the settings that begin here are never closed: put a line of ``` after them";
                return Err(Trouble::new(line_number(at), detail));
            }
            (Some(_) | None, _) => {
                let shown = comments.taken_out(at, line);
                is_headed = is_heading(&shown) || (is_headed && shown.trim().is_empty());
                almost.look(at, &shown);
                found.shown.push(shown);
                at += 1;
            }
        }
    }
    Ok(found)
}

/// The number, from 1, of the line at an index.
pub(super) fn line_number(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(u32::MAX).saturating_add(1)
}

fn block(fence: &Fence, at: usize, inner: &[&str]) -> Result<Block, Trouble> {
    let (mut text, mut cut) = (String::new(), Vec::with_capacity(inner.len()));
    for (index, line) in inner.iter().enumerate() {
        // The fence's own indentation is not part of the text.
        let spaces = line.bytes().take(fence.indent).take_while(|b| *b == b' ').count();
        cut.push(spaces);
        text.push_str(line.get(spaces..).unwrap_or_default());
        text.push('\n');
        if text.len() > MAX_BLOCK_BYTES {
            let detail = format!(
                "the settings are too long: they may have {MAX_BLOCK_BYTES} bytes, so remove what is not needed"
            );
            return Err(Trouble::new(line_number(at + 1 + index), &detail));
        }
    }
    Ok(Block { text, cut, opened: line_number(at), closed: line_number(at + 1 + inner.len()) })
}

pub(super) fn is_heading(line: &str) -> bool {
    let is_sign = |c: char| !c.is_alphanumeric() && !c.is_whitespace() && !c.is_control();
    let words = line.trim_end();
    let begun = words.trim_start_matches(' ');
    words.len() - begun.len() <= 3
        && begun.split_once("Settings").is_some_and(|(before, after)| {
            [before, after].iter().all(|signs| signs.chars().count() == 2 && signs.chars().all(is_sign))
        })
}

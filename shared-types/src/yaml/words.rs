//! Rewrites the parser's messages for people, and moves them to the place where people look for the error.

use super::MAX_DEPTH;

/// The parser's messages and their replacements. A message that is not listed is clear enough.
const WORDS: &[(&str, &str)] = &[
    ("mapping values are not allowed", "a `: ` is not allowed here; put a text that contains one in quotes"),
    ("illegal placement of ':'", "a `: ` is not allowed here; put a text that contains one in quotes"),
    ("mapping keys are not allowed", "a key is not allowed here"),
    (
        "block sequence entries are not allowed",
        "a list item (`- `) is not allowed here; begin the list on a line of its own",
    ),
    ("did not find expected key", "a key is expected here; check this line's indentation"),
    ("did not find expected '-' indicator", "a list item (`- `) is expected here; check this line's indentation"),
    ("did not find expected ',' or '}'", "a `,` or the closing `}` is missing before this"),
    ("expected ',' or ']'", "a `,` or the closing `]` is missing before this"),
    ("found unexpected end of stream", "the quote that opens here or before is never closed"),
    ("unexpected eof", "the text ends too early: something is not closed"),
    ("found unexpected document indicator", "the document ends inside a quoted text: a quote is not closed"),
    ("invalid trailing content", "after a quoted text the line must end; put all of it into the quotes"),
    ("simple key expect", "this line is neither a `key: value` nor part of the value before it; a `: ` is missing"),
    ("invalid indentation in flow", "inside `{ }` or `[ ]` every line must be indented more than the key"),
    ("invalid indentation in quoted", "every line of a quoted text must be indented more than its key"),
    ("invalid indentation", "this line must be indented more than the key it belongs to"),
    ("wrongly indented line in block scalar", "this line is indented less than the text block it would belong to"),
    ("block scalar content cannot start with a tab", "a text block must be indented with spaces, not tabs"),
    ("tab cannot be used", "lines must be indented with spaces, not tabs"),
    ("tabs disallowed", "lines must be indented with spaces, not tabs"),
    ("must be followed by a valid YAML whitespace", "the colon of a key needs a space behind it, not a tab"),
    ("found a tab", "a tab is not allowed here; use spaces"),
    ("found unknown anchor", "there is no anchor (`&name`) of this name before this alias"),
    ("unknown escape character", "this is no escape that YAML knows; double the backslash, or use single quotes"),
    ("expected hexadecimal number", "the escape needs more hexadecimal digits"),
    ("recursion limit exceeded", ""),
    ("misplaced bracket", "this bracket closes nothing"),
    ("unexpected character", "a text may not begin with this character; put it in quotes"),
    ("cannot start with '-'", "a text may not begin with this character; put it in quotes"),
    ("found unprintable character", "this character is not allowed; write it as an escape (`\\x00`) in double quotes"),
    ("did not find expected node content", "a value is expected here"),
    (
        "did not find expected <document start>",
        "this belongs to nothing before it; is it indented less than the first line?",
    ),
    ("the handle wasn't declared", "tags with a handle of their own are not allowed"),
    ("byte order mark", "a byte order mark is not allowed inside the text; remove the invisible character"),
];

/// The message for people, given the parser's.
pub(super) fn in_words(info: &str) -> String {
    match WORDS.iter().find(|(theirs, _)| info.contains(theirs)) {
        Some((_, "")) => too_deep(),
        Some((_, ours)) => (*ours).to_owned(),
        None => info.to_owned(),
    }
}

/// Whether a message says that lines inside brackets or quotes are not indented enough.
pub(super) fn is_about_indentation(message: &str) -> bool {
    const THEIRS: [&str; 3] = ["invalid indentation in flow", "invalid indentation in quoted", "invalid indentation"];
    WORDS.iter().any(|(theirs, ours)| THEIRS.contains(theirs) && *ours == message)
}

/// The place to name: the parser notices some errors only where the next node begins, behind the mark of a list item,
/// or after the end.
pub(super) fn position(text: &str, info: &str, line: usize, column: usize) -> (usize, usize) {
    let lines: Vec<&str> = text.lines().take(line).collect();
    let begin = |text: &str| 1 + text.chars().take_while(|c| *c == ' ').count();
    if info.contains("simple key expect") {
        let seen = if column > 1 { line } else { line.saturating_sub(1) };
        let words = lines.iter().enumerate().take(seen).rfind(|(_, text)| !text.trim().is_empty());
        return words.map_or((line, column), |(index, text)| (index + 1, begin(text)));
    }
    match lines.last() {
        Some(last) if lines.len() < line => (lines.len(), 1 + last.chars().count()),
        Some(last) if info.contains("did not find expected key") && last.trim_start().starts_with("- ") => {
            (line, begin(last))
        }
        Some(_) | None => (line, column),
    }
}

/// The message about too many levels.
pub(super) fn too_deep() -> String {
    format!("nested deeper than {MAX_DEPTH} levels")
}

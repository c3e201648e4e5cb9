//! Reads which databases a body asks for: «pr12.sandbox.example.com (with persistent databases)».

/// The characters of a host name's labels beside letters and digits.
const INNER: [char; 2] = ['-', '_'];

/// Whether the body asks for ephemeral databases; `None` when it asks for neither kind. The first line with the domain
/// and such words directly after it counts, ignoring case. The domain must not be a part of a longer host name.
pub(super) fn asked_for(lines: &[String], domain: &str) -> Option<bool> {
    let domain = domain.to_ascii_lowercase();
    if domain.is_empty() {
        return None;
    }
    lines.iter().find_map(|line| kind(after(&line.to_ascii_lowercase(), &domain)?))
}

/// The rest of the line after the first mention of the domain.
fn after<'a>(line: &'a str, domain: &str) -> Option<&'a str> {
    line.match_indices(domain).find_map(|(at, found)| {
        let (before, after) = (line.get(..at)?, line.get(at + found.len()..)?);
        (!goes_on_before(before) && !goes_on_after(after)).then_some(after)
    })
}

/// Whether the host name begins earlier: `x.`, `x-`, `x`. Underscores alone are Markdown: `_pr12.example.com_`.
fn goes_on_before(before: &str) -> bool {
    before.trim_end_matches('_').ends_with(is_inner) || before.ends_with(['.', '-'])
}

/// Whether the host name goes on: `.x`, `-x`, `x`. A dot without a name after it ends a sentence.
fn goes_on_after(after: &str) -> bool {
    after.strip_prefix('.').unwrap_or(after).trim_start_matches('_').starts_with(is_inner)
}

fn is_inner(c: char) -> bool {
    c.is_alphanumeric() || INNER.contains(&c)
}

fn kind(text: &str) -> Option<bool> {
    let mut previous = "";
    // Markdown signs are skipped: `**ephemeral** databases`.
    let words = text.split(|c: char| c.is_whitespace() || matches!(c, '*' | '_' | '`' | '-'));
    for word in words.filter(|word| !word.is_empty()) {
        let first = word.split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default();
        if matches!(first, "database" | "databases") {
            match previous.rsplit(|c: char| !c.is_alphanumeric()).next().unwrap_or_default() {
                "ephemeral" => return Some(true),
                "persistent" => return Some(false),
                _ => {}
            }
        }
        previous = word;
    }
    None
}

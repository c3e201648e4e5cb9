//! The expected lines of a playbook's run.
//!
//! Lines are compared literally, except that `*` matches any text. A line with the prefix `@2.10,2.12 ` applies to
//! these releases only, one with `@not:2.10 ` to all others; one with `~ ` may repeat, also zero times, as polls do.

use std::fs;
use std::path::Path;

/// The differences, one per line; empty if there are none.
pub fn differences(playbook: &Path, release: &str, seen: &[String]) -> Vec<String> {
    let path = playbook.join("expected.txt");
    let Ok(text) = fs::read_to_string(&path) else {
        if std::env::var_os("OCIM_WRITE_CORPUS").is_some() {
            fs::write(&path, format!("{}\n", seen.join("\n"))).unwrap();
        }
        return vec!["nothing is expected of it yet".to_owned()];
    };
    let expected: Vec<&str> = text.lines().filter_map(|line| of_release(line, release)).collect();
    let (mut differences, mut seen) = (Vec::new(), seen.iter().map(|line| line.trim_end()).peekable());
    for wanted in expected {
        match wanted.strip_prefix("~ ") {
            Some(repeated) => while seen.next_if(|line| matches(repeated, line)).is_some() {},
            None => match seen.next() {
                Some(line) if matches(wanted, line) => {}
                line => differences.push(format!("expected {wanted:?}, seen {:?}", line.unwrap_or("nothing"))),
            },
        }
    }
    differences.extend(seen.map(|line| format!("not expected: {line:?}")));
    differences
}

fn of_release<'a>(line: &'a str, release: &str) -> Option<&'a str> {
    let Some(line) = line.strip_prefix('@') else { return Some(line) };
    let (releases, rest) = line.split_once(' ').unwrap_or((line, ""));
    let is_named = |names: &str| names.split(',').any(|name| name == release);
    match releases.strip_prefix("not:") {
        Some(names) => (!is_named(names)).then_some(rest),
        None => is_named(releases).then_some(rest),
    }
}

/// Whether the text matches the pattern, in which each `*` matches any text.
fn matches(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.trim_end().split('*');
    let Some(rest) = text.strip_prefix(parts.next().unwrap_or_default()) else { return false };
    let parts: Vec<&str> = parts.collect();
    let Some((last, middle)) = parts.split_last() else { return rest.is_empty() };
    let mut rest = rest;
    for part in middle {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

#[test]
fn a_star_stands_for_anything() {
    for (pattern, text, is_match) in [
        ("a", "a", true),
        ("a", "ab", false),
        ("a*", "ab", true),
        ("*b", "ab", true),
        ("a*c*e", "abcde", true),
        ("a*c*e", "abde", false),
        ("a*a", "a", false),
    ] {
        assert_eq!(matches(pattern, text), is_match, "{pattern} {text}");
    }
    assert_eq!(of_release("@2.10,2.12 x", "2.12"), Some("x"));
    assert_eq!(of_release("@not:2.10 x", "2.10"), None);
    assert_eq!(of_release("@2.10", "2.10"), Some(""));
}

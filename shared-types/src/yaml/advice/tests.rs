#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use super::super::{markable, parse_map, with_mark};
use super::advice;

fn told(text: &str) -> Vec<(usize, String)> {
    advice(text).into_iter().map(|one| (one.line, one.detail)).collect()
}

/// Asserts one warning, in this line, that contains these words.
fn one(text: &str, line: usize, words: &str) {
    let found = told(text);
    assert_eq!(found.len(), 1, "{text:?}: {found:?}");
    assert!(found[0].0 == line && found[0].1.contains(words), "{text:?}: {found:?}");
}

#[test]
fn ordinary_settings_get_no_advice() {
    let text = "# Features of the platform: all of them\nEDXAPP_FEATURES:\n  # ENABLE_X: why not\n  ENABLE_NOTES: true\n\
                EDXAPP_LANG: \"de\"\nPORTS: [80, 443]\nURL: http://x.example:80/#a\nTEXT: |\n  b:1\n  -c\n\
                EMPTY:\nNULL_VALUE: ~ # none: yet\nVERSION: \"1.10\"\nIMAGE: nginx:1.2\nMODE: '0644'\nSPACE: \" \"\n\
                LIST:\n- a\n- b: 1\nFOLDED: one\n  two: three\n";
    assert_eq!(told(text.strip_suffix("FOLDED: one\n  two: three\n").unwrap()), []);
    assert_eq!(told(""), []);
    assert_eq!(told("a: ["), [], "what cannot be read is refused instead");
}

#[test]
fn a_map_of_comments_is_empty() {
    one(
        "EDXAPP_FEATURES:\n  # ENABLE_NOTES: true\nB: 1\n",
        1,
        "`EDXAPP_FEATURES` is empty: every line below it is a comment",
    );
    one("A:\n  B:\n    # - c\n\n    # d\n", 2, "`B` is empty");
    one("A:\n# b: 1\n", 1, "`A` is empty");
    one("A: # b: 1\n  # c: 1\nB: 1", 1, "`A` is empty");
    one("X_COLOUR: #fff\nB: 1", 1, "a `#` begins a comment");
    assert_eq!(told("A:\n  # words about it\nB: 1\n"), []);
    assert_eq!(told("A: # words about it\nB: 1\n"), []);
    assert_eq!(told("A:\n  # b: 1\n  c: 2\n"), []);
    assert_eq!(told("A: {}\n# b: 1\n"), []);
}

#[test]
fn names_that_ansible_ignores_or_obeys_are_told() {
    for (name, words) in [
        ("MY-VAR", "Ansible ignores the variable `MY-VAR`"),
        ("\"my var\"", "Ansible ignores"),
        ("a.b", "Ansible ignores"),
        ("2fast", "Ansible ignores"),
        ("größe", "Ansible ignores"),
        ("class", "a word of Python"),
        ("ansible_host", "a setting of Ansible's own"),
        ("environment", "a word of Ansible's own"),
        ("hosts", "a word of Ansible's own"),
        ("gather_facts", "a word of Ansible's own"),
    ] {
        one(&format!("A: 1\n{name}: x\n"), 2, words);
    }
    assert_eq!(told("A: {my-key: 1, class: 2, \"b c\": 3}\n"), [], "below the top a name is data");
}

#[test]
fn odd_letters_are_told_with_their_numbers() {
    one("A: x\u{a0}y\n", 1, "no-break space (U+00A0)");
    one("A:\n  b\u{200b}: 1\n", 2, "invisible character (U+200B)");
    one("A: \"x\u{202e}y\"\n", 1, "writing direction (U+202E)");
    one("A: [x, y\u{200d}]\n", 1, "invisible character (U+200D)");
    one("A: b\u{ff1a} c\n", 1, "a colon that is none");
    one("A: \u{201c}yes\u{201d}\n", 1, "quotes around a value of `A`");
    one("A: \" yes\"\n", 1, "white space inside its quotes");
    one("A: {\"b \": 1}\n", 1, "begins or ends with a space");
    one("A: \tx\n", 1, "a tab beside the colon");
    assert_eq!(told("A: \"x\u{a0}y\"\n"), [], "in quotes it is meant");
}

#[test]
fn values_that_are_something_else_than_they_look_are_told() {
    one("A:\n  b:1\n", 2, "needs a space");
    one("A:\n  b:1\n  c:2\n", 2, "needs a space");
    one("A:\n  -one\n  -two\n", 2, "no list");
    one("A: 0644\n", 1, "as an octal number");
    one("A: [1, 12:30:45]\n", 1, "in base 60");
    one("A: 2001-12-14\n", 1, "as a date");
    one("A: {on: 1}\n", 1, "read as `true`");
    one("A: {b: 1,\n b: 2}\n", 2, "stands in this map already, in line 1");
}

#[test]
fn advice_repeats_no_value() {
    for text in
        ["P_TOKEN: #hunter2\n", "P_TOKEN: hunter2\u{a0}\n", "P_TOKEN:\n  hunter2:x\n", "P_TOKEN: \" hunter2\"\n"]
    {
        let found = told(text);
        assert!(!found.is_empty() && !format!("{found:?}").contains("hunter2"), "{text}: {found:?}");
    }
}

#[test]
fn the_lock_marks_the_innermost_variable_of_a_line() {
    let text = "A: 1\nB:\n  c: [x,\n    y]\n\"d e\": |\n  z\n# é\nÜ: {f: 1}\nG: !!str 1\n";
    for (line, name, marked) in [
        (1, "A", "A: !secret 1\n"),
        (2, "B", "B: !secret\n"),
        (4, "c", "  c: !secret [x,\n"),
        (6, "d e", "\"d e\": !secret |\n"),
        (8, "f", "Ü: {f: !secret 1}\n"),
    ] {
        let variable = markable(text, line).unwrap();
        assert_eq!((variable.name.as_str(), variable.is_marked), (name, false), "{line}");
        let with = with_mark(text, &variable, true);
        assert!(with.contains(marked), "{with}");
        assert!(parse_map(&with).is_ok(), "{with}");
        let again = markable(&with, line).unwrap();
        assert!(again.is_marked, "{with}");
        assert_eq!(with_mark(&with, &again, false), text);
    }
    assert_eq!(markable(text, 9), None, "a value has one tag");
    assert_eq!(markable("", 1), None);
}

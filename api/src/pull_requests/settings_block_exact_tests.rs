//! Descriptions are read unchanged, and variables that choose the code are refused.
#![allow(clippy::unwrap_used)]

use super::is_same;
use super::tests::Out::{Text, Trouble as Wrong};
use super::tests::{check, read_known};

#[test]
fn what_decides_the_code_is_refused_with_what_to_do_instead() {
    let names = [
        "edx_platform_repo",
        "edx_platform_version",
        "EDX_PLATFORM_VERSION",
        "Edx_Platform_Repo",
        "edx_platform_commit",
    ];
    for name in names {
        let trouble = read_known(&format!("**Settings**\n```\nA: 1\n{name}: x\n```")).unwrap_err();
        assert_eq!(trouble.line, 4, "{trouble}");
        for words in [name, "head commit", "Remove the line", "open a pull request for it"] {
            assert!(trouble.detail.contains(words), "{words}: {trouble}");
        }
    }
    check(&[(
        "deeper it is data",
        "**Settings**\n```\nA: {edx_platform_repo: x}\n```",
        Text("A: {edx_platform_repo: x}\n"),
    )]);
}

#[test]
fn tabs_and_invisible_characters_stay_what_they_are() {
    check(&[
        ("a tab in a text block", "**Settings**\n```\nA: |\n  all:\n  \tgcc x\n```", Text("A: |\n  all:\n  \tgcc x\n")),
        ("a tab in quotes", "**Settings**\n```\nA: \"a\tb\"\n```", Text("A: \"a\tb\"\n")),
        ("marks of direction", "**Settings**\n```\nA: א\u{200f}ב\u{202e}\n```", Text("A: א\u{200f}ב\u{202e}\n")),
        ("no width", "**Settings**\n```\nA: a\u{200b}b\u{ad}\n```", Text("A: a\u{200b}b\u{ad}\n")),
        ("a tab before a key", "x\n**Settings**\n```\nA:\n B:\n\tC: 1\n```", Wrong(6, "tab")),
        ("a tab as indentation", "**Settings**\r\n```\r\nA:\r\n\tB: 1\r\n```", Wrong(4, "tab")),
        ("no character of a text", "**Settings**\n```\nA: a\u{0}\n```", Wrong(3, "U+0000")),
    ]);
    let trouble = read_known("**Settings**\n  ```\n  A: 1\n  B: c: d\n  ```").unwrap_err();
    assert_eq!((trouble.line, trouble.column), (4, Some(7)), "the column is the body's: {trouble}");
    assert!(trouble.to_string().starts_with("line 4, column 7: "), "{trouble}");
}

#[test]
fn a_block_that_was_stored_without_its_tabs_is_the_same_where_they_set_nothing() {
    for (one, other, expected) in [
        ("A: 1\n", "A: 1\n", true),
        ("A: 1 #\tone\n", "A: 1 # one\n", true),
        ("A: 1 # \u{200e}one\n", "A: 1 # one\n", true),
        ("A: |\n  x\ty\n", "A: |\n  x y\n", false),
        ("A: a\u{200f}b\n", "A: ab\n", false),
        ("A: 1\n", "A:  1\n", false),
        ("A: [\t\n", "A: [ \n", false),
    ] {
        assert_eq!(is_same(one, other), expected, "{one:?} {other:?}");
    }
}

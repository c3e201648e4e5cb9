//! The tests that docs/security.md names as evidence exist.

use std::collections::BTreeSet;
use std::path::Path as FilePath;

use super::{module, walk};

const DOCUMENT: &str = include_str!("../../../docs/security.md");

/// A cell may say why there is no test.
const UNTESTED: &str = "not tested: ";

/// The names of all tests of the API crate, as cargo prints them; those of unit tests in a file of its own have the name
/// of that file.
fn tests() -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for root in ["src", "tests"] {
        let root = FilePath::new(env!("CARGO_MANIFEST_DIR")).join(root);
        let mut paths = Vec::new();
        walk(&root, &mut paths);
        for path in paths {
            let place = module(path.strip_prefix(&root).unwrap()).join("::");
            for (inline, name) in tests_in(&std::fs::read_to_string(&path).unwrap()) {
                let parts = [place.as_str(), inline.as_str(), name.as_str()];
                found.insert(parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("::"));
            }
        }
    }
    found
}

/// The tests in a source file: the inline module that holds each, if any, and its name.
fn tests_in(text: &str) -> Vec<(String, String)> {
    let (mut found, mut inline, mut is_test) = (Vec::new(), String::new(), false);
    for line in text.lines() {
        let code = line.trim_start();
        match line.strip_prefix("mod ").and_then(|rest| rest.strip_suffix(" {")) {
            Some(name) => name.clone_into(&mut inline),
            None if line == "}" => inline.clear(),
            None => {}
        }
        if code.starts_with("#[") {
            is_test |= code.contains("test]") || code.contains("test(");
        } else if let Some(name) = name(code).filter(|_| is_test) {
            // A top-level function also ends with a brace at the margin; it is in no inline module.
            let module = if line == code { String::new() } else { inline.clone() };
            found.push((module, name.to_owned()));
            is_test = false;
        } else if !code.starts_with("//") {
            is_test = false;
        }
    }
    found
}

fn name(code: &str) -> Option<&str> {
    let code = code.strip_prefix("pub ").unwrap_or(code);
    let code = code.strip_prefix("async ").unwrap_or(code);
    code.strip_prefix("fn ")?.split(['(', '<']).next()
}

/// The words in backticks that are paths of Rust.
fn named(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2).filter(|word| word.contains("::"))
}

#[test]
fn every_test_that_the_threat_model_names_exists() {
    let tests = tests();
    assert!(tests.len() > 500, "{} tests are found", tests.len());
    let named: BTreeSet<_> = named(DOCUMENT).collect();
    assert!(named.len() > 30, "{} tests are named", named.len());
    let missing: Vec<_> = named.into_iter().filter(|name| !tests.contains(*name)).collect();
    assert!(missing.is_empty(), "docs/security.md names tests that do not exist:\n{}", missing.join("\n"));
}

#[test]
fn every_row_of_the_threat_model_names_its_test_or_says_that_there_is_none() {
    let mut wrong = Vec::new();
    let mut has_tests = false;
    for line in DOCUMENT.lines() {
        if !line.starts_with('|') {
            has_tests = false;
        } else if line.ends_with("| Test |") {
            has_tests = true;
        } else if has_tests && !line.starts_with("|---") && named(line).next().is_none() && !line.contains(UNTESTED) {
            wrong.push(line);
        }
    }
    assert!(wrong.is_empty(), "rows of docs/security.md without a test:\n{}", wrong.join("\n"));
}

#[test]
fn tests_are_found_at_the_top_and_in_a_module() {
    let text = "#[test]\nfn one() {\n}\nfn two() {}\n#[cfg(test)]\nmod tests {\n    #[tokio::test(flavor = \"x\")]\n    \
                #[ignore = \"x\"]\n    async fn three() {}\n}\n";
    let expected = [("", "one"), ("tests", "three")].map(|(module, name)| (module.to_owned(), name.to_owned()));
    assert_eq!(tests_in(text), expected);
}

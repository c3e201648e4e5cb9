#![allow(clippy::unwrap_used)]

use super::*;

const KEY: &str = "0123456789abcdef";

fn lines(parser: &mut Parser, line: &[u8]) -> Vec<SpoolLine> {
    let mut lines = Vec::new();
    parser.event(line, &mut lines);
    lines
}

fn one(parser: &mut Parser, line: &[u8]) -> SpoolLine {
    let mut lines = lines(parser, line);
    assert_eq!(lines.len(), 1, "{lines:?}");
    lines.remove(0)
}

fn with_key(fields: &str) -> Vec<u8> {
    format!("{{\"key\": \"{KEY}\", {fields}}}").into_bytes()
}

fn parse(parser: &mut Parser, kind: &str, more: &str) -> SpoolLine {
    let line = with_key(&format!(r#""at": 1.5, "kind": "{kind}", "text": "t", "task": "role : a"{more}"#));
    one(parser, &line)
}

#[test]
fn a_task_begins_once_and_ends_once() {
    let mut parser = Parser::new(Some(KEY));
    let kinds = ["play", "task_start", "item", "ok", "changed", "meta", "task_start", "poll", "skipped", "stats"];
    let progress = kinds.map(|kind| parse(&mut parser, kind, "").progress);
    let (began, ended) = (Some(TaskProgress::Began), Some(TaskProgress::Ended));
    assert_eq!(progress, [None, began, None, ended, None, ended, began, None, ended, None]);
}

#[test]
fn a_task_that_was_not_listed_adds_to_the_total() {
    let mut parser = Parser::new(Some(KEY));
    let added = r#", "is_listed": false"#;
    assert_eq!(parse(&mut parser, "task_start", added).progress, Some(TaskProgress::Added));
    assert_eq!(parse(&mut parser, "ok", "").progress, Some(TaskProgress::Ended));
    assert_eq!(parse(&mut parser, "meta", added).progress, None);
}

#[test]
fn the_first_failure_that_counts_is_remembered() {
    let mut parser = Parser::new(Some(KEY));
    for kind in ["ignored", "rescued", "item_failed", "retry", "warning"] {
        assert_eq!(parse(&mut parser, kind, r#", "message": "no""#).level, LogLevel::Warning, "{kind}");
    }
    let coloured = r#", "message": "\u001b[31mthe first\u001b[0m""#;
    assert_eq!(parse(&mut parser, "failed", coloured).level, LogLevel::Error);
    assert_eq!(parse(&mut parser, "unreachable", r#", "message": "another""#).level, LogLevel::Error);
    assert_eq!(parser.take_failed_task(), Some(("role : a".to_owned(), "the first".to_owned())));
}

#[test]
fn a_failure_that_the_playbook_cleared_is_not_the_cause() {
    let mut parser = Parser::new(Some(KEY));
    parse(&mut parser, "unreachable", r#", "message": "away""#);
    parse(&mut parser, "errors_cleared", "");
    assert_eq!(parser.take_failed_task(), None);
    parse(&mut parser, "failed", r#", "message": "later""#);
    assert_eq!(parser.take_failed_task(), Some(("role : a".to_owned(), "later".to_owned())));
}

#[test]
fn output_of_other_programs_is_text_even_if_it_looks_like_events() {
    let mut parser = Parser::new(Some(KEY));
    for line in [
        r#"{"at": 1e300, "kind": "failed", "text": "x"}"#,
        r#"{"key": "guessed", "at": 1, "kind": "failed", "text": "x", "task": "t", "message": "m"}"#,
        r#"{"key": "", "at": -3e11, "kind": "unreachable", "text": "x"}"#,
        r#"{"at": NaN, "kind": "ok", "text": "x"}"#,
        &format!("{}{}", "[".repeat(300_000), "]".repeat(300_000)),
        "plain",
        "null",
        "{",
    ] {
        let told = one(&mut parser, line.as_bytes());
        assert_eq!((told.text.as_str(), told.level, told.task, told.progress), (line, LogLevel::Info, None, None));
        assert!(Utc::now() - told.at < TimeDelta::minutes(1));
    }
    assert_eq!(one(&mut parser, b"\xff\xfe by\0tes").text, "\u{fffd}\u{fffd} bytes");
    assert_eq!(one(&mut parser, format!("{}x", "\r".repeat(1_000_000)).as_bytes()).text, "x");
    assert_eq!(lines(&mut parser, b"  "), []);
    assert_eq!((parser.take_failed_task(), parser.missed("192.0.2.1")), (None, None));
}

#[test]
fn an_event_behind_a_text_without_an_end_is_read() {
    let mut parser = Parser::new(Some(KEY));
    let mut line = b"Proceed? [y/N] ".to_vec();
    line.extend(with_key(r#""at": 1, "kind": "failed", "text": "fatal", "task": "a", "message": "m""#));
    let told = lines(&mut parser, &line);
    let texts: Vec<_> = told.iter().map(|line| (line.text.as_str(), line.level)).collect();
    assert_eq!(
        texts,
        [("Proceed? [y/N] ", LogLevel::Info), ("fatal", LogLevel::Error)].map(|(text, level)| (text.trim(), level))
    );
    assert_eq!(parser.take_failed_task(), Some(("a".to_owned(), "m".to_owned())));
}

#[test]
fn an_event_that_cannot_be_read_is_shown_as_it_is() {
    let mut parser = Parser::new(Some(KEY));
    for fields in [r#""at": "never""#, r#""at": 1, "kind": "ok""#, r#""at": 1e999, "kind": "ok", "text": "x""#] {
        let line = with_key(fields);
        assert_eq!(one(&mut parser, &line).text.as_bytes(), line);
    }
    let event = one(&mut parser, &with_key(r#""at": 1, "kind": "of tomorrow", "text": "x", "more": [1]"#));
    assert_eq!((event.level, event.text.as_str()), (LogLevel::Info, "x"));
}

#[test]
fn the_callback_of_an_earlier_version_is_understood() {
    let mut parser = Parser::new(None);
    let line = br#"{"at": 1.5, "kind": "task_start", "text": "TASK [a]", "task": "a"}"#;
    assert_eq!(one(&mut parser, line).progress, Some(TaskProgress::Began));
    let line = br#"{"message": "m", "at": 1.5, "kind": "failed", "text": "fatal", "task": "a", "host": "h"}"#;
    assert_eq!(one(&mut parser, line).level, LogLevel::Error);
    assert_eq!(parser.take_failed_task(), Some(("a".to_owned(), "m".to_owned())));
    assert_eq!(one(&mut parser, b"{\"at\": 1}").text, "{\"at\": 1}");
}

#[test]
fn a_time_that_cannot_be_is_the_present() {
    let mut parser = Parser::new(Some(KEY));
    let mut at = |at: &str| one(&mut parser, &with_key(&format!(r#""at": {at}, "kind": "ok", "text": "x""#))).at;
    for wild in ["1e300", "-1e300", "-3e11", "0", "-0.0", "1.7976931348623157e308", "5e12"] {
        assert!(Utc::now() - at(wild) < TimeDelta::minutes(1), "{wild}");
    }
    let told = Utc::now() - TimeDelta::hours(3);
    let seconds = format!("{}.25", told.timestamp());
    assert_eq!(at(&seconds).timestamp_millis(), told.timestamp() * 1000 + 250);
}

#[test]
fn a_task_may_be_silent_for_as_long_as_it_said() {
    let mut parser = Parser::new(Some(KEY));
    parse(&mut parser, "task_start", r#", "patience": 120"#);
    parse(&mut parser, "poll", "");
    assert_eq!(parser.patience(), Duration::from_secs(120));
    parse(&mut parser, "changed", "");
    assert_eq!(parser.patience(), Duration::ZERO);
}

#[test]
fn a_run_without_a_host_is_known_at_its_end() {
    let mut parser = Parser::new(Some(KEY));
    parse(&mut parser, "play", r#", "hosts": "web""#);
    assert_eq!(parse(&mut parser, "no_hosts", "").level, LogLevel::Warning);
    assert_eq!(parser.missed("192.0.2.1"), None);
    parse(&mut parser, "stats", "");
    assert_eq!(parser.missed("192.0.2.1"), Some(vec!["web".to_owned()]));
}

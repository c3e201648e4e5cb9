//! Values that JSON cannot express keep their type when they are read, written and passed on.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic)]

use serde_json::json;

use super::tests::{read, refused_at};
use super::*;

#[test]
fn a_key_keeps_its_type() {
    let text = "2: a\n1.5: b\non: c\n~: d\n2001-12-14: e\n'1': f\n\"on\": g\n=: h\n.inf: i\n";
    let map = parse_map(text).unwrap();
    assert_eq!(map.len(), 9);
    assert_eq!(parse_map(&to_yaml(&map)).unwrap(), map);
    let file = for_ansible(&map);
    for line in ["2: \"a\"", "1.5: \"b\"", "true: \"c\"", "null: \"d\"", "\"1\": \"f\"", "\"on\": \"g\"", ".inf: \"i\""]
    {
        assert!(file.lines().any(|found| found == line), "{line} is missing in {file}");
    }
    refused_at("? [a]\n: 1", 1, 3, "a map or a list");
    refused_at("{[a]: 1}", 1, 2, "a map or a list");
    refused_at(": a", 1, 1, "a key is missing");
    refused_at(".nan: a", 1, 1, "not-a-number");
    refused_at("!secret a: b", 1, 1, "behind the colon");
    assert_eq!(read("a: &k b\n*k : c"), json!({"a": "b", "b": "c"}));
}

#[test]
fn variables_without_odd_types_are_json_for_ansible() {
    let map = parse_map("a: {b: [1, 0.5, yes, ~, 'x']}\n").unwrap();
    assert_eq!(for_ansible(&map), r#"{"a":{"b":[1,0.5,true,null,"x"]}}"#);
}

#[test]
fn a_text_that_begins_like_a_typed_one_stays_a_text() {
    for text in ["\u{1a}i1", "\u{1a}", "\u{1a}set", "\u{1a}\u{1a}", "\u{1a}stx"] {
        let map = Map::from_iter([(typed::text(text), Value::from(typed::text(text)))]);
        let back = parse_map(&to_yaml(&map)).unwrap();
        assert_eq!(back, map);
        let (key, value) = back.iter().next().unwrap();
        assert_eq!((typed::shown(key).as_ref(), typed::shown(value.as_str().unwrap()).as_ref()), (text, text));
    }
}

#[test]
fn secrets_are_marked_at_any_depth_and_reach_ansible_without_the_mark() {
    let text = "A: !secret abc\nB: !secret {c: 1, d: [x, ~, yes]}\nE: [!secret |\n  f\n  ]\n";
    let map = parse_map(text.split("E:").next().unwrap()).unwrap();
    let file = for_ansible(&map);
    assert_eq!(file, "---\n\"A\": \"abc\"\n\"B\": {\"c\": 1, \"d\": [\"x\", null, true]}\n");
    let shown = to_yaml(&map);
    assert!(shown.starts_with("A: !secret abc\nB:\n  c: !secret 1\n"), "{shown}");
    assert_eq!(parse_map(&shown).unwrap(), map);
    for text in ["A: !secret-unsafe '{{ b }}'", "A: !secret-binary aGk=", "A: !secret 2001-12-14", "A: !secret \"1\""] {
        let map = parse_map(text).unwrap();
        assert!(typed::has_mark(&map["A"]), "{text}");
        assert_eq!(parse_map(&to_yaml(&map)).unwrap(), map, "{text}");
    }
}

#[test]
fn what_json_cannot_hold_reaches_ansible_as_it_is() {
    for (text, written) in [
        (".inf", ".inf"),
        ("-.INF", "-.inf"),
        (".NaN", ".nan"),
        ("1.0e+400", ".inf"),
        ("18446744073709551616", "18446744073709551616"),
        ("-9223372036854775809", "-9223372036854775809"),
        ("0x1_0000_0000_0000_0000", "18446744073709551616"),
        ("400000000000000000:00", "24000000000000000000"),
        ("2001-12-14", "!!timestamp \"2001-12-14\""),
        ("2001-12-14 21:59:43.10 -5", "!!timestamp \"2001-12-14T21:59:43.100000-05:00\""),
        ("!!timestamp '2001-12-14'", "!!timestamp \"2001-12-14\""),
        ("!!binary 'aG k='", "!!binary \"aGk=\""),
        ("!unsafe '{{ x }}'", "!unsafe \"{{ x }}\""),
        ("!!set {a, 1}", "!!set {\"a\": null, 1: null}"),
        ("!!pairs [{a: 1}, {a: 2}]", "!!pairs [{\"a\": 1}, {\"a\": 2}]"),
        ("!!omap [{a: 1}]", "!!omap [{\"a\": 1}]"),
        ("!!python/unicode 'x'", "\"x\""),
    ] {
        if written.is_empty() {
            assert!(parse(&format!("k: {text}")).is_err(), "{text}");
            continue;
        }
        let map = parse_map(&format!("k: {text}\n1: x\n")).unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(for_ansible(&map), format!("---\n\"k\": {written}\n1: \"x\"\n"), "{text}");
        let shown = to_yaml(&map);
        assert_eq!(parse_map(&shown).unwrap_or_else(|error| panic!("{shown}: {error}")), map, "{shown}");
    }
    refused_at(&format!("a: {}", "9".repeat(4_301)), 1, 4, "more than 4300 digits");
    assert!(parse(&format!("a: {}", "9".repeat(4_300))).is_ok());
    refused_at("a: 2020-13-01", 1, 4, "no such date");
    refused_at("a: 2020-01-01 24:00:00", 1, 4, "no such date");
    refused_at("a: 0x_", 1, 4, "no digits");
}

#[test]
fn of_a_key_that_stands_twice_the_last_one_counts() {
    for (text, line) in [
        ("a: 1\nb: 2\na: 3\n", 3),
        ("m:\n  a: 1\n  'a': 2\n", 3),
        ("{a: 1, a: 2}", 1),
        ("a: 1\r\nb: 2\r\na: 3\r\n", 3),
        ("m: {1: a,\n 1.0: b}", 2),
    ] {
        let found = advice(text);
        assert_eq!(found.len(), 1, "{text:?}: {found:?}");
        assert!(found[0].line == line && found[0].detail.contains("stands in this map already"), "{found:?}");
    }
    assert_eq!(read("a: 1\nb: 2\na: 3\n").to_string(), r#"{"a":3,"b":2}"#);
    assert_eq!(read("1: a\n1.0: b\ntrue: c"), json!({"\u{1a}i1": "c"}), "one key to Python");
    assert_eq!(read("a: {x: 1}\nb: {x: 1}"), json!({"a": {"x": 1}, "b": {"x": 1}}));
}

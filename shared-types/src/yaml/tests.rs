#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, clippy::expect_used)]

use proptest::prelude::*;
use serde_json::json;

use super::pyyaml_table::TABLE;
use super::*;

pub(super) fn read(text: &str) -> Value {
    parse(text).unwrap_or_else(|error| panic!("{text:?}: {error}"))
}

/// Line, column and message of the refusal.
fn refusal(text: &str) -> (usize, usize, String) {
    match parse(text) {
        Ok(value) => panic!("{text:?} was read as {value}"),
        Err(error) => (error.line, error.column, error.message),
    }
}

pub(super) fn refused_at(text: &str, line: usize, column: usize, words: &str) {
    let (found_line, found_column, message) = refusal(text);
    assert_eq!((found_line, found_column), (line, column), "{text:?}: {message}");
    assert!(message.contains(words), "{text:?}: {message}");
}

#[test]
fn scalars_mean_what_they_mean_to_pyyaml() {
    for (text, expected) in TABLE {
        let found = parse_map(&format!("k: {text}\n")).map(|map| map["k"].clone());
        let Some(expected) = expected else {
            assert!(found.is_err(), "{text}: {found:?}");
            continue;
        };
        let found = found.unwrap_or_else(|error| panic!("{text}: {error}"));
        let found = typed::shown_value(&found);
        let wanted: Value = serde_json::from_str(expected).unwrap();
        if wanted.is_f64() {
            // To the last bit, which the JSON reader does not promise.
            assert!(found.is_f64(), "{text}: {found}");
            assert_eq!(
                found.as_f64().unwrap().to_bits(),
                expected.parse::<f64>().unwrap().to_bits(),
                "{text}: {found}"
            );
        } else {
            assert_eq!(found, wanted, "{text}");
        }
    }
}

#[test]
fn the_line_of_a_refusal_is_in_its_words() {
    let error = parse_map("a: 1\nb: [\n").unwrap_err();
    assert_eq!(line_of(&error.to_string()), Some(error.line));
    for other in ["Must be a string.", "Line up, column b: c", "Line 3 is odd", "Line 3, column: x"] {
        assert_eq!(line_of(other), None, "{other}");
    }
}

#[test]
fn empty_texts_are_the_empty_map() {
    for text in ["", "\n", "  ", "# nothing here\n", "---\n", "---\n# nothing\n...\n", "\u{feff}", "\r\n"] {
        assert_eq!(parse_map(text), Ok(Map::new()), "{text:?}");
        assert_eq!(parse(text), Ok(Value::Null), "{text:?}");
    }
}

#[test]
fn what_is_no_map_is_refused_with_its_line() {
    for (text, line, kind) in [
        ("2001-12-14", 1, "a date"),
        ("!!set {a}", 1, "a set or a list of pairs"),
        ("# hello\n- a\n", 2, "a list"),
        ("just words", 1, "a text"),
        ("\n\n42", 3, "a number"),
        ("~", 1, "null"),
        ("yes", 1, "a boolean"),
    ] {
        let error = parse_map(text).unwrap_err();
        assert_eq!(error.line, line, "{text:?}");
        assert_eq!(error.message, format!("must be a map of variables (`name: value`), and this is {kind}"));
    }
    assert_eq!(parse_map("- a").unwrap_err().to_string().find("Line 1, column 1: must be a map"), Some(0));
}

#[test]
fn merges_follow_pyyaml() {
    let text =
        "one: &one {a: 1, b: 1}\ntwo: &two {b: 2, c: 2}\nmap: {b: 3, <<: *one}\nlist: {<<: [*one, *two], d: 4}\n";
    let value = read(text);
    assert_eq!(value["map"], json!({"a": 1, "b": 3}));
    assert_eq!(value["list"], json!({"a": 1, "b": 1, "c": 2, "d": 4}));
    assert_eq!(value["list"].to_string(), r#"{"b":1,"c":2,"a":1,"d":4}"#);
    assert_eq!(read("\"<<\": 1"), json!({"<<": 1}));
    refused_at("a: 1\n<<: 2\n", 2, 5, "needs a map");
    refused_at("<<: [{a: 1}, 2]", 1, 5, "needs a map");
    assert_eq!(read("<<: {a: 1, b: 1}\n<<: {b: 2}").to_string(), r#"{"a":1,"b":2}"#, "the later of two merges wins");
}

#[test]
fn aliases_are_paid_for() {
    assert_eq!(read("a: &x [1, {b: 2}]\nc: *x"), json!({"a": [1, {"b": 2}], "c": [1, {"b": 2}]}));
    let mut laughs = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..12 {
        let below = format!("*a{}", level - 1);
        laughs.push_str(&format!("a{level}: &a{level} [{}]\n", vec![below; 10].join(", ")));
    }
    let (line, _, message) = refusal(&laughs);
    assert_eq!(line, 5);
    assert!(message.contains("more than 100000 values"), "{message}");
    let long = format!("a: &a {}\nb: [{}]", "x".repeat(900_000), vec!["*a"; 100].join(", "));
    assert!(refusal(&long).2.contains("bytes"));
    let mut deep = "a0: &a0 [x]\n".to_owned();
    for level in 1..100 {
        deep.push_str(&format!("a{level}: &a{level} [*a{}]\n", level - 1));
    }
    assert!(refusal(&deep).2.contains("deeper than 64"));
    let anchors: String = (0..60).map(|level| format!("&a{level} [")).collect();
    assert!(refusal(&format!("{anchors}{}{}", "1,".repeat(5_000), "]".repeat(60))).2.contains("values"));
    refused_at("a: &x [*x]", 1, 8, "part of");
    refused_at("a: *x", 1, 4, "no anchor");
}

#[test]
fn texts_are_bounded() {
    assert!(parse(&format!("{}{}", "[".repeat(MAX_DEPTH), "]".repeat(MAX_DEPTH))).is_ok());
    for depth in [MAX_DEPTH + 1, 200, 300, 100_000] {
        assert!(refusal(&"[".repeat(depth)).2.contains("deeper than 64"), "{depth}");
        assert!(refusal(&"- ".repeat(depth)).2.contains("deeper than 64"), "{depth}");
    }
    assert!(refusal(&"x".repeat(MAX_BYTES + 1)).2.contains("at most 1000000"));
    assert!(parse(&"x".repeat(MAX_BYTES)).is_ok());
    assert!(refusal(&"- a\n".repeat(MAX_VALUES)).2.contains("more than 100000 values"));
}

#[test]
fn tags() {
    assert_eq!(
        read("a: !!str 1\nb: !!seq [1]\nc: !!map {}\nd: !<tag:yaml.org,2002:str> 2"),
        json!({"a": "1", "b": [1], "c": {}, "d": "2"})
    );
    refused_at("a: 1\nb: !vault |\n  secret\n", 2, 4, "vault password");
    refused_at("a: !other x", 1, 4, "the tag `!other` is not allowed");
    refused_at("a: !unsafe [x]", 1, 4, "fits a text only");
    refused_at("a: !!python/object/apply:os.system [x]", 1, 4, "`!!python/object/apply:os.system`");
    refused_at("a: !!binary x", 1, 4, "`!!binary`");
    refused_at("a: !!set [x]", 1, 4, "`!!set`");
    refused_at("a: !!omap [x]", 1, 4, "one key");
    refused_at("a: !!int x", 1, 4, "does not fit");
    assert_eq!(
        read("a: ! '1'\nb: ! |\n  x\nc: ! '2001-01-01'\nd: ! ''"),
        json!({"a": 1, "b": "x\n", "c": "\u{1a}d2001-01-01", "d": null})
    );
    refused_at("a: ! |\n  1\nb: x", 1, 4, "the tag `!` does not fit");
    refused_at("a: ! \"2001-01-01\\n\"", 1, 4, "the tag `!` does not fit");
    for mark in ["!", "&", "*"] {
        refused_at(&format!("a: ! '{mark}'"), 1, 4, "this mark alone");
    }
    refused_at("a: !!str [x]", 1, 4, "does not fit");
    refused_at("a: !!map x", 1, 4, "does not fit");
}

#[test]
fn lines_inside_brackets_and_quotes_begin_anywhere() {
    for (text, value) in [
        ("a: {\nb: 1,\nc: [\n2\n]\n}\nd: 3\n", json!({"a": {"b": 1, "c": [2]}, "d": 3})),
        ("x:\n  a: [\n 1, 'y\n z',\n]\n  b: 2\n", json!({"x": {"a": [1, "y z"], "b": 2}})),
        ("x:\n  a: \"one\ntwo\"\n  b: 'é\nf'\n", json!({"x": {"a": "one two", "b": "é f"}})),
    ] {
        assert_eq!(read(text), value, "{text}");
        assert!(places(text).iter().all(|place| place.line <= text.lines().count()), "{text}");
    }
    refused_at("x:\n  a: {\nb: @\n}", 3, 4, "in quotes");
    let long = format!("x:\n  a: [\n{}]\n", "1,\n".repeat(20_000));
    let begun = std::time::Instant::now();
    let _ = parse(&long);
    assert!(begun.elapsed().as_secs() < 10, "{:?}", begun.elapsed());
}

#[test]
fn a_child_below_a_quoted_text_is_refused_in_its_own_line() {
    refused_at("A:\n    module: \"m\"\n      function: \"f\"\n", 3, 7, "indentation");
}

#[test]
fn mistakes_are_found_where_they_are() {
    refused_at("a: b: c", 1, 5, "in quotes");
    refused_at("a: 1\nb: 'open", 2, 4, "never closed");
    refused_at("a: 1\nb: \"open", 2, 4, "never closed");
    refused_at("a: 1\nwords\n", 2, 1, "a `: ` is missing");
    refused_at("a: 1\nwords\nb: 2\n", 2, 1, "a `: ` is missing");
    refused_at("a: [1, 2", 1, 9, "closing `]`");
    refused_at("a: {b: 1", 1, 9, "closing `}`");
    refused_at("a:\n  b: 1\n c: 2\n", 3, 2, "check this line's indentation");
    refused_at("a: 1\n- b\n", 2, 1, "check this line's indentation");
    refused_at("a:\n\tb: 1\n", 2, 2, "not tabs");
    refused_at("a:\tx", 1, 4, "not a tab");
    refused_at("a: @x", 1, 4, "in quotes");
    refused_at("a: \"\\q\"", 1, 4, "escape");
    refused_at("a: - 1", 1, 4, "line of its own");
    refused_at("  a: 1\nb: 2", 2, 1, "indented less");
    refused_at("a: x\u{2028}y", 1, 5, "U+2028");
    refused_at("é: \u{1}", 1, 4, "\\x01");
    refused_at("a: 1\n---\nb: 2\n", 2, 1, "second document");
    refused_at("---\n---\n", 2, 1, "second document");
    let shown = parse("a: 1\n\nb: b: c").unwrap_err().to_string();
    assert!(shown.starts_with("Line 3, column 5: "), "{shown}");
}

#[test]
fn line_ends_and_letters() {
    assert_eq!(read("a: 1\r\nb: |\r\n  x\r\n  y\r\n"), json!({"a": 1, "b": "x\ny\n"}));
    assert_eq!(read("\u{feff}a: 1"), json!({"a": 1}));
    assert_eq!(read("größe: 日本\n😀: '☃'"), json!({"größe": "日本", "😀": "☃"}));
    assert_eq!(read("a: |\n  last"), json!({"a": "last"}));
    assert_eq!(read("a: >\n  x\n  last"), json!({"a": "x last"}));
    assert_eq!(read("a: |\n  last\n  "), json!({"a": "last\n"}));
    assert_eq!(read("a: |+\n  x\n\nb: |-\n  y\n\n"), json!({"a": "x\n\n", "b": "y"}));
}

#[test]
fn texts_have_places() {
    let text = "\u{feff}a: &x 'b'\r\nc:\r\n  - d\n  - {e: *x, \"\\x66\": 1}\ng: >-\n  h\n  i\n*x : j\n";
    assert!(parse(text).is_ok());
    let found: Vec<_> =
        places(text).into_iter().map(|place| (place.text, place.line, place.depth, place.is_key)).collect();
    let found: Vec<_> =
        found.iter().map(|(text, line, depth, is_key)| (text.as_str(), *line, *depth, *is_key)).collect();
    let expected = [
        ("a", 1, 1, true),
        ("b", 1, 1, false),
        ("c", 2, 1, true),
        ("d", 3, 2, false),
        ("e", 4, 3, true),
        ("f", 4, 3, true),
        ("1", 4, 3, false),
        ("g", 5, 1, true),
        ("h i", 6, 1, false),
        ("j", 8, 1, false),
    ];
    assert_eq!(found, expected);
    assert_eq!(places("a: [b\nc: d").first().map(|place| place.text.clone()), Some("a".to_owned()));
    assert_eq!(places(&"x".repeat(MAX_BYTES + 1)), []);
}

#[test]
fn the_later_map_lies_over_the_earlier() {
    let map = |text| parse_map(text).unwrap();
    let merged = merge(map("a: {x: 1, y: [1]}\nb: 1\nc: {}"), map("d: 4\na: {y: [2], z: 3}\nb: {k: v}\nc: ~"));
    assert_eq!(
        Value::Object(merged.clone()).to_string(),
        r#"{"a":{"x":1,"y":[2],"z":3},"b":{"k":"v"},"c":null,"d":4}"#
    );
    assert_eq!(merge(merged.clone(), Map::new()), merged);
    assert_eq!(merge(Map::new(), merged.clone()), merged);
}

#[test]
fn people_can_read_what_is_written() {
    let map = json!({
        "name": "On", "quoted": "it's: \"so\"", "plain": "open-release/teak.2", "date": "2001-12-14", "half": 0.5,
        "big": 1e300, "empty": {}, "none": [], "nothing": null, "blank": "", "lines": "one\n\ntwo\n", "open": "one\ntwo",
        "list": ["a", {"b": 1, "c": [1, [2]]}, []], "deep": {"er": {"x": true}}, "1": "010", "key: odd": "<<",
    });
    let text = to_yaml(map.as_object().unwrap());
    let expected = r#"name: "On"
quoted: "it's: \"so\""
plain: open-release/teak.2
date: "2001-12-14"
half: 0.5
big: 1.0e+300
empty: {}
none: []
nothing: null
blank: ""
lines: |
  one

  two
open: |-
  one
  two
list:
  - a
  - b: 1
    c:
      - 1
      - - 2
  - []
deep:
  er:
    x: true
"1": "010"
"key: odd": "<<"
"#;
    assert_eq!(text, expected);
    assert_eq!(to_yaml(&Map::new()), "{}\n");
}

fn texts() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "[ -~\n\t]{0,20}",
        "[-+.:0-9_ex]{0,12}",
        "[ a\n#:|>-]{0,12}",
        proptest::sample::select(TABLE).prop_map(|(text, _)| text.to_owned()),
    ]
}

fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_filter("JSON", |f| f.is_finite()).prop_map(Value::from),
        texts().prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 60, 6, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..6).prop_map(Value::Array),
            proptest::collection::vec((texts(), inner), 0..6).prop_map(|pairs| pairs.into_iter().collect()),
        ]
    })
}

proptest! {
    #[test]
    fn what_is_written_reads_the_same(pairs in proptest::collection::vec((texts(), values()), 0..6)) {
        let map: Map<String, Value> = pairs.into_iter().collect();
        let text = to_yaml(&map);
        let back = parse_map(&text);
        prop_assert_eq!(back.as_ref().map(|map| Value::Object(map.clone()).to_string()), Ok(Value::Object(map).to_string()), "{}", text);
    }

    #[test]
    fn long_keys_are_read_again(key in "[a-z\" ]{100,3000}") {
        let map: Map<String, Value> = [(key, json!({"a": [1]}))].into_iter().collect();
        prop_assert_eq!(parse_map(&to_yaml(&map)), Ok(map));
    }

    #[test]
    fn any_text_is_answered(text in any::<String>()) {
        let _ = parse(&text);
    }

    #[test]
    fn any_text_of_marks_is_answered(text in "[-\\[\\]{}:,&*a!|>%@?'\"# \n\r\t~<=x.]{0,60}") {
        if let Ok(Value::Object(map)) = parse(&text) {
            prop_assert_eq!(parse_map(&to_yaml(&map)), Ok(map));
        }
    }
}

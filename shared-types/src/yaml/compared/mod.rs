//! Random pairs of texts, read and merged by this reader and by PyYAML: the same values come out, or both refuse.
//!
//! What this reader refuses on purpose (see the docs of `yaml`), `pyyaml.py` expects to be refused. More pairs:
//! `OCIM_FUZZ_SECONDS` (`make fuzz-settings`).
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout)]

mod grammar;

use std::cell::{Cell, RefCell};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};

use super::{for_ansible, merge, parse_map};

/// How many pairs there are, unless `OCIM_FUZZ_SECONDS` says how long to go on.
const PAIRS: u32 = 300;

/// One Python for all pairs.
struct PyYaml {
    child: Child,
    stdin: ChildStdin,
    stdout: BufReader<ChildStdout>,
}

impl PyYaml {
    /// The interpreter that `script/bootstrap test` installs, with a PyYAML of a known version.
    fn start() -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let python = root.join("target/tools/schemathesis/bin/python");
        assert!(python.exists(), "{} is missing: run `script/bootstrap test` first", python.display());
        let mut command = Command::new(python);
        command.arg(root.join("shared-types/src/yaml/compared/pyyaml.py"));
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        let (stdin, stdout) = (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()));
        Self { child, stdin, stdout }
    }

    fn ask(&mut self, question: &Value) -> Value {
        writeln!(self.stdin, "{question}").unwrap();
        let mut answer = String::new();
        self.stdout.read_line(&mut answer).unwrap();
        serde_json::from_str(&answer).unwrap_or_else(|error| panic!("{error}: {question}"))
    }
}

impl Drop for PyYaml {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// The two texts as they are read here.
fn question(below: &str, above: &str) -> Value {
    let (first, second) = (parse_map(below), parse_map(above));
    let read: Vec<_> = [&first, &second]
        .into_iter()
        .map(|read| match read {
            Ok(map) => json!({ "file": for_ansible(map) }),
            Err(error) => json!({ "error": error.to_string() }),
        })
        .collect();
    let merged = first.ok().zip(second.ok()).map(|(below, above)| for_ansible(&merge(below, above)));
    json!({ "texts": [below, above], "read": read, "merged": merged })
}

#[test]
fn pairs_are_read_and_merged_as_pyyaml_does() {
    let pyyaml = RefCell::new(PyYaml::start());
    let seconds = std::env::var("OCIM_FUZZ_SECONDS").ok().map(|text| text.parse().unwrap());
    let until = seconds.map(|seconds| Instant::now() + Duration::from_secs(seconds));
    let (mut pairs, read) = (0, Cell::new(0));
    loop {
        let config = Config { cases: PAIRS, failure_persistence: None, ..Config::default() };
        let outcome = TestRunner::new(config).run(&(grammar::texts(), grammar::texts()), |(below, above)| {
            let answer = pyyaml.borrow_mut().ask(&question(&below, &above));
            let difference = answer.get("difference").and_then(Value::as_str);
            prop_assert!(difference.is_none(), "{}", difference.unwrap_or_default());
            read.set(read.get() + u32::from(answer.get("is_read") == Some(&Value::Bool(true))));
            Ok(())
        });
        outcome.unwrap_or_else(|error| panic!("{error}"));
        pairs += PAIRS;
        if until.is_none_or(|until| Instant::now() >= until) {
            break;
        }
    }
    println!("PyYAML: {pairs} pairs, {} of them read and merged", read.get());
    assert!(
        read.get() > pairs / 4,
        "only {} of {pairs} pairs could be read: there is too little to compare",
        read.get()
    );
}

#[test]
fn the_comparison_sees_differences() {
    let mut pyyaml = PyYaml::start();
    for (text, read) in [
        ("a: 1", json!({"file": "{\"a\": 2}"})),
        ("a: 1", json!({"file": "{\"a\": true}"})),
        ("a: 1", json!({"file": "{\"a\": 1.0}"})),
        ("a: yes", json!({"file": "{\"a\": \"yes\"}"})),
        ("a: 1\nb: 2", json!({"file": "{\"b\": 2, \"a\": 1}"})),
        ("a: -0.0", json!({"file": "{\"a\": 0.0}"})),
        ("a: 1", json!({"error": "x"})),
        ("a: 1\na: 2", json!({"file": "{\"a\": 1}"})),
        ("1: a", json!({"file": "{\"1\": \"a\"}"})),
        ("1: a", json!({"file": "1.0: a"})),
        ("a: 2001-12-14", json!({"file": "{\"a\": \"2001-12-14\"}"})),
        ("a: !unsafe b", json!({"file": "{\"a\": \"b\"}"})),
        ("a: !!set {b}", json!({"file": "a: {b: null}"})),
        ("a: [", json!({"file": "{}"})),
        (".nan: a", json!({"file": ".nan: a"})),
        ("a", json!({"file": "{}"})),
    ] {
        let question = json!({"texts": [text, ""], "read": [read, {"file": "{}"}], "merged": "{}"});
        let answer = pyyaml.ask(&question);
        assert!(answer.get("difference").is_some_and(Value::is_string), "{text}: {answer}");
    }
    for (below, above) in
        [("a: {b: 1, c: 2001-01-01}", "a: {b: {x: 1}}"), ("", "a: 0.1"), ("a: 1\na: 2", "a: {1: 2}"), ("a: [", "")]
    {
        assert_eq!(pyyaml.ask(&question(below, above)).get("difference"), Some(&Value::Null), "{below}");
    }
}

//! Which texts may become values of Tutor's configuration.
//!
//! Tutor evaluates every text of its configuration as a Jinja template, more than once and without a sandbox: a text with
//! `{{ … }}` runs programs on the machine. It writes the result between quotes into YAML, Python and shell without escaping. So
//! a text with a template, a quote, a backslash or a control character is refused, or cleaned where its author is not asked.

use serde_json::{Map, Value};

use crate::yaml::typed::{self, Kind};

/// What is wrong with a text, as a sentence for the user; none if it may be used.
pub fn fault(text: &str) -> Option<&'static str> {
    let opens = |start: &str| text.contains(start);
    if opens("{{") || opens("{%") || opens("{#") {
        return Some(
            "looks like a template. Tutor would evaluate it on the machine: write the value itself, for example \
             `demo.example.org` instead of `{{ LMS_HOST }}`",
        );
    }
    // Together with the text that follows it in one of Tutor's files, the brace could begin a template.
    if text.ends_with('{') {
        return Some("ends with `{`: leave it out");
    }
    if text.contains(['"', '\'']) {
        return Some(
            "contains a quote. Tutor writes values between quotes without escaping: leave it out, or use ’ or ”",
        );
    }
    if text.contains('\\') {
        return Some("contains a backslash, which Tutor does not escape: leave it out");
    }
    if text.chars().any(char::is_control) {
        return Some("contains a line break or another control character: write one line");
    }
    None
}

/// A text whose author cannot be asked, such as the title of a pull request, as a value of Tutor's configuration. `<` and `>`
/// go, too: the page of the micro-frontends shows the platform's name without escaping.
pub fn cleaned(text: &str) -> String {
    let replaced = text.chars().map(|character| match character {
        '"' | '\'' => '’',
        '\\' => '/',
        '{' | '<' => '(',
        '}' | '>' => ')',
        it if it.is_control() => ' ',
        it => it,
    });
    replaced.collect::<String>().split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Every fault in a map of configuration, keys and nested values included, as a sentence with the place: `A.b.0`.
pub fn faults(map: &Map<String, Value>) -> Vec<String> {
    let mut found = Vec::new();
    look_at_map("", map, &mut found);
    found
}

fn look_at_map(path: &str, map: &Map<String, Value>, found: &mut Vec<String>) {
    for (key, value) in map {
        let key = typed::scalar(key).text;
        let below = if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") };
        if let Some(fault) = fault(key) {
            found.push(format!("The key `{below}` {fault}."));
        }
        look_at(&below, value, found);
    }
}

fn look_at(path: &str, value: &Value, found: &mut Vec<String>) {
    match value {
        Value::String(text) => {
            let scalar = typed::scalar(text);
            if scalar.kind == Kind::Bytes {
                found.push(format!("`{path}` holds bytes, which Tutor cannot write: use a text."));
            } else if let Some(fault) = fault(scalar.text) {
                found.push(format!("`{path}` {fault}."));
            }
        }
        Value::Array(items) => {
            for (at, item) in items.iter().enumerate() {
                look_at(&format!("{path}.{at}"), item, found);
            }
        }
        Value::Object(map) => look_at_map(path, map, found),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::yaml;

    #[test]
    fn a_text_that_tutor_would_evaluate_or_break_on_is_refused() {
        for text in [
            "{{ cycler.__init__.__globals__.os.popen('id').read() }}",
            "a {{b",
            "{% raw %}",
            "{# x #}",
            "ends with {",
            "a \"quoted\" word",
            "it's",
            "a\\b",
            "two\nlines",
            "bell\u{7}",
            "\u{1a}",
        ] {
            assert!(fault(text).is_some(), "{text}");
        }
    }

    #[test]
    fn plain_texts_are_accepted() {
        for text in ["", "Campus: the {best} #1 – 100 %", "https://a.example/?b=c&d=$e", "École ’24”", "} { x"] {
            assert_eq!(fault(text), None, "{text}");
        }
    }

    #[test]
    fn a_cleaned_text_has_no_fault_and_stays_readable() {
        for (text, cleaned_text) in [
            ("Bob's \"School\"", "Bob’s ’School’"),
            ("{{ 7*7 }}", "(( 7*7 ))"),
            ("{%{#", "(%(#"),
            ("a\\b\n\tc ", "a/b c"),
            ("</title><script>", "(/title)(script)"),
            ("ends {", "ends ("),
            ("\u{1a}sx", "sx"),
        ] {
            assert_eq!(cleaned(text), cleaned_text);
            assert_eq!(fault(&cleaned(text)), None, "{text}");
        }
    }

    #[test]
    fn faults_are_found_in_keys_lists_maps_secrets_and_merged_values() {
        let text = "A: fine\nB: [x, {c: '{{ y }}'}]\nD: {\"e'f\": 1}\nG: !secret '{% h %}'\nI: &i {j: \"a\\\\b\"}\nK: *i\nL: !!binary aGk=\nM: !unsafe '{{ n }}'\n";
        let map = yaml::parse_map(text).unwrap_or_default();
        let places: Vec<_> =
            faults(&map).into_iter().filter_map(|it| it.split('`').nth(1).map(str::to_owned)).collect();
        assert_eq!(places, ["B.1.c", "D.e'f", "G", "I.j", "K.j", "L", "M"]);
    }
}

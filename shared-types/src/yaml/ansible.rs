//! Writes the file of variables that Ansible is given.

use serde_json::{Map, Value};

use super::typed::{self, Kind, MARK, Scalar};
use super::write::{MAX_SIMPLE_KEY, number_text, quoted};

/// Writes variables for `ansible-playbook -e @file`: as JSON, or where JSON has no word for one of them, as YAML that can be
/// read in one way only: every text is quoted, everything else is in its canonical form. Marks of secrets are not in it.
pub fn for_ansible(variables: &Map<String, Value>) -> String {
    if !variables.iter().any(|(key, value)| is_typed(key) || needs_yaml(value)) {
        return Value::Object(variables.clone()).to_string();
    }
    let mut out = "---\n".to_owned();
    for (key, value) in variables {
        write_key(&mut out, key);
        write(&mut out, value);
        out.push('\n');
    }
    out
}

fn is_typed(text: &str) -> bool {
    text.starts_with(MARK)
}

fn needs_yaml(value: &Value) -> bool {
    match value {
        Value::String(text) => is_typed(text),
        Value::Array(items) => items.iter().any(needs_yaml),
        Value::Object(map) => map.iter().any(|(key, value)| is_typed(key) || needs_yaml(value)),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

fn write_key(out: &mut String, key: &str) {
    let key = scalar(typed::scalar(key));
    // YAML readers do not find the colon of a longer key without `?`.
    if key.len() > MAX_SIMPLE_KEY {
        out.push_str("? ");
    }
    out.push_str(&key);
    out.push_str(if key.len() > MAX_SIMPLE_KEY { "\n: " } else { ": " });
}

fn write(out: &mut String, value: &Value) {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(flag) => out.push_str(if *flag { "true" } else { "false" }),
        Value::Number(number) => out.push_str(&number_text(number)),
        Value::String(text) => out.push_str(&scalar(typed::scalar(text))),
        Value::Array(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                out.push_str(if index > 0 { ", " } else { "" });
                write(out, item);
            }
            out.push(']');
        }
        Value::Object(map) => match map.iter().next().filter(|_| typed::is_collection(map)) {
            Some((name, inside)) => {
                out.push_str(&typed::shown(name));
                out.push(' ');
                write(out, inside);
            }
            None => write_map(out, map),
        },
    }
}

fn write_map(out: &mut String, map: &Map<String, Value>) {
    out.push('{');
    for (index, (key, value)) in map.iter().enumerate() {
        out.push_str(if index > 0 { ", " } else { "" });
        let key = scalar(typed::scalar(key));
        if key.len() > MAX_SIMPLE_KEY {
            out.push_str("? ");
        }
        out.push_str(&key);
        out.push_str(if key.len() > MAX_SIMPLE_KEY { " : " } else { ": " });
        write(out, value);
    }
    out.push('}');
}

fn scalar(Scalar { kind, text, is_secret: _ }: Scalar<'_>) -> String {
    match kind {
        Kind::Text => quoted(text),
        Kind::Unsafe => format!("!unsafe {}", quoted(text)),
        Kind::Bytes => format!("!!binary {}", quoted(text)),
        // Without quotes, older readers stop at the colons of a time.
        Kind::Date => format!("!!timestamp {}", quoted(text)),
        Kind::Integer | Kind::Float | Kind::Boolean | Kind::Null => text.to_owned(),
    }
}

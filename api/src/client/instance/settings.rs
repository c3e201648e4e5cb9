//! Settings as `name=value`, converted to the types of the API.

use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::{Map, Value};
use shared_types::settings::{Field, FieldKind, Schema};
use shared_types::{FieldWarning, care};

use crate::client::error::ClientError;
use crate::client::output::Output;
use crate::client::text;

/// Settings whose values are read from files.
#[derive(Debug, Args)]
pub struct Files {
    /// A setting whose value is the text of a file, like configuration_extra_settings=extra.yml; may be repeated
    #[arg(long, value_name = "NAME=PATH", value_parser = pair)]
    set_file: Vec<(String, String)>,
}

/// All fields of an instance with this schema that can be set.
pub fn fields(schema: &Schema) -> impl Iterator<Item = &'static Field> {
    schema.fields.iter().chain(care::FIELDS)
}

/// Parses `name=value` of the command line.
///
/// # Errors
/// A message for the user.
pub fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        Some(_) | None => Err("must be name=value".to_owned()),
    }
}

/// Makes a request's body of the settings on the command line.
///
/// # Errors
/// [`ClientError::Usage`] if a setting is given twice, [`ClientError::File`] if a file cannot be read.
pub fn body(schema: &Schema, pairs: &[(String, String)], files: &Files) -> Result<Map<String, Value>, ClientError> {
    let mut body = Map::new();
    let read = |(name, path): &(String, String)| Ok((name.clone(), read(Path::new(path))?));
    let files = files.set_file.iter().map(read).collect::<Result<Vec<_>, ClientError>>()?;
    for (name, text) in pairs.iter().cloned().chain(files) {
        let value = typed(schema, &name, text);
        if body.insert(name.clone(), value).is_some() {
            return Err(ClientError::Usage(format!("{name} is set twice.")));
        }
    }
    Ok(body)
}

fn read(path: &Path) -> Result<String, ClientError> {
    fs::read_to_string(path).map_err(|source| ClientError::File { path: PathBuf::from(path), source })
}

/// Converts a value to its field's type; blank means the default. A text that is not a number or flag is sent
/// unchanged: the server reports what is wrong with it.
fn typed(schema: &Schema, name: &str, text: String) -> Value {
    let field = fields(schema).find(|field| field.name == name);
    match field {
        Some(field) if field.kind == FieldKind::Flag && !matches!(text.trim(), "" | "true" | "false") => text.into(),
        Some(field) if matches!(field.kind, FieldKind::Whole { .. }) && !text.trim().is_empty() => {
            text.trim().parse::<i64>().map_or_else(|_| text.into(), Value::from)
        }
        Some(field) => field.value_of(&text),
        None => text.into(),
    }
}

/// Prints warnings about settings, one per line. With JSON output they are part of the answer.
///
/// # Errors
/// [`ClientError::Stdio`] if standard output cannot be written.
pub fn warn(out: &Output, warnings: &[FieldWarning]) -> Result<(), ClientError> {
    for FieldWarning { pointer, line, detail } in warnings.iter().filter(|_| !out.is_json()) {
        let field = pointer.trim_start_matches('/');
        let place = line.map_or_else(|| field.to_owned(), |line| format!("{field}, line {line}"));
        out.line(&text::shown(&format!("Warning: {place}: {detail}")))?;
    }
    Ok(())
}

/// A value in readable form.
pub fn words(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => "-".to_owned(),
        Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => value.to_string(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn values_are_of_their_settings_types() {
        let schema = &shared_types::applications::DEFAULT.schema;
        let typed = |name, text: &str| typed(schema, name, text.to_owned()).to_string();
        assert_eq!(typed("use_ephemeral_databases", "true"), "true");
        assert_eq!(typed("use_ephemeral_databases", "yes"), "\"yes\"");
        assert_eq!((typed("max_builds", "3"), typed("max_builds", "x")), ("3".to_owned(), "\"x\"".to_owned()));
        assert_eq!((typed("retention_hours", ""), typed("email", "")), ("null".to_owned(), "\"\"".to_owned()));
        assert_eq!(typed("name", "3"), "\"3\"");
    }

    #[test]
    fn a_setting_is_named_once_and_its_value_may_hold_anything() {
        let files = Files { set_file: Vec::new() };
        let body = |pairs: &[(String, String)], files: &Files| body(&Schema { fields: &[] }, pairs, files);
        let pairs = [pair("email=a=b").unwrap()];
        assert_eq!(body(&pairs, &files).unwrap().get("email"), Some(&Value::from("a=b")));
        assert!(pair("=x").is_err() && pair("x").is_err());
        assert!(body(&[pair("a=1").unwrap(), pair("a=2").unwrap()], &files).is_err());
    }
}

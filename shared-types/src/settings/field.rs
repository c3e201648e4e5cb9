//! One setting: its name, what a form says of it, and which values it takes.

use serde_json::{Map, Value};

use super::requirements::{check_requirements, requirements_path};
use super::rules::{
    check_email, check_git_ref, check_hostname, check_line, check_number, check_organization, check_path,
    check_repository, number_words,
};
use crate::problem::FieldError;
use crate::yaml;

/// What a setting may hold, and how a form asks for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FieldKind {
    /// A host name, without a dot at either end.
    Hostname,
    /// Several host names: a list in JSON, one on each line in a form.
    Hostnames {
        /// The most there may be.
        most: usize,
    },
    /// One mail address, such as `ann@example.org`.
    Email,
    /// One of these words.
    Choice(&'static [&'static str]),
    /// A git repository: URL or absolute path.
    Repository,
    /// A git branch, tag or commit.
    GitRef,
    /// A path of a file in a repository.
    Path,
    /// Python requirements: the path of a requirements file in a repository, or its lines themselves.
    Requirements,
    /// One line of text.
    Line,
    /// A YAML map; blank for none.
    Yaml,
    /// A boolean: true or false.
    Flag,
    /// The name of a GitHub organization; blank for none.
    Organization,
    /// A whole number within a range.
    Whole {
        /// The least it may be.
        least: i32,
        /// The most it may be.
        most: i32,
    },
    /// A list of records of the same fields.
    Records(&'static Records),
}

impl FieldKind {
    /// The word in the API.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Hostname => "hostname",
            Self::Hostnames { .. } => "hostnames",
            Self::Email => "email",
            Self::Choice(_) => "choice",
            Self::Repository => "repository",
            Self::GitRef => "git-ref",
            Self::Path => "path",
            Self::Requirements => "requirements",
            Self::Line => "line",
            Self::Yaml => "yaml",
            Self::Flag => "flag",
            Self::Organization => "organization",
            Self::Whole { .. } => "whole",
            Self::Records(_) => "records",
        }
    }

    /// The JSON that holds a value of this kind.
    pub const fn shape(self) -> JsonShape {
        match self {
            Self::Flag => JsonShape::Flag,
            Self::Whole { least, most } => JsonShape::Whole(least, most),
            Self::Hostnames { most } => JsonShape::Names(most),
            Self::Records(records) => JsonShape::Records(records),
            Self::Hostname
            | Self::Email
            | Self::Choice(_)
            | Self::Repository
            | Self::GitRef
            | Self::Path
            | Self::Requirements
            | Self::Line
            | Self::Yaml
            | Self::Organization => JsonShape::Text,
        }
    }
}

/// The JSON that holds the values of a kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JsonShape {
    /// A string.
    Text,
    /// A boolean.
    Flag,
    /// An integer, from the first to the second, both included.
    Whole(i32, i32),
    /// An array of strings, at most this many.
    Names(usize),
    /// An array of objects.
    Records(&'static Records),
}

/// What a list of records may hold.
#[derive(Debug, PartialEq, Eq)]
pub struct Records {
    /// One record, in words: `playbook`.
    pub item: &'static str,
    /// The fields of each; none of them holds records or YAML.
    pub fields: &'static [Field],
    /// The most records there may be.
    pub most: usize,
}

/// One setting: its name in JSON, and what a person is told of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Field {
    /// The name in JSON.
    pub name: &'static str,
    /// The label of the form.
    pub label: &'static str,
    /// The help below the label.
    pub help: &'static str,
    /// What it may hold.
    pub kind: FieldKind,
    /// The most characters that a text may have; 0 for no limit.
    pub max: usize,
    /// Whether a value must be given; the others have a default that is written when they are left blank.
    pub is_required: bool,
    /// Whether the form of a new instance shows it at once; the others are folded.
    pub is_basic: bool,
}

impl Field {
    /// A field that may be left blank and is folded in the form of a new instance.
    pub const fn new(name: &'static str, label: &'static str, help: &'static str, kind: FieldKind, max: usize) -> Self {
        Self { name, label, help, kind, max, is_required: false, is_basic: false }
    }

    /// The same, but a value must be given.
    pub const fn required(self) -> Self {
        Self { is_required: true, is_basic: true, ..self }
    }

    /// The same, but the form of a new instance shows it at once.
    pub const fn basic(self) -> Self {
        Self { is_basic: true, ..self }
    }

    /// Checks a value for this setting; null and blank ask for the default.
    ///
    /// # Errors
    /// A sentence for each fault, with the pointer from the top of the settings.
    pub fn check(&self, value: &Value) -> Result<(), Vec<FieldError>> {
        let one = |checked: Result<(), String>| checked.map_err(|detail| vec![FieldError::new(self.name, detail)]);
        match (self.kind, value) {
            (_, Value::Null) if self.is_required => one(Err("A value is needed.".into())),
            (_, Value::Null) | (FieldKind::Flag, Value::Bool(_)) => Ok(()),
            (FieldKind::Flag, _) => one(Err("Must be true, false or null.".into())),
            (FieldKind::Whole { .. }, Value::Number(number)) => one(self.check_text(&number.to_string())),
            (FieldKind::Whole { least, most }, _) => one(Err(number_words(least, most))),
            (FieldKind::Hostnames { most }, Value::Array(names)) => self.check_names(names, most),
            (FieldKind::Hostnames { .. }, _) => one(Err("Must be a list of host names.".into())),
            (FieldKind::Records(records), Value::Array(items)) => self.check_records(records, items),
            (FieldKind::Records(_), _) => one(Err("Must be a list of objects.".into())),
            (_, Value::String(text)) => one(self.check_text(text)),
            (_, Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_)) => {
                one(Err("Must be a string.".into()))
            }
        }
    }

    /// Checks the text of a form: host names one on each line or between commas, records as JSON.
    ///
    /// # Errors
    /// A sentence for the user if the text is too long or breaks the rules of the field's kind.
    pub fn check_text(&self, text: &str) -> Result<(), String> {
        let length = text.chars().count();
        // For a number that is too long, the message about the range says more.
        if self.max > 0 && length > self.max && !matches!(self.kind, FieldKind::Whole { .. }) {
            return Err(format!("At most {} characters; these are {length}.", self.max));
        }
        if text.trim().is_empty() {
            return if self.is_required { Err("A value is needed.".into()) } else { Ok(()) };
        }
        match self.kind {
            FieldKind::Hostname => check_hostname(text),
            FieldKind::Email => check_email(text),
            FieldKind::Choice(words) if words.contains(&text) => Ok(()),
            FieldKind::Choice(words) => Err(format!("Must be one of {}.", words.join(", "))),
            FieldKind::Repository => check_repository(text),
            FieldKind::GitRef => check_git_ref(text),
            FieldKind::Path => check_path(text),
            FieldKind::Requirements => check_requirements(text),
            FieldKind::Line => check_line(text),
            FieldKind::Yaml => yaml::parse_map(text).map(drop).map_err(|error| error.to_string()),
            FieldKind::Flag => Err("Must be true, false or null.".into()),
            FieldKind::Organization => check_organization(text),
            FieldKind::Whole { least, most } => check_number(text, least, most).map(drop),
            FieldKind::Hostnames { .. } | FieldKind::Records(_) => self.check_as_json(text),
        }
    }

    /// Converts the text of a form to the JSON to send; blank becomes null where the kind has no blank text.
    pub fn value_of(&self, text: &str) -> Value {
        match self.kind.shape() {
            JsonShape::Text => text.into(),
            _ if text.trim().is_empty() => Value::Null,
            JsonShape::Flag => Value::Bool(text.trim() == "true"),
            // The text was checked before.
            JsonShape::Whole(..) => text.trim().parse::<i64>().map_or(Value::Null, Value::from),
            JsonShape::Names(_) => {
                let names = text.split([',', '\n']).map(str::trim).filter(|name| !name.is_empty());
                names.collect::<Vec<_>>().into()
            }
            JsonShape::Records(_) => serde_json::from_str(text).unwrap_or_else(|_| text.into()),
        }
    }

    /// A stored value as a form holds it; the inverse of [`Field::value_of`].
    pub fn text_of(&self, value: &Value) -> String {
        match value {
            Value::Null => String::new(),
            Value::String(text) => text.clone(),
            Value::Array(names) if matches!(self.kind, FieldKind::Hostnames { .. }) => {
                names.iter().filter_map(Value::as_str).collect::<Vec<_>>().join("\n")
            }
            Value::Array(items) if items.is_empty() => String::new(),
            Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => value.to_string(),
        }
    }

    /// Normalizes a value: trims it, and lowers capitals where case makes no difference. YAML stays as it is.
    pub fn tidy(&self, value: &Value) -> Value {
        match (self.kind, value) {
            (FieldKind::Hostnames { .. }, Value::Array(names)) => names
                .iter()
                .map(|name| name.as_str().map_or_else(|| name.clone(), |text| text.trim().to_lowercase().into()))
                .collect(),
            (FieldKind::Records(records), Value::Array(items)) => items
                .iter()
                .map(|item| item.as_object().map_or_else(|| item.clone(), |map| records.tidy(map)))
                .collect(),
            (_, Value::String(text)) => self.tidy_text(text).into(),
            (_, Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_)) => value.clone(),
        }
    }

    fn tidy_text(&self, text: &str) -> String {
        let trimmed = text.trim();
        match self.kind {
            FieldKind::Hostname | FieldKind::Choice(_) => trimmed.to_lowercase(),
            // Only the host's part: the mailbox is case-sensitive for some servers.
            FieldKind::Email => match trimmed.rsplit_once('@') {
                Some((mailbox, host)) => format!("{mailbox}@{}", host.to_lowercase()),
                None => trimmed.to_owned(),
            },
            FieldKind::Repository | FieldKind::GitRef | FieldKind::Path | FieldKind::Line | FieldKind::Organization => {
                trimmed.to_owned()
            }
            FieldKind::Requirements => match requirements_path(text) {
                Some(path) => path.to_owned(),
                None => text.replace("\r\n", "\n"),
            },
            FieldKind::Yaml
            | FieldKind::Flag
            | FieldKind::Whole { .. }
            | FieldKind::Hostnames { .. }
            | FieldKind::Records(_) => text.to_owned(),
        }
    }

    /// Whether a value asks for the default. A YAML text of comments alone does not.
    pub fn is_blank(value: &Value) -> bool {
        match value {
            Value::Null => true,
            Value::String(text) => text.trim().is_empty(),
            Value::Array(items) => items.is_empty(),
            Value::Bool(_) | Value::Number(_) | Value::Object(_) => false,
        }
    }

    /// The value that is stored for a blank field without a default.
    pub(super) fn blank(&self) -> Value {
        match self.kind.shape() {
            JsonShape::Names(_) | JsonShape::Records(_) => Value::Array(Vec::new()),
            JsonShape::Flag => Value::Bool(false),
            JsonShape::Whole(..) => Value::Null,
            JsonShape::Text => Value::String(String::new()),
        }
    }

    fn check_as_json(&self, text: &str) -> Result<(), String> {
        self.check(&self.value_of(text)).map_err(|errors| {
            // `/hooks/0/path` is “1, path” for people.
            let words = |error: FieldError| {
                let mut parts = error.pointer.split('/').skip(2);
                let number = parts.next().and_then(|part| part.parse::<usize>().ok()).map(|at| at + 1);
                match (number, parts.next()) {
                    (None, _) => error.detail,
                    (Some(number), None) => format!("{number}: {}", error.detail),
                    (Some(number), Some(name)) => format!("{number}, {name}: {}", error.detail),
                }
            };
            errors.into_iter().map(words).collect::<Vec<_>>().join(" ")
        })
    }

    fn check_names(&self, names: &[Value], most: usize) -> Result<(), Vec<FieldError>> {
        if names.len() > most {
            return Err(vec![FieldError::new(
                self.name,
                format!("At most {most} host names; these are {}.", names.len()),
            )]);
        }
        let mut errors = Vec::new();
        for (at, name) in names.iter().enumerate() {
            let checked = match name.as_str() {
                Some(text) if names.iter().take(at).any(|before| before == name) => {
                    Err(format!("{text} is there twice."))
                }
                Some(text) => check_hostname(text),
                None => Err("Must be a string.".into()),
            };
            errors.extend(checked.err().map(|detail| self.error_below(&at.to_string(), detail)));
        }
        if errors.is_empty() { Ok(()) } else { Err(errors) }
    }

    fn check_records(&self, records: &Records, items: &[Value]) -> Result<(), Vec<FieldError>> {
        if items.len() > records.most {
            let detail = format!("At most {} of them; these are {}.", records.most, items.len());
            return Err(vec![FieldError::new(self.name, detail)]);
        }
        let mut errors = Vec::new();
        for (at, item) in items.iter().enumerate() {
            let Value::Object(item) = item else {
                errors.push(self.error_below(&at.to_string(), "Must be an object.".into()));
                continue;
            };
            let below = |error: FieldError| FieldError {
                pointer: format!("/{}/{at}{}", self.name, error.pointer),
                detail: error.detail,
            };
            errors.extend(records.check(item).into_iter().map(below));
        }
        if errors.is_empty() { Ok(()) } else { Err(errors) }
    }

    fn error_below(&self, place: &str, detail: String) -> FieldError {
        FieldError { pointer: format!("/{}/{place}", self.name), detail }
    }
}

impl Records {
    fn check(&self, item: &Map<String, Value>) -> Vec<FieldError> {
        let is_unknown = |name: &&String| !self.fields.iter().any(|field| field.name == *name);
        let known = || self.fields.iter().map(|field| field.name).collect::<Vec<_>>().join(", ");
        let unknown = item.keys().filter(is_unknown);
        let unknown =
            unknown.map(|name| FieldError::new(name, format!("There is no such field. There are: {}.", known())));
        let wrong =
            self.fields.iter().filter_map(|field| field.check(item.get(field.name).unwrap_or(&Value::Null)).err());
        unknown.chain(wrong.flatten()).collect()
    }

    /// Every field in the order of the schema, blank ones as null.
    fn tidy(&self, item: &Map<String, Value>) -> Value {
        let mut tidied: Map<String, Value> = item.clone();
        for field in self.fields {
            let value = item.get(field.name).map(|value| field.tidy(value)).unwrap_or_default();
            let value = if Field::is_blank(&value) { Value::Null } else { value };
            tidied.insert(field.name.to_owned(), value);
        }
        tidied.into()
    }
}

#[cfg(test)]
#[path = "field_tests.rs"]
mod tests;

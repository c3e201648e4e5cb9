//! Turns settings that a client sent into settings to store: every field is checked, every default written down.

use serde_json::{Map, Value};

use super::{Field, Schema};
use crate::problem::FieldError;

impl Schema {
    /// Lays `input` over `current`, or over the defaults where there is none. Only fields that the input names change; a blank
    /// one takes its default. `default_of` is given the name of a field and the fields before it, and gives null where blank is
    /// the default.
    ///
    /// # Errors
    /// One entry for each fault, unknown fields among them.
    pub fn apply(
        &self,
        current: Option<&Map<String, Value>>,
        input: &Map<String, Value>,
        default_of: impl Fn(&str, &Map<String, Value>) -> Value,
    ) -> Result<Map<String, Value>, Vec<FieldError>> {
        let unknown = input.keys().filter(|name| self.field(name).is_none());
        let mut errors: Vec<FieldError> = unknown.map(|name| self.unknown(name)).collect();
        let mut stored = current.cloned().unwrap_or_default();
        for field in self.fields {
            let given = match input.get(field.name) {
                Some(value) => field.tidy(value),
                None if current.is_none() => Value::Null,
                None => continue,
            };
            if let Err(wrong) = field.check(&given) {
                errors.extend(wrong);
                continue;
            }
            let value = if Field::is_blank(&given) { default_of(field.name, &stored) } else { given };
            stored.insert(field.name.to_owned(), if value.is_null() { field.blank() } else { value });
        }
        if errors.is_empty() { Ok(stored) } else { Err(errors) }
    }

    fn unknown(&self, name: &str) -> FieldError {
        let known: Vec<_> = self.fields.iter().map(|field| field.name).collect();
        FieldError::new(name, format!("There is no such setting. There are: {}.", known.join(", ")))
    }
}

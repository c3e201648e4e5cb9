//! The list of an application type's fields, used by form, server, client and vault.

use serde_json::{Map, Value};

use super::{Field, FieldKind};
use crate::secret;

/// The fields of one application type, in the order of the form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Schema {
    /// Every field; names are unique.
    pub fields: &'static [Field],
}

impl Schema {
    /// The field with this name.
    pub fn field(&self, name: &str) -> Option<&'static Field> {
        self.fields.iter().find(|field| field.name == name)
    }

    /// Whether the field of this name holds a YAML text, whose secrets are found by reading it.
    pub fn holds_yaml(&self, name: &str) -> bool {
        self.field(name).is_some_and(|field| field.kind == FieldKind::Yaml)
    }

    /// Settings for people, in the order of the fields: secrets are [`secret::HIDDEN`], also those inside YAML and passwords in
    /// URLs. Anything but a map becomes an empty map.
    pub fn masked(&self, settings: &Value) -> Value {
        let Some(settings) = settings.as_object() else { return Value::Object(Map::new()) };
        let shown = |name: &str, value: &Value| match value.as_str() {
            Some(text) if self.holds_yaml(name) => secret::masked_yaml(text).into(),
            Some(_) | None => secret::masked_value(value, secret::is_secret_name(name)),
        };
        let known = self.fields.iter().filter_map(|field| settings.get_key_value(field.name));
        let others = settings.iter().filter(|(name, _)| self.field(name).is_none());
        known.chain(others).map(|(name, value)| (name.clone(), shown(name, value))).collect::<Map<_, _>>().into()
    }
}

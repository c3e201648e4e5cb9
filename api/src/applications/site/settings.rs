//! Turns a user's input into stored settings: checks every field and writes every default.

use serde_json::{Map, Value};
use shared_types::FieldError;
use shared_types::applications::site::{self, SiteSettings, TYPE, whole_hostname};
use shared_types::settings::{Field, FieldKind};

use super::{Defaults, read};
use crate::instances::application::ApplicationError;

/// Merges the input into `current`, or into the defaults if there is none. Only fields in the input change; a list
/// changes as a whole.
///
/// # Errors
/// A [`FieldError`] for each place that is unknown or not valid.
pub(super) fn apply(
    defaults: &Defaults,
    current: Option<&Value>,
    input: &Map<String, Value>,
) -> Result<Value, Vec<FieldError>> {
    let of_all = |error: ApplicationError| vec![FieldError { pointer: String::new(), detail: error.0 }];
    if let Some(current) = current {
        read(current).map_err(of_all)?;
    }
    let known = self::defaults(defaults);
    let default_of = |name: &str, _: &Map<String, Value>| known.get(name).cloned().unwrap_or_default();
    let mut stored = TYPE.schema.apply(current.and_then(Value::as_object), input, default_of)?;
    complete_records(&mut stored);
    let mut settings = read(&Value::Object(stored)).map_err(of_all)?;
    complete_hostnames(&mut settings);
    let errors = site::errors(&settings);
    if !errors.is_empty() {
        return Err(errors);
    }
    serde_json::to_value(settings).map_err(|error| of_all(ApplicationError(error.to_string())))
}

/// The defaults of blank fields; fields without one stay blank.
pub(super) fn defaults(defaults: &Defaults) -> Map<String, Value> {
    let pairs: [(&str, Value); 4] = [
        ("base_domain", defaults.base_domain.as_str().into()),
        ("protocol", defaults.protocol.as_str().into()),
        ("memory_mb", 0.into()),
        ("disk_gb", 0.into()),
    ];
    pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// Writes the defaults of blank fields in records.
fn complete_records(stored: &mut Map<String, Value>) {
    for field in TYPE.schema.fields {
        let FieldKind::Records(records) = field.kind else { continue };
        let items = stored.get_mut(field.name).and_then(Value::as_array_mut);
        for item in items.into_iter().flatten().filter_map(Value::as_object_mut) {
            for inner in records.fields {
                let value = item.entry(inner.name).or_insert(Value::Null);
                if Field::is_blank(value) {
                    *value = site::record_default(field.name, inner.name);
                }
            }
        }
    }
}

/// Completes labels to host names.
fn complete_hostnames(settings: &mut SiteSettings) {
    let SiteSettings { hostnames, base_domain, checks, .. } = settings;
    for name in hostnames.iter_mut().chain(checks.iter_mut().map(|check| &mut check.host)) {
        *name = whole_hostname(name, base_domain);
    }
}

#[cfg(test)]
#[path = "settings_tests.rs"]
mod tests;

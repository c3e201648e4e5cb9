//! From what a person sent to the settings that are stored: every field checked, every default written down.

use serde_json::{Map, Value};
use shared_types::openedx::{FIELDS, Field, FieldKind};
use shared_types::{FieldError, OpenEdxSettings};

use super::names::studio_domain;
use super::{Defaults, read};

/// How long a whole host name may be (RFC 1035), in characters.
const HOSTNAME_MAX: usize = 253;

/// Lays the input over `current`, or over the defaults when there is none. Only fields that the input names change; a blank
/// one takes its default.
///
/// # Errors
/// One entry for each field that is unknown or not valid.
pub(super) fn apply(
    defaults: &Defaults,
    current: Option<&Value>,
    input: &Map<String, Value>,
) -> Result<Value, Vec<FieldError>> {
    let mut errors: Vec<FieldError> =
        input.keys().filter(|name| Field::named(name).is_none()).map(|name| unknown(name)).collect();
    let mut stored = match current.map(read).transpose() {
        Ok(settings) => settings.map(as_map).unwrap_or_default(),
        Err(error) => return Err(vec![FieldError { pointer: String::new(), detail: error.to_string() }]),
    };
    for field in FIELDS {
        let given = match input.get(field.name) {
            Some(value) => tidy(field.kind, value),
            None if current.is_none() => Value::Null,
            None => continue,
        };
        if let Err(detail) = field.check(&given) {
            errors.push(FieldError::new(field.name, detail));
            continue;
        }
        let value = if is_blank(field, &given) { default_of(defaults, field.name, &stored) } else { given };
        stored.insert(field.name.to_owned(), value);
    }
    if !errors.is_empty() {
        return Err(errors);
    }
    let settings = read(&Value::Object(stored))
        .map_err(|error| vec![FieldError { pointer: String::new(), detail: error.to_string() }])?;
    check_together(&settings)?;
    Ok(Value::Object(as_map(settings)))
}

fn unknown(name: &str) -> FieldError {
    let known: Vec<_> = FIELDS.iter().map(|field| field.name).collect();
    FieldError::new(name, format!("There is no such setting. There are: {}.", known.join(", ")))
}

fn as_map(settings: OpenEdxSettings) -> Map<String, Value> {
    match serde_json::to_value(settings) {
        Ok(Value::Object(map)) => map,
        Ok(_) | Err(_) => Map::new(),
    }
}

/// Takes away what people do not mean: spaces around a value, capitals where they make no difference. YAML stays as it is.
fn tidy(kind: FieldKind, value: &Value) -> Value {
    let Value::String(text) = value else { return value.clone() };
    let trimmed = text.trim();
    Value::String(match kind {
        FieldKind::Hostname | FieldKind::Choice(_) => trimmed.to_lowercase(),
        // Only the host's part: the other one is the mailbox owner's business.
        FieldKind::Email => match trimmed.rsplit_once('@') {
            Some((mailbox, host)) => format!("{mailbox}@{}", host.to_lowercase()),
            None => trimmed.to_owned(),
        },
        FieldKind::Repository | FieldKind::GitRef | FieldKind::Organization => trimmed.to_owned(),
        FieldKind::Yaml | FieldKind::Flag | FieldKind::Whole { .. } => text.clone(),
    })
}

fn is_blank(field: &Field, value: &Value) -> bool {
    match value {
        Value::Null => true,
        // Comments alone are worth keeping.
        Value::String(text) => text.trim().is_empty() && field.kind != FieldKind::Flag,
        Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => false,
    }
}

/// The default of a field that is not required. The commit follows the release, which stands before it in the list.
fn default_of(defaults: &Defaults, name: &str, stored: &Map<String, Value>) -> Value {
    let text = match name {
        "base_domain" => &defaults.base_domain,
        "email" => &defaults.email,
        "protocol" => defaults.protocol.as_str(),
        "configuration_source_repo_url" => &defaults.configuration_source_repo_url,
        "configuration_version" => &defaults.configuration_version,
        "edx_platform_repository_url" => &defaults.edx_platform_repository_url,
        "edx_platform_commit" => {
            stored.get("openedx_release").and_then(Value::as_str).unwrap_or(&defaults.openedx_release)
        }
        "openedx_release" => &defaults.openedx_release,
        "github_admin_organization_name" => &defaults.github_admin_organization_name,
        "use_ephemeral_databases" => return Value::Bool(defaults.use_ephemeral_databases),
        _ => "",
    };
    Value::String(text.to_owned())
}

/// What no field can know alone.
fn check_together(settings: &OpenEdxSettings) -> Result<(), Vec<FieldError>> {
    let refuse = |detail: String| Err(vec![FieldError::new("sub_domain", detail)]);
    let length = studio_domain(settings).len();
    if length > HOSTNAME_MAX {
        return refuse(format!(
            "The host name of Studio, `studio.` with both domains, may have {HOSTNAME_MAX} characters; these are {length}."
        ));
    }
    if settings.sub_domain.starts_with("studio.") {
        return refuse("May not begin with `studio.`: that is where an instance's Studio is.".into());
    }
    Ok(())
}

#[cfg(test)]
#[path = "settings_tests.rs"]
mod tests;

//! Turns a user's input into stored settings: checks every field and writes every default.

use serde_json::{Map, Value};
use shared_types::FieldError;
use shared_types::applications::openedx::OpenEdxSettings;
use shared_types::applications::openedx::TYPE;
use shared_types::settings::HOSTNAME_MAX;

use super::names::studio_domain;
use super::{Defaults, read};
use crate::instances::application::ApplicationError;

/// Merges the input into `current`, or into the defaults if there is none.
///
/// # Errors
/// A [`FieldError`] for each field that is unknown or not valid.
pub(super) fn apply(
    defaults: &Defaults,
    current: Option<&Value>,
    input: &Map<String, Value>,
) -> Result<Value, Vec<FieldError>> {
    let whole = |error: ApplicationError| vec![FieldError { pointer: String::new(), detail: error.to_string() }];
    if let Some(current) = current {
        read(current).map_err(whole)?;
    }
    let known = self::defaults(defaults);
    // The commit's default is the release, which precedes it in the list.
    let default_of = |name: &str, before: &Map<String, Value>| match name {
        "edx_platform_commit" => before.get("openedx_release").cloned().unwrap_or_default(),
        _ => known.get(name).cloned().unwrap_or_default(),
    };
    let stored = Value::Object(TYPE.schema.apply(current.and_then(Value::as_object), input, default_of)?);
    check_together(&read(&stored).map_err(whole)?)?;
    Ok(stored)
}

/// The defaults by field name.
pub(super) fn defaults(defaults: &Defaults) -> Map<String, Value> {
    let Defaults {
        base_domain,
        email,
        protocol,
        configuration_source_repo_url,
        configuration_version,
        configuration_playbook,
        configuration_requirements,
        edx_platform_repository_url,
        openedx_release,
        use_ephemeral_databases,
        github_admin_organization_name,
    } = defaults;
    let values: [(&str, Value); 11] = [
        ("base_domain", base_domain.as_str().into()),
        ("email", email.as_str().into()),
        ("protocol", protocol.as_str().into()),
        ("configuration_source_repo_url", configuration_source_repo_url.as_str().into()),
        ("configuration_version", configuration_version.as_str().into()),
        ("configuration_playbook", configuration_playbook.as_str().into()),
        ("configuration_requirements", configuration_requirements.as_str().into()),
        ("edx_platform_repository_url", edx_platform_repository_url.as_str().into()),
        ("openedx_release", openedx_release.as_str().into()),
        ("use_ephemeral_databases", (*use_ephemeral_databases).into()),
        ("github_admin_organization_name", github_admin_organization_name.as_str().into()),
    ];
    values.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// Checks that involve several fields.
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

//! Rules for the fields of a Tutor instance beyond those of their kinds. Pure: the form calls them while a person
//! types, the server before it stores.

use serde_json::{Map, Value};

use super::{keys, lists, text};
use crate::problem::FieldError;
use crate::settings::HOSTNAME_MAX;
use crate::yaml::{self, typed};

/// Host names below the domain that are the instance's own, the longest first.
const BELOW: &[&str] = &["meilisearch.", "preview.", "studio.", "apps."];

/// All errors in settings whose fields are valid by their kinds. Missing fields are ignored.
pub fn errors(settings: &Map<String, Value>) -> Vec<FieldError> {
    let of = |name: &str| settings.get(name).and_then(Value::as_str).unwrap_or_default();
    let mut found = Vec::new();
    let mut refuse = |name: &str, checked: Result<(), String>| {
        found.extend(checked.err().map(|detail| FieldError::new(name, detail)));
    };
    refuse("sub_domain", check_domain(of("sub_domain"), of("base_domain")));
    refuse("email", check_email(of("email")));
    refuse("language", check_language(of("language")));
    refuse("plugins", check_plugins(of("plugins")));
    refuse("requirements", lists::check_packages(of("requirements")));
    refuse("images_to_build", lists::check_names(of("images_to_build")));
    refuse("openedx_image", lists::check_image(of("openedx_image")));
    refuse("mfe_image", lists::check_image(of("mfe_image")));
    let is_built = lists::words(of("images_to_build")).iter().any(|image| matches!(*image, "openedx" | "all"));
    refuse("edx_platform_repository_url", check_platform(of("edx_platform_repository_url"), is_built));
    refuse("edx_platform_commit", check_commit(of("edx_platform_commit"), of("edx_platform_repository_url")));
    let has_both =
        settings.get("persistent_databases") == Some(&Value::Bool(true)) && !of("databases").trim().is_empty();
    let both = || {
        Err("Must be blank with persistent databases: ocim makes them, or they are entered at the instance.".to_owned())
    };
    refuse("databases", if has_both { both() } else { check_databases(of("databases")) });
    refuse("extra_config", check_extra(of("extra_config")));
    found
}

fn check_domain(sub_domain: &str, base_domain: &str) -> Result<(), String> {
    if let Some(below) = BELOW.iter().find(|below| sub_domain.starts_with(*below)) {
        return Err(format!("May not begin with `{below}`: an instance has a site of its own there."));
    }
    let length = BELOW.first().map_or(0, |below| below.len()) + sub_domain.len() + 1 + base_domain.len();
    if length > HOSTNAME_MAX {
        return Err(format!(
            "The longest host name, `meilisearch.` with both domains, may have {HOSTNAME_MAX} characters; these are {length}."
        ));
    }
    Ok(())
}

fn check_email(email: &str) -> Result<(), String> {
    text::fault(email).map_or(Ok(()), |fault| Err(format!("This address {fault}.")))
}

fn check_language(language: &str) -> Result<(), String> {
    if language.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') {
        Ok(())
    } else {
        Err("Must be a language code, like `en` or `pt-br`.".into())
    }
}

fn check_plugins(line: &str) -> Result<(), String> {
    lists::check_names(line)?;
    if lists::words(line).contains(&"ocim") {
        return Err("`ocim` is always enabled: leave it out.".into());
    }
    Ok(())
}

fn check_platform(repository: &str, is_built: bool) -> Result<(), String> {
    if repository.is_empty() {
        return Ok(());
    }
    if !is_built {
        return Err(
            "Only an image that is built contains it: add `openedx` to `images_to_build`, or leave this blank.".into(),
        );
    }
    if !repository.starts_with("https://") {
        return Err("Docker clones it without credentials: only an https URL is possible.".into());
    }
    text::fault(repository).map_or(Ok(()), |fault| Err(format!("This URL {fault}.")))
}

fn check_commit(commit: &str, repository: &str) -> Result<(), String> {
    if !commit.is_empty() && repository.is_empty() {
        return Err("Needs `edx_platform_repository_url`.".into());
    }
    text::fault(commit).map_or(Ok(()), |fault| Err(format!("This reference {fault}.")))
}

fn check_databases(text: &str) -> Result<(), String> {
    let map = yaml::parse_map(text).map_err(|error| error.to_string())?;
    if map.is_empty() {
        return Ok(());
    }
    if let Some(unknown) = map.keys().find(|key| !keys::DATABASES.contains(&key.as_str())) {
        return Err(format!("`{unknown}` is no key for databases. There are: {}.", keys::DATABASES.join(", ")));
    }
    let is_missing = |key: &&&str| map.get(**key).is_none_or(is_blank);
    let missing: Vec<_> = keys::NEEDED.iter().filter(is_missing).copied().collect();
    if !missing.is_empty() {
        return Err(format!(
            "Missing: {}. MySQL, MongoDB and Redis belong together: with one of them on the machine, courses, sessions or \
             queued tasks would be lost at every activation.",
            missing.join(", ")
        ));
    }
    if let Some((key, _)) = map.iter().find(|(_, value)| value.is_array() || value.is_object()) {
        return Err(format!("`{key}` must be a text or a number."));
    }
    all(text::faults(&map))
}

fn is_blank(value: &Value) -> bool {
    value.is_null() || value.as_str().is_some_and(|text| typed::scalar(text).text.is_empty())
}

fn check_extra(text: &str) -> Result<(), String> {
    let map = yaml::parse_map(text).map_err(|error| error.to_string())?;
    let mut found = Vec::new();
    for key in map.keys() {
        match keys::origin(key) {
            Some(origin) => found.push(format!("`{key}` comes from {origin}: leave it out.")),
            None if !keys::is_key(key) => {
                found.push(format!("`{}` is no key of Tutor: these are upper-case names.", text::cleaned(key)));
            }
            None => {}
        }
    }
    found.extend(text::faults(&map));
    all(found)
}

fn all(found: Vec<String>) -> Result<(), String> {
    if found.is_empty() { Ok(()) } else { Err(found.join(" ")) }
}

#[cfg(test)]
#[path = "rules_tests.rs"]
mod tests;

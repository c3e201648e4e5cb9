//! Reads a cloud from `clouds.yaml`, with the secrets that a `secure.yaml` beside it adds, as OpenStack's own clients do.

use std::path::{Path, PathBuf};

use serde_json::{Map, Value};
use shared_types::yaml;
use shared_types::yaml::typed::{self, Kind};

use super::credentials::CloudSettings;
use super::error::OpenStackError;
use super::words::choices;

/// A cloud of `clouds.yaml`.
#[derive(Debug, Clone)]
pub struct Cloud {
    /// Its name in the file: `OS_CLOUD`.
    pub name: String,
    /// The first of these that exists is read.
    pub files: Vec<PathBuf>,
}

/// Reads the settings of a cloud, and says which file has them.
///
/// # Errors
/// [`OpenStackError::Settings`] names the file and what is wrong with it; never with a value, which may be a secret.
pub(super) fn read(cloud: &Cloud) -> Result<(CloudSettings, PathBuf), OpenStackError> {
    let Some(file) = cloud.files.iter().find(|file| file.exists()) else {
        let names = choices(cloud.files.iter().map(|file| file.display().to_string()));
        let words = format!("OS_CLOUD is set, and there is no clouds.yaml (tried: {names})");
        return Err(OpenStackError::Settings(words));
    };
    let mut document = document(file)?;
    let secure = file.with_file_name("secure.yaml");
    if secure.exists() {
        document = yaml::merge(document, self::document(&secure)?);
    }
    let clouds = document.get("clouds").and_then(Value::as_object).cloned().unwrap_or_default();
    let Some(entry) = clouds.get(&cloud.name).and_then(Value::as_object) else {
        let names = choices(clouds.keys().map(|name| typed::shown(name).into_owned()));
        let words = format!("OS_CLOUD names a cloud that {} does not have; it has: {names}", file.display());
        return Err(OpenStackError::Settings(words));
    };
    let entry = Entry { name: &cloud.name, file, entry };
    Ok((entry.settings()?, file.clone()))
}

fn document(file: &Path) -> Result<Map<String, Value>, OpenStackError> {
    let wrong = |words: String| OpenStackError::Settings(format!("{}: {words}", file.display()));
    let text = std::fs::read_to_string(file).map_err(|error| wrong(error.to_string()))?;
    // Only the place: the message may quote a secret.
    yaml::parse_map(&text)
        .map_err(|error| wrong(format!("no valid YAML, line {}, column {}", error.line, error.column)))
}

/// A cloud in the file.
struct Entry<'a> {
    name: &'a str,
    file: &'a Path,
    entry: &'a Map<String, Value>,
}

impl Entry<'_> {
    fn settings(&self) -> Result<CloudSettings, OpenStackError> {
        if self.entry.get("verify") == Some(&Value::Bool(false)) {
            return Err(self.wrong("verify", "is false; name the certificate of the cloud's authority in `cacert`"));
        }
        let kind = self.text("auth_type", self.entry)?;
        if kind.as_deref().is_some_and(|kind| !matches!(kind, "password" | "v3password" | "v3applicationcredential")) {
            return Err(self.wrong("auth_type", "must be `password` or `v3applicationcredential`"));
        }
        let empty = Map::new();
        let auth = self.entry.get("auth").and_then(Value::as_object).unwrap_or(&empty);
        let auth = |key| self.text(key, auth);
        let own = |key| self.text(key, self.entry);
        Ok(CloudSettings {
            has_earlier_names: false,
            cloud: None,
            auth_url: auth("auth_url")?,
            username: auth("username")?,
            password: auth("password")?.map(Into::into),
            project_name: auth("project_name")?,
            project_id: auth("project_id")?,
            user_domain_name: auth("user_domain_name")?,
            user_domain_id: auth("user_domain_id")?,
            project_domain_name: auth("project_domain_name")?,
            project_domain_id: auth("project_domain_id")?,
            region: own("region_name")?,
            interface: own("interface")?,
            application_credential_id: auth("application_credential_id")?,
            application_credential_name: auth("application_credential_name")?,
            application_credential_secret: auth("application_credential_secret")?.map(Into::into),
            ca_file: own("cacert")?.map(PathBuf::from),
        })
    }

    /// A text; none if it is absent, null or empty.
    fn text(&self, key: &str, map: &Map<String, Value>) -> Result<Option<String>, OpenStackError> {
        match map.get(key) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => match typed::scalar(text) {
                found if matches!(found.kind, Kind::Text | Kind::Unsafe) => {
                    Ok(Some(found.text.to_owned()).filter(|text| !text.is_empty()))
                }
                _ => Err(self.wrong(key, "must be a text; put it in quotes")),
            },
            Some(_) => Err(self.wrong(key, "must be a text; put it in quotes")),
        }
    }

    fn wrong(&self, key: &str, words: &str) -> OpenStackError {
        let Self { name, file, .. } = self;
        OpenStackError::Settings(format!("`{key}` of the cloud `{name}` in {} {words}", file.display()))
    }
}

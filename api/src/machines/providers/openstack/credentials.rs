//! The credentials of a cloud: from the variables that OpenStack's own clients read, or from a cloud of `clouds.yaml`.

use std::path::PathBuf;

use secrecy::SecretString;
use serde_json::{Map, Value, json};
use url::Url;

use super::clouds_yaml::{self, Cloud};
use super::error::OpenStackError;

/// The variables `OS_…`, as OpenStack's own clients read them. None: not set.
#[derive(Debug, Clone, Default)]
pub struct CloudSettings {
    /// Whether they were set by the names of OpenCraft's instance manager, which messages then show.
    pub has_earlier_names: bool,
    /// `OS_CLOUD` and the files to look it up in. All but region, interface and certificates then come from there.
    pub cloud: Option<Cloud>,
    /// `OS_AUTH_URL`: Keystone's address, with or without `/v3`.
    pub auth_url: Option<String>,
    /// `OS_USERNAME`.
    pub username: Option<String>,
    /// `OS_PASSWORD`.
    pub password: Option<SecretString>,
    /// `OS_PROJECT_NAME`.
    pub project_name: Option<String>,
    /// `OS_PROJECT_ID`; wins over the name.
    pub project_id: Option<String>,
    /// `OS_USER_DOMAIN_NAME`.
    pub user_domain_name: Option<String>,
    /// `OS_USER_DOMAIN_ID`; wins over the name.
    pub user_domain_id: Option<String>,
    /// `OS_PROJECT_DOMAIN_NAME`.
    pub project_domain_name: Option<String>,
    /// `OS_PROJECT_DOMAIN_ID`; wins over the name.
    pub project_domain_id: Option<String>,
    /// `OS_REGION_NAME`.
    pub region: Option<String>,
    /// `OS_INTERFACE`: `public`, `internal` or `admin`.
    pub interface: Option<String>,
    /// `OS_APPLICATION_CREDENTIAL_ID`.
    pub application_credential_id: Option<String>,
    /// `OS_APPLICATION_CREDENTIAL_NAME`, with the user it belongs to.
    pub application_credential_name: Option<String>,
    /// `OS_APPLICATION_CREDENTIAL_SECRET`.
    pub application_credential_secret: Option<SecretString>,
    /// `OS_CACERT`: a file with certificates (PEM) to trust besides the system's.
    pub ca_file: Option<PathBuf>,
}

/// How to log in to a cloud, and which of its endpoints to use.
#[derive(Debug, Clone)]
pub struct Credentials {
    /// Keystone's address; it ends with `/v3`.
    pub(super) auth_url: Url,
    pub(super) login: Login,
    /// None: the only region that has the service.
    pub(super) region: Option<String>,
    /// `public`, `internal` or `admin`.
    pub(super) interface: String,
    pub(super) ca_file: Option<PathBuf>,
    /// Where they come from, for messages.
    pub(super) source: Source,
}

/// Where settings come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Source {
    /// The variables.
    Variables,
    /// The variables of OpenCraft's instance manager.
    EarlierVariables,
    /// A cloud of this file.
    File { cloud: String, file: PathBuf },
    /// A table of the program's settings file, such as `resources.files`.
    Table(String),
}

#[derive(Debug, Clone)]
pub(super) enum Login {
    Password { user: Named, password: SecretString, project: Named },
    ApplicationCredential { credential: Named, secret: SecretString },
}

/// A user, a project or an application credential, as Keystone is asked for it: `{"id": …}`, or `{"name": …}` with what
/// makes the name unique.
#[derive(Debug, Clone)]
pub(super) struct Named(pub(super) Map<String, Value>);

impl Named {
    fn of_id(id: &str) -> Self {
        Self([("id".to_owned(), id.into())].into_iter().collect())
    }

    fn of_name(name: &str, within: &str, owner: Value) -> Self {
        Self([("name".to_owned(), name.into()), (within.to_owned(), owner)].into_iter().collect())
    }
}

impl CloudSettings {
    /// The credentials that these settings make.
    ///
    /// # Errors
    /// [`OpenStackError::Settings`] names the variables that are missing, or contradict each other, or the place in
    /// `clouds.yaml`.
    pub fn credentials(self) -> Result<Credentials, OpenStackError> {
        let Some(cloud) = &self.cloud else {
            let source = if self.has_earlier_names { Source::EarlierVariables } else { Source::Variables };
            return self.checked(source);
        };
        self.refuse_together(&Source::Variables, "OS_CLOUD", "the cloud in clouds.yaml has the credentials")?;
        let (found, file) = clouds_yaml::read(cloud)?;
        let merged = Self {
            region: self.region.or(found.region),
            interface: self.interface.or(found.interface),
            ca_file: self.ca_file.or(found.ca_file),
            ..found
        };
        merged.checked(Source::File { cloud: cloud.name.clone(), file })
    }

    /// The credentials that a table of the program's settings file makes; messages name it.
    ///
    /// # Errors
    /// [`OpenStackError::Settings`] names what is missing.
    pub fn credentials_of(self, table: &str) -> Result<Credentials, OpenStackError> {
        self.checked(Source::Table(table.to_owned()))
    }

    fn checked(self, source: Source) -> Result<Credentials, OpenStackError> {
        let auth_url = self.auth_url.as_deref().ok_or_else(|| missing(&source, &["OS_AUTH_URL"]))?;
        let auth_url = keystone(auth_url, &source)?;
        let interface = interface(self.interface.as_deref(), &source)?;
        let login = if self.has_application_credential() {
            self.application_credential(&source)?
        } else {
            self.password(&source)?
        };
        Ok(Credentials { auth_url, login, region: self.region, interface, ca_file: self.ca_file, source })
    }

    fn has_application_credential(&self) -> bool {
        self.application_credential_id.is_some()
            || self.application_credential_name.is_some()
            || self.application_credential_secret.is_some()
    }

    fn password(&self, source: &Source) -> Result<Login, OpenStackError> {
        let user = self.user(source)?;
        let project = match (&self.project_id, &self.project_name) {
            (Some(id), _) => Named::of_id(id),
            (None, Some(name)) => {
                let names = ["OS_PROJECT_DOMAIN_NAME", "OS_PROJECT_DOMAIN_ID"];
                let domain = domain(&self.project_domain_id, &self.project_domain_name);
                Named::of_name(name, "domain", domain.ok_or_else(|| missing(source, &names))?)
            }
            (None, None) => return Err(missing(source, &["OS_PROJECT_NAME", "OS_PROJECT_ID"])),
        };
        let password = self.password.clone().ok_or_else(|| missing(source, &["OS_PASSWORD"]))?;
        Ok(Login::Password { user, password, project })
    }

    fn application_credential(&self, source: &Source) -> Result<Login, OpenStackError> {
        let why = "an application credential belongs to one project and has no password";
        let projects = [(self.password.is_some(), "OS_PASSWORD")].into_iter().chain(self.projects());
        if let Some((_, name)) = projects.into_iter().find(|(is_set, _)| *is_set) {
            return Err(together(source, "OS_APPLICATION_CREDENTIAL_ID", name, why));
        }
        let credential = match (&self.application_credential_id, &self.application_credential_name) {
            (Some(id), _) => Named::of_id(id),
            (None, Some(name)) => Named::of_name(name, "user", self.user(source)?.0.into()),
            (None, None) => {
                let names = ["OS_APPLICATION_CREDENTIAL_ID", "OS_APPLICATION_CREDENTIAL_NAME"];
                return Err(missing(source, &names));
            }
        };
        let secret = self.application_credential_secret.clone();
        let secret = secret.ok_or_else(|| missing(source, &["OS_APPLICATION_CREDENTIAL_SECRET"]))?;
        Ok(Login::ApplicationCredential { credential, secret })
    }

    fn user(&self, source: &Source) -> Result<Named, OpenStackError> {
        let name = self.username.as_ref().ok_or_else(|| missing(source, &["OS_USERNAME"]))?;
        let domain = domain(&self.user_domain_id, &self.user_domain_name);
        let domain = domain.ok_or_else(|| missing(source, &["OS_USER_DOMAIN_NAME", "OS_USER_DOMAIN_ID"]))?;
        Ok(Named::of_name(name, "domain", domain))
    }

    fn projects(&self) -> [(bool, &'static str); 2] {
        [(self.project_name.is_some(), "OS_PROJECT_NAME"), (self.project_id.is_some(), "OS_PROJECT_ID")]
    }

    /// Refuses credentials beside this variable.
    fn refuse_together(&self, source: &Source, variable: &str, why: &str) -> Result<(), OpenStackError> {
        let given = [
            (self.auth_url.is_some(), "OS_AUTH_URL"),
            (self.username.is_some(), "OS_USERNAME"),
            (self.password.is_some(), "OS_PASSWORD"),
            (self.application_credential_id.is_some(), "OS_APPLICATION_CREDENTIAL_ID"),
            (self.application_credential_name.is_some(), "OS_APPLICATION_CREDENTIAL_NAME"),
            (self.application_credential_secret.is_some(), "OS_APPLICATION_CREDENTIAL_SECRET"),
        ];
        match given.into_iter().chain(self.projects()).find(|(is_set, _)| *is_set) {
            Some((_, name)) => Err(together(source, variable, name, why)),
            None => Ok(()),
        }
    }
}

impl Source {
    /// How the operator sees this variable: its name, or its place in the file.
    pub(super) fn shown(&self, variable: &str) -> String {
        let (cloud, file) = match self {
            Self::Variables => return variable.to_owned(),
            Self::EarlierVariables => return earlier_name(variable).unwrap_or(variable).to_owned(),
            Self::Table(table) => return format!("{} of [{table}]", in_table(variable)),
            Self::File { cloud, file } => (cloud, file),
        };
        let key = variable.trim_start_matches("OS_").to_ascii_lowercase();
        let section = if matches!(key.as_str(), "region_name" | "interface" | "cacert") { "" } else { "auth." };
        format!("`{section}{key}` of the cloud `{cloud}` in {}", file.display())
    }
}

/// The name that OpenCraft's instance manager had for a variable.
fn earlier_name(variable: &str) -> Option<&'static str> {
    const NAMES: [(&str, &str); 5] = [
        ("OS_AUTH_URL", "OPENSTACK_AUTH_URL"),
        ("OS_USERNAME", "OPENSTACK_USER"),
        ("OS_PASSWORD", "OPENSTACK_PASSWORD"),
        ("OS_PROJECT_NAME", "OPENSTACK_TENANT"),
        ("OS_REGION_NAME", "OPENSTACK_REGION"),
    ];
    NAMES.into_iter().find(|(name, _)| *name == variable).map(|(_, earlier)| earlier)
}

/// Where a table has the value of a variable.
fn in_table(variable: &str) -> &str {
    match variable {
        "OS_AUTH_URL" => "`url`",
        "OS_USERNAME" => "the user in `url`",
        "OS_PASSWORD" => "the password in `url`",
        "OS_PROJECT_NAME" | "OS_PROJECT_ID" => "`project`",
        "OS_PROJECT_DOMAIN_NAME" | "OS_PROJECT_DOMAIN_ID" => "`project_domain`",
        "OS_USER_DOMAIN_NAME" | "OS_USER_DOMAIN_ID" => "`user_domain`",
        "OS_REGION_NAME" => "`region`",
        other => other,
    }
}

fn domain(id: &Option<String>, name: &Option<String>) -> Option<Value> {
    match (id, name) {
        (Some(id), _) => Some(json!({ "id": id })),
        (None, Some(name)) => Some(json!({ "name": name })),
        (None, None) => None,
    }
}

/// Keystone's address with `/v3`.
fn keystone(text: &str, source: &Source) -> Result<Url, OpenStackError> {
    let wrong = |words: &str| OpenStackError::Settings(format!("{} {words}", source.shown("OS_AUTH_URL")));
    let mut url = Url::parse(text.trim()).map_err(|error| wrong(&format!("is no URL: {error}")))?;
    if !matches!(url.scheme(), "http" | "https") || url.host().is_none() {
        return Err(wrong("must begin with http:// or https:// and name a host"));
    }
    if !url.username().is_empty() || url.password().is_some() || url.query().is_some() {
        return Err(wrong("must have no user, password and query"));
    }
    let path = url.path().trim_end_matches('/').to_owned();
    if path.ends_with("/v2.0") {
        return Err(wrong("ends with /v2.0, which Keystone no longer has; use the address that ends with /v3"));
    }
    url.set_path(&if path.ends_with("/v3") { path } else { format!("{path}/v3") });
    Ok(url)
}

/// `public` for `public` and `publicURL`, and so on; `public` without any.
fn interface(text: Option<&str>, source: &Source) -> Result<String, OpenStackError> {
    let name = text.unwrap_or("public").trim_end_matches("URL");
    if matches!(name, "public" | "internal" | "admin") {
        return Ok(name.to_owned());
    }
    let words = "must be `public`, `internal` or `admin`";
    Err(OpenStackError::Settings(format!("{} {words}", source.shown("OS_INTERFACE"))))
}

fn missing(source: &Source, variables: &[&str]) -> OpenStackError {
    let names: Vec<_> = variables.iter().map(|variable| source.shown(variable)).collect();
    OpenStackError::Settings(format!("{} is not set; OpenStack's credentials are incomplete", names.join(" or ")))
}

fn together(source: &Source, one: &str, other: &str, why: &str) -> OpenStackError {
    let (one, other) = (source.shown(one), source.shown(other));
    OpenStackError::Settings(format!("{one} and {other} are both set, and {why}: remove {other}"))
}

//! What the tables of stores of objects have: an address of HTTP with user and key, and how buckets are found there.

use secrecy::SecretString;
use shared_types::ResourceKind;
use url::Url;

use super::{Administrator, Table, decoded, is_local};

/// The domain of Keystone that users and projects are in, unless a table says otherwise.
pub const DOMAIN: &str = "Default";
/// How the path of Keystone ends.
pub const KEYSTONE: &str = "/v3";
/// How the path of a login without Keystone ends.
const TEMP_AUTH: &str = "/v1.0";

/// How a store of objects is reached.
#[derive(Debug, Clone)]
pub struct StoreSettings {
    /// Its address, without user and key; of Swift that of the login.
    pub url: Url,
    /// The region; none: the store's only one.
    pub region: Option<String>,
    /// Whether buckets are named in the host and not in the path; none: as such a host wants it. Only of S3.
    pub is_virtual: Option<bool>,
    /// What the user belongs to; none: the login is not that of Keystone. Only of Swift.
    pub project: Option<Project>,
}

/// A project of Keystone, with the domains of project and user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Project {
    /// The project's name.
    pub name: String,
    /// The domain that the project is in.
    pub project_domain: String,
    /// The domain that the user is in.
    pub user_domain: String,
}

/// Whether a kind's table is one of these.
pub(super) const fn has(kind: ResourceKind) -> bool {
    kind.is_object_storage()
}

/// Takes what a table has of a store. The messages do not quote the URL, because it holds a key.
pub(super) fn read(
    table: &mut Table,
    kind: ResourceKind,
    text: &str,
) -> Result<(Administrator, StoreSettings), String> {
    let (administrator, mut url) = account(kind, text)?;
    let region = table.text("region")?;
    let (mut is_virtual, mut project) = (None, None);
    if kind == ResourceKind::S3 {
        is_virtual = match table.text("addressing")?.as_deref() {
            None => None,
            Some("path") => Some(false),
            Some("virtual") => Some(true),
            Some(_) => return Err("`addressing` must be `path` or `virtual`".to_owned()),
        };
        if !matches!(url.path(), "" | "/") {
            return Err("`url` must have no path; ocim names the buckets itself".to_owned());
        }
    } else {
        let path = url.path().trim_end_matches('/').to_owned();
        url.set_path(if path.is_empty() { KEYSTONE } else { &path });
        project = self::project(table, &url)?;
    }
    Ok((administrator, StoreSettings { url, region, is_virtual, project }))
}

fn project(table: &mut Table, url: &Url) -> Result<Option<Project>, String> {
    let name = table.text("project")?;
    let (project_domain, user_domain) = (table.text("project_domain")?, table.text("user_domain")?);
    let path = url.path();
    if path.ends_with(KEYSTONE) {
        let name = name.ok_or("`project` is missing: the name of the user's project")?;
        let or_default = |domain: Option<String>| domain.unwrap_or_else(|| DOMAIN.to_owned());
        let (project_domain, user_domain) = (or_default(project_domain), or_default(user_domain));
        return Ok(Some(Project { name, project_domain, user_domain }));
    }
    if !path.ends_with(TEMP_AUTH) {
        return Err(format!(
            "the path of `url` must end with {KEYSTONE} (Keystone) or {TEMP_AUTH} (a store without it)"
        ));
    }
    match name.or(project_domain).or(user_domain) {
        Some(_) => Err(format!(
            "`project` and the domains are Keystone's, and the path of `url` ends with {TEMP_AUTH}; remove them"
        )),
        None => Ok(None),
    }
}

/// The account in a URL, and the URL without it.
fn account(kind: ResourceKind, text: &str) -> Result<(Administrator, Url), String> {
    let form = if kind == ResourceKind::S3 {
        "`url` must be https://KEY:SECRET@host"
    } else {
        "`url` must be https://user:key@host/v3"
    };
    let mut url = Url::parse(text).map_err(|error| {
        let path = if text.starts_with(['/', '.', '~']) { ", and not a path" } else { "" };
        format!("{form}{path}; characters other than letters and digits as %2F ({error})")
    })?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(format!("{form}; its scheme is `{}`", url.scheme()));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(format!("{form}, without `?` and `#`"));
    }
    let host = url.host_str().ok_or_else(|| format!("{form}; it names no host"))?;
    let user = decoded(url.username())?;
    let key = url.password().map(decoded).transpose()?.filter(|key| !key.is_empty());
    let (false, Some(key)) = (user.is_empty(), key) else {
        return Err(format!("{form}; it names no user and key"));
    };
    let administrator = Administrator {
        host: host.trim_matches(['[', ']']).to_owned(),
        port: url.port_or_known_default().unwrap_or(kind.port()),
        user,
        password: Some(SecretString::from(key)),
        database: None,
        is_local: is_local(&url),
    };
    // Only a URL without a host has no place for them.
    let _ = (url.set_username(""), url.set_password(None));
    Ok((administrator, url))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]
    use secrecy::ExposeSecret as _;

    use super::super::tests::load;
    use super::*;

    fn refused(file: &str) -> String {
        let words = load(file).unwrap_err().0;
        assert!(!words.contains("hidden-1"), "{words}");
        words
    }

    #[test]
    fn a_store_is_an_address_of_http_with_its_key() {
        let all = load(
            "[resources.files]\nkind = \"s3\"\nurl = \"https://AKIA1:a%2Fb+c@s3.eu-west-1.amazonaws.com\"\nregion = \"eu-west-1\"\n\
             [resources.minio]\nkind = \"s3\"\nurl = \"http://k:s@[::1]:9000/\"\naddressing = \"virtual\"\nmachines_host = \"10.0.0.5\"\n",
        )
        .unwrap();
        let [amazon, minio] = all.as_slice() else { panic!("{all:?}") };
        let store = amazon.store.as_ref().unwrap();
        assert_eq!((amazon.administrator.user.as_str(), amazon.administrator.port), ("AKIA1", 443));
        assert_eq!(amazon.administrator.password.as_ref().unwrap().expose_secret(), "a/b+c");
        assert_eq!(
            (store.url.as_str(), store.region.as_deref()),
            ("https://s3.eu-west-1.amazonaws.com/", Some("eu-west-1"))
        );
        assert!(amazon.has_tls && amazon.machines_have_tls && !amazon.is_default && store.is_virtual.is_none());
        assert_eq!((minio.machines_host.as_str(), minio.machines_port, minio.has_tls), ("10.0.0.5", 9000, false));
        assert_eq!(minio.store.as_ref().unwrap().is_virtual, Some(true));
        assert!(!format!("{all:?}").contains("a/b"), "keys are not printed");
    }

    #[test]
    fn swift_is_logged_in_to_at_keystone_or_at_the_store_itself() {
        let all = load(
            "[resources.one]\nkind = \"swift\"\nurl = \"https://ocim:k@cloud.example:5000\"\nproject = \"campus\"\nuser_domain = \"u\"\n\
             [resources.two]\nkind = \"swift\"\nurl = \"http://campus%3Aocim:k@127.0.0.1:8080/auth/v1.0\"\n",
        )
        .unwrap();
        let [keystone, own] = all.as_slice() else { panic!("{all:?}") };
        let (store, other) = (keystone.store.as_ref().unwrap(), own.store.as_ref().unwrap());
        let project = Project { name: "campus".into(), project_domain: "Default".into(), user_domain: "u".into() };
        assert_eq!((store.url.as_str(), store.project.as_ref()), ("https://cloud.example:5000/v3", Some(&project)));
        assert_eq!(
            (own.administrator.user.as_str(), other.url.path(), &other.project),
            ("campus:ocim", "/auth/v1.0", &None)
        );
    }

    #[test]
    fn what_is_wrong_with_a_store_is_named_without_its_key() {
        let s3 = |url: &str| format!("[resources.main]\nkind = \"s3\"\nurl = \"{url}\"\n");
        let swift = |url: &str| format!("[resources.main]\nkind = \"swift\"\nurl = \"{url}\"\n");
        for (file, expected) in [
            (s3("s3://k:hidden-1@h"), "`url` must be https://KEY:SECRET@host; its scheme is `s3`"),
            (s3("/srv/hidden-1"), "`url` must be https://KEY:SECRET@host, and not a path"),
            (s3("https://h"), "`url` must be https://KEY:SECRET@host; it names no user and key"),
            (s3("https://hidden-1@h"), "`url` must be https://KEY:SECRET@host; it names no user and key"),
            (s3("https://k:hidden-1@h/bucket"), "`url` must have no path"),
            (s3("https://k:hidden-1@h?x=1"), "`url` must be https://KEY:SECRET@host, without `?`"),
            (s3("https://k:hidden-1@h") + "addressing = \"x\"", "`addressing` must be"),
            (s3("https://k:hidden-1@h") + "tls = true", "`tls` is for databases"),
            (s3("https://k:hidden-1@h") + "project = \"x\"", "there is no key `project`"),
            (s3("http://k:hidden-1@h") + "ca_file = \"x\"", "`ca_file` is set"),
            (swift("https://u:hidden-1@h/v3"), "`project` is missing"),
            (swift("https://u:hidden-1@h/v2.0"), "the path of `url` must end with /v3"),
            (swift("https://u:hidden-1@h/auth/v1.0") + "project = \"x\"", "`project` and the domains are Keystone's"),
        ] {
            let words = refused(&file);
            assert!(words.starts_with(&format!("[resources.main]: {expected}")), "{file}: {words}");
        }
    }
}

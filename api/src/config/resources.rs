//! The servers that hold what instances have outside their machines: the tables `[resources.NAME]` of the settings file.

mod bucket;
mod stores;

use std::collections::BTreeMap;
use std::path::PathBuf;

use config::{Map, Value};
use secrecy::SecretString;
use shared_types::{ResourceKind, ResourceServerName};
use url::Url;

use super::ConfigError;
use super::address::is_loopback;
use super::sections::Settings;

pub use stores::{DOMAIN, KEYSTONE, Project, StoreSettings};

/// The key of all tables in the settings file.
pub(super) const TABLES: &str = "resources";
/// How many databases a Redis has, unless its table says otherwise: Redis' own default.
const NUMBERS: u32 = 16;

/// A server that the settings name.
#[derive(Debug, Clone)]
pub struct ResourceSettings {
    /// The name of its table.
    pub name: ResourceServerName,
    /// The kind of the server.
    pub kind: ResourceKind,
    /// The administrator's connection.
    pub administrator: Administrator,
    /// The host that app servers connect to.
    pub machines_host: String,
    /// The port that app servers connect to.
    pub machines_port: u16,
    /// Whether the administrator's connections use TLS; the certificate is verified.
    pub has_tls: bool,
    /// Whether app servers must use TLS.
    pub machines_have_tls: bool,
    /// The certificates of the authorities to trust, as PEM; none: the system's.
    pub ca_file: Option<PathBuf>,
    /// Whether instances that choose no server of its kind get this one.
    pub is_default: bool,
    /// Whether only one instance may use it.
    pub is_exclusive: bool,
    /// How many numbered databases it has; only of Redis.
    pub numbers: u32,
    /// How a store of objects is reached; none: it is a server of databases.
    pub store: Option<StoreSettings>,
}

/// Where and as whom ocim connects to a server.
#[derive(Debug, Clone)]
pub struct Administrator {
    /// A name or an address; of IPv6 without brackets.
    pub host: String,
    /// The port.
    pub port: u16,
    /// The user; blank: the kind's default user.
    pub user: String,
    /// The password; none: the server asks for none.
    pub password: Option<SecretString>,
    /// The database to connect to; only of PostgreSQL.
    pub database: Option<String>,
    /// Whether the host is this one.
    is_local: bool,
}

impl Settings {
    /// The servers for resources, by name.
    ///
    /// # Errors
    /// [`ConfigError`] names the table and the key, and says what is wrong; it contains no value of `url`.
    pub fn resources(&self) -> Result<Vec<ResourceSettings>, ConfigError> {
        let mut all = Vec::new();
        for (name, table) in self.values.tables(TABLES)? {
            let wrong = |words: String| ConfigError(format!("[{TABLES}.{name}]: {words}"));
            let parsed = name.parse().map_err(wrong)?;
            all.push(Table(table).read(parsed).map_err(wrong)?);
        }
        all.sort_by(|one, other| one.name.cmp(&other.name));
        choose_defaults(&mut all, self.backup_bucket()?.map(|bucket| bucket.server).as_ref())?;
        Ok(all)
    }
}

/// The only server of a kind is its default. Of several, at most one says so. That of backups must say so: app servers get the key of
/// their instance's server.
fn choose_defaults(all: &mut [ResourceSettings], of_backups: Option<&ResourceServerName>) -> Result<(), ConfigError> {
    let mut of_kind: BTreeMap<ResourceKind, Vec<&mut ResourceSettings>> = BTreeMap::new();
    for one in all.iter_mut().filter(|one| one.is_default || of_backups != Some(&one.name)) {
        of_kind.entry(one.kind).or_default().push(one);
    }
    for (kind, mut servers) in of_kind {
        if servers.iter().filter(|one| one.is_default).count() > 1 {
            let words = format!("two servers of the kind `{kind}` have default = true; one may");
            return Err(ConfigError(words));
        }
        if let [only] = servers.as_mut_slice() {
            only.is_default = true;
        }
    }
    Ok(())
}

/// A table whose keys are taken out one after another.
struct Table(Map<String, Value>);

impl Table {
    fn read(mut self, name: ResourceServerName) -> Result<ResourceSettings, String> {
        let kind = self.text("kind")?.unwrap_or_else(|| name.as_str().to_owned());
        let kind: ResourceKind = kind.parse().map_err(|words| format!("`kind` {words}"))?;
        if !kind.can_be_made() {
            return Err(format!(
                "ocim cannot make anything at a server of {}; an administrator enters host and password at the instance",
                kind.name()
            ));
        }
        let form = if stores::has(kind) { "https://user:key@host" } else { "kind://user:password@host:port" };
        let url = self.text("url")?.ok_or_else(|| format!("`url` is missing: the administrator's, as `{form}`"))?;
        let ca_file = self.text("ca_file")?.map(PathBuf::from);
        let tls = self.flag("tls")?;
        if stores::has(kind) && tls.is_some() {
            return Err("`tls` is for databases; the scheme of `url` says it for a store: https or http".to_owned());
        }
        let (administrator, store, has_tls) = if stores::has(kind) {
            let (administrator, store) = stores::read(&mut self, kind, &url)?;
            let has_tls = store.url.scheme() == "https";
            (administrator, Some(store), has_tls)
        } else {
            let administrator = administrator(kind, &url)?;
            let has_tls = tls.unwrap_or(!administrator.is_local || ca_file.is_some());
            (administrator, None, has_tls)
        };
        if ca_file.is_some() && !has_tls {
            return Err("`ca_file` is set, and `tls` is false; remove one of them".to_owned());
        }
        let numbers = self.number("databases")?;
        if numbers.is_some() && kind != ResourceKind::Redis {
            return Err("`databases` is for the kind `redis` only".to_owned());
        }
        let read = ResourceSettings {
            name,
            kind,
            machines_host: self.text("machines_host")?.unwrap_or_else(|| administrator.host.clone()),
            machines_port: self.port("machines_port")?.unwrap_or(administrator.port),
            administrator,
            has_tls,
            machines_have_tls: self.flag("machines_tls")?.unwrap_or(has_tls),
            ca_file,
            is_default: self.flag("default")?.unwrap_or_default(),
            is_exclusive: self.flag("exclusive")?.unwrap_or_default(),
            numbers: numbers.unwrap_or(NUMBERS),
            store,
        };
        match self.0.keys().next() {
            Some(unknown) => Err(format!("there is no key `{unknown}`")),
            None => Ok(read),
        }
    }

    fn text(&mut self, key: &str) -> Result<Option<String>, String> {
        let text = self.0.remove(key).map(Value::into_string).transpose();
        // The error would quote the value, which may be secret.
        let text = text.map_err(|_| format!("`{key}` must be a text"))?;
        Ok(text.filter(|text| !text.trim().is_empty()))
    }

    fn flag(&mut self, key: &str) -> Result<Option<bool>, String> {
        self.0.remove(key).map(Value::into_bool).transpose().map_err(|_| format!("`{key}` must be true or false"))
    }

    fn number(&mut self, key: &str) -> Result<Option<u32>, String> {
        let number = self.0.remove(key).map(Value::into_uint).transpose().ok();
        let number = number.and_then(|number| number.map(u32::try_from).transpose().ok());
        number.filter(|number| *number != Some(0)).ok_or_else(|| format!("`{key}` must be a number from 1"))
    }

    fn port(&mut self, key: &str) -> Result<Option<u16>, String> {
        let number = self.number(key)?.map(u16::try_from).transpose();
        number.map_err(|_| format!("`{key}` must be a port, 1 to 65535"))
    }
}

/// Reads the administrator's URL. The messages do not quote it, because it holds a password.
fn administrator(kind: ResourceKind, text: &str) -> Result<Administrator, String> {
    let form = format!("`url` must be {kind}://user:password@host:port");
    let schemes: &[&str] = match kind {
        ResourceKind::Mysql => &["mysql"],
        ResourceKind::Postgresql => &["postgresql", "postgres"],
        ResourceKind::Redis => &["redis"],
        ResourceKind::Mongodb | ResourceKind::S3 | ResourceKind::Swift => &[],
    };
    let scheme_is = |url: &Url| schemes.contains(&url.scheme());
    let url = Url::parse(text).map_err(|error| {
        let path = if text.starts_with(['/', '.', '~']) { ", and not a path" } else { "" };
        format!("{form}{path} ({error})")
    })?;
    if !scheme_is(&url) {
        return Err(format!("{form}; its scheme is `{}`", url.scheme()));
    }
    let host = url.host_str().filter(|host| !host.is_empty()).ok_or_else(|| format!("{form}; it names no host"))?;
    if url.query().is_some() || url.fragment().is_some() {
        return Err(format!("{form}, without `?` and `#`; TLS is set by `tls` and `ca_file`"));
    }
    let path = decoded(url.path().trim_start_matches('/'))?;
    let database = Some(path).filter(|path| !path.is_empty());
    if database.is_some() && (kind != ResourceKind::Postgresql || url.path().matches('/').count() > 1) {
        return Err(format!("{form}, without a path; ocim names the databases itself"));
    }
    let user = decoded(url.username())?;
    if user.is_empty() && kind != ResourceKind::Redis {
        return Err(format!("{form}; it names no user"));
    }
    let password = url.password().map(decoded).transpose()?;
    Ok(Administrator {
        host: host.trim_matches(['[', ']']).to_owned(),
        port: url.port().unwrap_or(kind.port()),
        user,
        password: password.map(SecretString::from),
        database,
        is_local: is_local(&url),
    })
}

/// Hosts of these schemes are texts for the parser of URLs, also where they are addresses.
fn is_local(url: &Url) -> bool {
    let address = |host: &str| host.trim_matches(['[', ']']).parse::<std::net::IpAddr>();
    is_loopback(url) || url.host_str().is_some_and(|host| address(host).is_ok_and(|address| address.is_loopback()))
}

fn decoded(text: &str) -> Result<String, String> {
    // In these URLs a plus sign stands for itself.
    let pair = format!("x={}", text.replace('+', "%2B"));
    let decoded = url::form_urlencoded::parse(pair.as_bytes()).next().map(|(_, value)| value.into_owned());
    decoded.ok_or_else(|| "`url` cannot be decoded".to_owned())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]
    use secrecy::ExposeSecret as _;

    use super::*;

    pub(super) fn load(file: &str) -> Result<Vec<ResourceSettings>, ConfigError> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("ocim.toml");
        std::fs::write(&path, file).unwrap();
        Settings::of([("OCIM_CONFIG", path.to_str().unwrap()), ("OCIM_PROVIDER", "local")], &[])?.resources()
    }

    #[test]
    fn a_table_names_a_server() {
        let all = load(
            "[resources.main]\nkind = \"mysql\"\nurl = \"mysql://ocim:p%40s+s@db.example\"\nmachines_host = \"10.0.0.5\"\n\
             [resources.redis]\nurl = \"redis://:x@127.0.0.1:6400\"\ndatabases = 64\nexclusive = true\n\
             [resources.pg]\nkind = \"postgresql\"\nurl = \"postgres://a:b@[::1]/admin\"\n",
        )
        .unwrap();
        let [main, pg, redis] = all.as_slice() else { panic!("{all:?}") };
        assert_eq!((main.kind, main.administrator.port, main.machines_port), (ResourceKind::Mysql, 3306, 3306));
        assert_eq!((main.administrator.host.as_str(), main.machines_host.as_str()), ("db.example", "10.0.0.5"));
        assert_eq!(main.administrator.password.as_ref().unwrap().expose_secret(), "p@s+s");
        assert!(main.has_tls && main.machines_have_tls && main.is_default && !main.is_exclusive);
        assert_eq!((pg.administrator.host.as_str(), pg.administrator.database.as_deref()), ("::1", Some("admin")));
        assert!(!pg.has_tls, "it is on this machine");
        assert_eq!((redis.kind, redis.numbers, redis.is_exclusive), (ResourceKind::Redis, 64, true));
        assert_eq!((redis.administrator.user.as_str(), redis.has_tls), ("", false));
        assert!(!format!("{all:?}").contains("p@s"), "passwords are not printed");
        assert!(load("").unwrap().is_empty());
    }

    #[test]
    fn of_several_servers_one_may_be_the_default() {
        let two = "[resources.a]\nkind = \"mysql\"\nurl = \"mysql://u:p@a\"\n[resources.b]\nkind = \"mysql\"\nurl = \"mysql://u:p@b\"\n";
        assert!(load(two).unwrap().iter().all(|one| !one.is_default));
        assert!(load(&format!("{two}default = true\n")).unwrap()[1].is_default);
        let both = two.replace("@a\"", "@a\"\ndefault = true") + "default = true\n";
        assert!(load(&both).unwrap_err().0.contains("two servers of the kind `mysql`"));
    }

    #[test]
    fn what_is_wrong_in_a_table_is_named_without_its_url() {
        let url = |url: &str| format!("[resources.main]\nkind = \"mysql\"\nurl = \"{url}\"\n");
        for (file, expected) in [
            ("[resources.Main]\nurl = \"x\"".to_owned(), "[resources.Main]: A server's name has 1 to 32"),
            ("[resources.main]\nurl = \"x\"".to_owned(), "[resources.main]: `kind` must be one of mysql"),
            (
                "[resources.main]\nkind = \"mongodb\"".to_owned(),
                "[resources.main]: ocim cannot make anything at a server of MongoDB",
            ),
            ("[resources.mysql]".to_owned(), "[resources.mysql]: `url` is missing"),
            (
                url("/var/lib/mysql/hidden-1"),
                "[resources.main]: `url` must be mysql://user:password@host:port, and not a path",
            ),
            (
                url("file:///var/lib/hidden-1"),
                "[resources.main]: `url` must be mysql://user:password@host:port; its scheme is `file`",
            ),
            (
                url("postgres://u:hidden-1@h"),
                "[resources.main]: `url` must be mysql://user:password@host:port; its scheme",
            ),
            (url("mysql://u:hidden-1@"), "[resources.main]: `url` must be mysql://"),
            (url("mysql://h"), "[resources.main]: `url` must be mysql://user:password@host:port; it names no user"),
            (
                url("mysql://u:hidden-1@h/data"),
                "[resources.main]: `url` must be mysql://user:password@host:port, without a path",
            ),
            (
                url("mysql://u:hidden-1@h?ssl=0"),
                "[resources.main]: `url` must be mysql://user:password@host:port, without `?`",
            ),
            (url("mysql://u:p@h") + "tls = 7\nport = 1", "[resources.main]: "),
            (url("mysql://u:p@h") + "databases = 3", "[resources.main]: `databases` is for the kind `redis` only"),
            (url("mysql://u:p@h") + "machines_port = 70000", "[resources.main]: `machines_port` must be a port"),
            (
                url("mysql://u:p@h") + "tls = false\nca_file = \"x\"",
                "[resources.main]: `ca_file` is set, and `tls` is false",
            ),
            (url("mysql://u:p@h") + "shoe_size = 43", "[resources.main]: there is no key `shoe_size`"),
            ("resources = 7".to_owned(), "`resources` must hold tables"),
        ] {
            let error = load(&file).unwrap_err().0;
            assert!(error.starts_with(expected) && !error.contains("hidden-1"), "{file}: {error}");
        }
    }
}

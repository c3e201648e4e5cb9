//! The servers of what instances have outside their machines, as the settings say. They are not asked at the start: a server
//! that is away prevents none.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use secrecy::{ExposeSecret as _, SecretString};
use shared_types::ResourceKind;
use url::Url;

use super::StartError;
use crate::config::Settings;
use crate::config::resources::{Administrator, DOMAIN, KEYSTONE, Project, ResourceSettings, StoreSettings};
use crate::machines::provider::ProviderError;
use crate::machines::providers::openstack::{CloudSettings, ObjectStorage};
use crate::resources::connection::Connection;
use crate::resources::objects::{self as content, OpenStore};
use crate::resources::providers::mysql::Mysql;
use crate::resources::providers::postgresql::Postgresql;
use crate::resources::providers::redis::Redis;
use crate::resources::providers::s3::{Addressing, Objects, S3, is_amazon};
use crate::resources::providers::swift::{Access, Login, Swift, TempAuth};
use crate::resources::providers::{Administered, Emptying, ObjectStore};
use crate::resources::registry::{Named, Servers};
use crate::resources::server::{Account, Endpoint, ResourceServer, ServerError};
use crate::resources::tls::Tls;

/// Opens the servers that the settings name.
///
/// # Errors
/// An error that names the table, and says what is wrong.
pub fn servers(settings: &Settings) -> Result<Servers, StartError> {
    let mut all = Vec::new();
    for own in settings.resources()? {
        let (name, is_default, is_exclusive) = (own.name.clone(), own.is_default, own.is_exclusive);
        let server = open(own).map_err(|words| format!("[resources.{name}]: {words}"))?;
        all.push(Named { name, server, is_default, is_exclusive });
    }
    Ok(Servers::new(all).opening(Arc::new(EnteredStores)))
}

/// A bucket of a store.
///
/// # Errors
/// A message that says what is wrong with the table.
pub(super) fn objects(own: ResourceSettings, bucket: &str) -> Result<Objects, String> {
    let ResourceSettings { administrator, machines_host, machines_port, has_tls, .. } = own;
    let store = own.store.ok_or("it is no store of objects")?;
    let tls = if has_tls { Tls::Verified(own.ca_file) } else { Tls::Off };
    let endpoint = Endpoint { host: machines_host, port: machines_port, has_tls: own.machines_have_tls };
    let password = administrator.password.unwrap_or_else(|| String::new().into());
    let account = Account { username: administrator.user, password };
    let at = ObjectStore { url: store.url.clone(), account, tls, endpoint, emptying: Emptying::default() };
    let addressing = addressing(&store);
    Objects::new(&at, store.region, addressing, bucket)
}

fn open(own: ResourceSettings) -> Result<Arc<dyn ResourceServer>, String> {
    let ResourceSettings { name, kind, administrator, machines_host, machines_port, has_tls, .. } = own;
    let Administrator { host, port, user, password, database, .. } = administrator;
    let tls = if has_tls { Tls::Verified(own.ca_file.clone()) } else { Tls::Off };
    let endpoint = Endpoint { host: machines_host, port: machines_port, has_tls: own.machines_have_tls };
    if let Some(store) = own.store {
        let password = password.unwrap_or_else(|| String::new().into());
        let account = Account { username: user, password };
        let at = ObjectStore { url: store.url.clone(), account, tls, endpoint, emptying: Emptying::default() };
        if kind == ResourceKind::S3 {
            return Ok(Arc::new(s3(at, store)?));
        }
        return Ok(Arc::new(swift(at, store, (name.as_str(), own.ca_file))?));
    }
    let at = Administered { host, port, user, password, database, tls, endpoint };
    Ok(match kind {
        ResourceKind::Mysql => Arc::new(Mysql::new(at)?),
        ResourceKind::Postgresql => Arc::new(Postgresql::new(at)?),
        ResourceKind::Redis => Arc::new(Redis::new(at, own.numbers)?),
        ResourceKind::Mongodb | ResourceKind::S3 | ResourceKind::Swift => {
            return Err(format!("ocim cannot make anything at a server of {}", kind.name()));
        }
    })
}

fn s3(at: ObjectStore, store: StoreSettings) -> Result<S3, String> {
    let addressing = addressing(&store);
    S3::new(at, store.region, addressing)
}

fn addressing(store: &StoreSettings) -> Addressing {
    let is_virtual = store.is_virtual.unwrap_or_else(|| is_amazon(store.url.host_str().unwrap_or_default()));
    if is_virtual { Addressing::Virtual } else { Addressing::Path }
}

fn swift(at: ObjectStore, store: StoreSettings, (name, ca_file): (&str, Option<PathBuf>)) -> Result<Swift, String> {
    let mut options = BTreeMap::from([("auth_path".to_owned(), store.url.path().to_owned())]);
    options.extend(store.region.clone().map(|region| ("region".to_owned(), region)));
    let login: Arc<dyn Login> = match store.project {
        None => Arc::new(TempAuth::new(at.url.clone(), at.account.clone(), &at.tls)?),
        Some(Project { name: project, project_domain, user_domain }) => {
            options.extend([
                ("project".to_owned(), project.clone()),
                ("project_domain".to_owned(), project_domain.clone()),
                ("user_domain".to_owned(), user_domain.clone()),
            ]);
            let cloud = CloudSettings {
                auth_url: Some(at.url.to_string()),
                username: Some(at.account.username.clone()),
                password: Some(at.account.password.expose_secret().into()),
                project_name: Some(project),
                project_domain_name: Some(project_domain),
                user_domain_name: Some(user_domain),
                region: store.region,
                ca_file,
                ..CloudSettings::default()
            };
            let credentials = cloud.credentials_of(&format!("resources.{name}")).map_err(|error| error.to_string())?;
            Arc::new(Keystone(ObjectStorage::new(credentials).map_err(|error| error.to_string())?))
        }
    };
    Swift::new(at, login, options)
}

/// Opens stores whose credentials an operator has entered, as those of the settings.
#[derive(Debug)]
struct EnteredStores;

impl OpenStore for EnteredStores {
    fn open(&self, connection: &Connection) -> Result<Arc<dyn content::Objects>, String> {
        let Connection { kind, endpoint, username, password, databases: _, options } = connection;
        let account = Account { username: username.clone(), password: password.clone() };
        let tls = if endpoint.has_tls { Tls::Verified(None) } else { Tls::Off };
        let option = |name: &str| options.get(name).cloned();
        let path = option("auth_path").unwrap_or_else(|| KEYSTONE.to_owned());
        let path = if *kind == ResourceKind::Swift { path } else { "/".to_owned() };
        let url: Url = endpoint.url(&path).parse().map_err(|_| "its address cannot be used".to_owned())?;
        let at = ObjectStore { url, account, tls, endpoint: endpoint.clone(), emptying: Emptying::default() };
        let domain = |name: &str| option(name).unwrap_or_else(|| DOMAIN.to_owned());
        let project = match at.url.path().trim_end_matches('/').ends_with(KEYSTONE) {
            true => Some(Project {
                name: option("project").ok_or("its option `project` is missing")?,
                project_domain: domain("project_domain"),
                user_domain: domain("user_domain"),
            }),
            false => None,
        };
        let is_virtual = option("addressing").filter(|word| word != "auto").map(|word| word == "virtual");
        let store = StoreSettings { url: at.url.clone(), region: option("region"), is_virtual, project };
        match kind {
            ResourceKind::S3 => Ok(Arc::new(s3(at, store)?)),
            ResourceKind::Swift => Ok(Arc::new(swift(at, store, ("entered", None))?)),
            ResourceKind::Mysql | ResourceKind::Postgresql | ResourceKind::Redis | ResourceKind::Mongodb => {
                Err(format!("{} has no objects", kind.name()))
            }
        }
    }
}

/// The login to Swift by Keystone, with the client that machines of OpenStack use.
#[derive(Debug)]
struct Keystone(ObjectStorage);

#[async_trait]
impl Login for Keystone {
    async fn log_in(&self, refused: Option<&SecretString>) -> Result<Access, ServerError> {
        match self.0.access(refused).await {
            Ok((url, token)) => Ok(Access { url, token }),
            Err(error) => Err(match ProviderError::from(error) {
                ProviderError::Transient(words) => ServerError::Away(words),
                ProviderError::Permanent(words) | ProviderError::Quota(words) => ServerError::Refused(words),
            }),
        }
    }
}

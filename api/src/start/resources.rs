//! The servers of what instances have outside their machines, as the settings say. They are not asked at the start: a server
//! that is away prevents none.

use std::sync::Arc;

use super::StartError;
use crate::config::Settings;
use crate::config::resources::{Administrator, ResourceSettings};
use crate::resources::providers::Administered;
use crate::resources::providers::mysql::Mysql;
use crate::resources::providers::postgresql::Postgresql;
use crate::resources::providers::redis::Redis;
use crate::resources::registry::{Named, Servers};
use crate::resources::server::{Endpoint, ResourceServer};
use crate::resources::tls::Tls;
use shared_types::ResourceKind;

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
    Ok(Servers::new(all))
}

fn open(own: ResourceSettings) -> Result<Arc<dyn ResourceServer>, String> {
    let ResourceSettings { kind, administrator, machines_host, machines_port, has_tls, machines_have_tls, .. } = own;
    let Administrator { host, port, user, password, database, .. } = administrator;
    let tls = if has_tls { Tls::Verified(own.ca_file) } else { Tls::Off };
    let endpoint = Endpoint { host: machines_host, port: machines_port, has_tls: machines_have_tls };
    let at = Administered { host, port, user, password, database, tls, endpoint };
    Ok(match kind {
        ResourceKind::Mysql => Arc::new(Mysql::new(at)?),
        ResourceKind::Postgresql => Arc::new(Postgresql::new(at)?),
        ResourceKind::Redis => Arc::new(Redis::new(at, own.numbers)?),
        ResourceKind::Mongodb => return Err("ocim cannot make anything at a server of MongoDB".to_owned()),
    })
}

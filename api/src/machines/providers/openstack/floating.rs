//! Floating addresses of our servers. Ours are known by their description, which has the installation's and the server's
//! id; others are never touched.

use std::net::IpAddr;

use reqwest::Method;
use serde::Deserialize;
use serde_json::json;
use shared_types::ServerId;

use super::catalog::Service;
use super::choosing;
use super::error::OpenStackError;
use super::nova;
use super::session::{Call, Session};

#[derive(Deserialize)]
struct Made {
    floatingip: FloatingIp,
}

#[derive(Deserialize)]
struct FloatingIp {
    id: String,
    #[serde(default)]
    description: String,
    floating_ip_address: IpAddr,
    #[serde(default)]
    port_id: Option<String>,
}

#[derive(Deserialize)]
struct Port {
    id: String,
    #[serde(default)]
    device_id: String,
    #[serde(default)]
    fixed_ips: Vec<FixedIp>,
}

#[derive(Deserialize)]
struct FixedIp {
    ip_address: IpAddr,
}

fn description(installation: &str, server: ServerId) -> String {
    format!("ocim {installation} server {server}")
}

impl FloatingIp {
    /// Our id of the server that it was made for; none: it belongs to others, and must not be touched.
    fn server(&self, installation: &str) -> Option<ServerId> {
        let id = self.description.strip_prefix("ocim ")?.strip_prefix(installation)?.strip_prefix(" server ")?;
        let id = id.parse::<i64>().ok().and_then(|id| ServerId::try_from(id).ok())?;
        (self.description == description(installation, id)).then_some(id)
    }
}

/// Gives a server a floating address of this pool, unless it has one: finds the one that an earlier call made, or makes
/// one. None: its port is not there yet.
pub(super) async fn attach(
    session: &Session,
    pool: &str,
    installation: &str,
    server: ServerId,
    nova_id: &str,
) -> Result<Option<IpAddr>, OpenStackError> {
    let Some(port) = port(session, nova_id).await? else { return Ok(None) };
    let description = description(installation, server);
    let ours = ours(session, &description).await?;
    if let Some(there) = ours.iter().find(|one| one.port_id.as_ref() == Some(&port)) {
        return Ok(Some(there.floating_ip_address));
    }
    let what = format!("Give server {nova_id} a floating address");
    let answer = match ours.into_iter().find(|one| one.port_id.is_none()) {
        Some(unused) => {
            let body = json!({ "floatingip": { "port_id": port } });
            let path = ["floatingips", &unused.id];
            let call = Call::post(Service::Network, &path, body, what);
            session.send(&Call { method: Method::PUT, ..call }).await
        }
        None => {
            let network = choosing::pool(session, pool).await?.id;
            let body = json!({ "floating_network_id": network, "port_id": port, "description": description });
            let body = json!({ "floatingip": body });
            session.send(&Call::post(Service::Network, &["floatingips"], body, what)).await
        }
    };
    Ok(Some(answer?.json::<Made>()?.floatingip.floating_ip_address))
}

/// Releases every floating address that was made for a server.
pub(super) async fn release(session: &Session, installation: &str, server: ServerId) -> Result<(), OpenStackError> {
    for one in ours(session, &description(installation, server)).await? {
        delete(session, &one).await?;
    }
    Ok(())
}

/// Releases the addresses that were made for servers that no longer exist, for example because others deleted them, and that
/// no port has. Gives what was done, in words.
pub(super) async fn release_leftovers(session: &Session, installation: &str) -> Result<Vec<String>, OpenStackError> {
    let call = Call::get(Service::Network, &["floatingips"], "List floating addresses");
    let all: Vec<FloatingIp> = match session.list(call, "floatingips").await {
        // A cloud without routers has none.
        Err(error) if error.status() == Some(404) => return Ok(Vec::new()),
        all => all?,
    };
    let unused = all.into_iter().filter(|one| one.port_id.is_none());
    let unused: Vec<_> = unused.filter_map(|one| Some((one.server(installation)?, one))).collect();
    if unused.is_empty() {
        return Ok(Vec::new());
    }
    // Listed later than the addresses, each of which was made for a server that existed.
    let servers: Vec<_> = nova::list(session).await?.iter().filter_map(|one| one.server_id(installation)).collect();
    let mut released = Vec::new();
    for (server, one) in unused.into_iter().filter(|(server, _)| !servers.contains(server)) {
        if still_unused(session, &one).await? {
            delete(session, &one).await?;
            released.push(format!(
                "floating address {}, whose server {server} is gone, was released",
                one.floating_ip_address
            ));
        }
    }
    Ok(released)
}

/// Whether an address still is as it was listed.
async fn still_unused(session: &Session, one: &FloatingIp) -> Result<bool, OpenStackError> {
    let path = ["floatingips", &one.id];
    let what = format!("Look at the floating address {}", one.floating_ip_address);
    match session.send(&Call::get(Service::Network, &path, what)).await {
        Ok(answer) => {
            let now = answer.json::<Made>()?.floatingip;
            Ok(now.port_id.is_none() && now.description == one.description)
        }
        Err(error) if error.status() == Some(404) => Ok(false),
        Err(error) => Err(error),
    }
}

async fn delete(session: &Session, one: &FloatingIp) -> Result<(), OpenStackError> {
    let what = format!("Release the floating address {}", one.floating_ip_address);
    let path = ["floatingips", &one.id];
    match session.send(&Call { method: Method::DELETE, ..Call::get(Service::Network, &path, what) }).await {
        Err(error) if error.status() != Some(404) => Err(error),
        Ok(_) | Err(_) => Ok(()),
    }
}

async fn ours(session: &Session, description: &str) -> Result<Vec<FloatingIp>, OpenStackError> {
    let query = [("description", description)];
    let call = Call::get(Service::Network, &["floatingips"], "List floating addresses");
    let mut all: Vec<FloatingIp> = session.list(Call { query: &query, ..call }, "floatingips").await?;
    // The filter only saves traffic; it is not relied on.
    all.retain(|one| one.description == description);
    Ok(all)
}

/// The port that Nova made for a server: one with an IPv4 address.
async fn port(session: &Session, nova_id: &str) -> Result<Option<String>, OpenStackError> {
    let query = [("device_id", nova_id)];
    let call = Call::get(Service::Network, &["ports"], format!("List the ports of server {nova_id}"));
    let all: Vec<Port> = session.list(Call { query: &query, ..call }, "ports").await?;
    let has_ipv4 = |port: &Port| port.fixed_ips.iter().any(|fixed| fixed.ip_address.is_ipv4());
    Ok(all.into_iter().find(|port| port.device_id == nova_id && has_ipv4(port)).map(|port| port.id))
}

//! `ocim gateway`: the agent of a gateway and its HAProxy; and who may be a gateway.

use std::os::unix::process::CommandExt;

use tokio_util::sync::CancellationToken;

use super::report::say;
use super::serve::until_signal;
use super::{StartError, database, limits};
use crate::config::Settings;
use crate::config::gateway::GatewaySettings;
use crate::gateway::agent::Agent;
use crate::platform::files;
use crate::platform::origin::Actor;
use crate::routing::gateways::{self, GatewayFault};
use crate::routing::providers::haproxy::{GatewayConfig, HaproxyProcess, HaproxyRoutes};
use crate::routing::traffic::Traffic;

const ACTOR: &Actor = &Actor::Shell;

/// Runs the agent until SIGINT or SIGTERM.
///
/// # Errors
/// An error that names the missing setting, or says what is wrong with the directory.
pub async fn agent(settings: Settings) -> Result<(), StartError> {
    let server = settings.gateway.ocim_gateway_server.as_deref();
    let server = server.ok_or("OCIM_GATEWAY_SERVER must be the address of the servers, as https://ocim.example")?;
    let token = settings.gateway.ocim_gateway_token.clone();
    let token = token.ok_or("OCIM_GATEWAY_TOKEN must be what `ocim admin add-gateway` has printed")?;
    let config = config(&settings)?;
    let agent = Agent::new(server, token, &config).map_err(|error| format!("OCIM_GATEWAY_SERVER: {error}"))?;
    let stop = CancellationToken::new();
    let running = tokio::spawn({
        let stop = stop.clone();
        async move { agent.run(&stop).await }
    });
    say("The agent of a gateway gives its HAProxy the servers' routes. Ctrl-C stops it; HAProxy goes on serving.");
    until_signal().await?;
    stop.cancel();
    Ok(running.await?)
}

/// Writes HAProxy's configuration, and becomes HAProxy unless `only_prepares`.
///
/// # Errors
/// An error that says why HAProxy cannot be started.
pub fn proxy(settings: &Settings, only_prepares: bool) -> Result<(), StartError> {
    let process = HaproxyProcess::prepare(&config(settings)?)?;
    if only_prepares {
        return Ok(());
    }
    Err(process.command().exec().into())
}

/// Checks whether the HAProxy of this host serves, for a program that moves an address between gateways.
///
/// # Errors
/// An error that says that it does not.
pub async fn check(settings: &Settings) -> Result<(), StartError> {
    HaproxyRoutes::new(&config(settings)?).answers().await.map_err(|error| error.to_string().into())
}

/// Adds a gateway, or gives it a new token, and prints the token.
///
/// # Errors
/// An error if the name is not valid, or the database is not available.
pub async fn add(settings: &Settings, name: &str) -> Result<(), StartError> {
    let db = database::attach(settings, &settings.data.ocim_data_dir).await?;
    let token = match gateways::add(&db, ACTOR, name).await {
        Err(GatewayFault::Taken(_)) => gateways::renew_token(&db, ACTOR, name).await?,
        added => added.map_err(|fault| format!("the name {name}: {fault}"))?,
    };
    say(token.reveal());
    Ok(())
}

/// Removes a gateway.
///
/// # Errors
/// An error if there is no such gateway, or the database is not available.
pub async fn remove(settings: &Settings, name: &str) -> Result<(), StartError> {
    let db = database::attach(settings, &settings.data.ocim_data_dir).await?;
    gateways::remove(&db, ACTOR, name).await?;
    say(format_args!("There is no gateway {name} any more; stop its HAProxy when no visitor is sent there"));
    Ok(())
}

fn config(settings: &Settings) -> Result<GatewayConfig, StartError> {
    let dir = settings.data.ocim_data_dir.join("gateway");
    files::private_dir(&dir).map_err(|error| format!("the directory {} cannot be made: {error}", dir.display()))?;
    Ok(GatewayConfig {
        settings: GatewaySettings::new(settings)?,
        dir: dir.canonicalize()?,
        connections: limits::raise_and_size(),
    })
}

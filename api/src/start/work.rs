//! `ocim worker`: builds beside a server, on the same database. Serves no requests; starts and stops only its builds.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::report::say;
use super::serve::{finish_or_hand_over, until_signal};
use super::{StartError, data_dir, database, limits, outside, vault};
use crate::config::Settings;
use crate::config::gateway::GatewaySettings;
use crate::platform::events::Bus;
use crate::routing::providers::agents::Agents;
use crate::routing::providers::direct::Direct;
use crate::routing::traffic::Traffic;
use crate::system::opened_walls;
use crate::worker::{Duties, Worker};

/// Runs builds until SIGINT or SIGTERM.
///
/// # Errors
/// An error that says what is missing, and what to do.
pub async fn work(settings: Settings) -> Result<(), StartError> {
    limits::raise_open_files();
    opened_walls::log(&settings);
    let data_dir = data_dir::open(&settings.data.ocim_data_dir)?;
    let db = database::attach(&settings, &data_dir).await?;
    database::same_version(&db).await?;
    let keyring = vault::keyring(&settings, &data_dir, &db, false).await?;
    let outside = outside::open(&settings, &data_dir, &db, &keyring, None).await?;
    let gateway = GatewaySettings::new(&settings)?;
    let traffic: Arc<dyn Traffic> = match gateway.has_agents {
        true => Arc::new(Agents { db: db.clone(), front: gateway.front }),
        false => Arc::new(Direct { front: gateway.front }),
    };
    let parts = outside.parts(&settings, &data_dir, db.clone(), traffic, keyring)?;
    let watch = parts.assemble(&settings)?;
    let stop = CancellationToken::new();
    let bus = Bus::start(db, stop.clone()).await?;
    // Without agents, the gateway runs on the server's host, and only the server configures it.
    let duties = Duties { slots: settings.builds.ocim_build_slots, tells_gateway: gateway.has_agents };
    let worker = Worker::start(watch, &bus, duties, stop.clone()).await?;
    say(format_args!("A worker builds {} app servers at once. Ctrl-C stops it.", settings.builds.ocim_build_slots));
    until_signal().await?;
    finish_or_hand_over(&settings, &worker).await?;
    stop.cancel();
    worker.ended().await;
    Ok(())
}

//! What a server says of itself to the other servers of its database, and what it needs of them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tokio::time::{MissedTickBehavior, interval, sleep};
use tokio_util::sync::CancellationToken;

use super::StartError;
use super::report::say;
use crate::platform::db::{Db, DbError};
use crate::platform::jobs::workers::{HEARTBEAT, LEASE};
use crate::platform::peers::store::{self as servers, ServerReport, ServerRow};

/// The pause between looks whether another server has ended.
const LOOK: Duration = Duration::from_millis(500);

/// Checks that the servers of this database have gateways with agents, or that this is the only server. One that was killed
/// counts until its last sign of life is 15 s old.
///
/// # Errors
/// An error that names the other server and the setting.
pub(super) async fn refuse_second_gateway(db: &Db, has_gateway: bool) -> Result<(), StartError> {
    let began = Instant::now();
    loop {
        let live = servers::live(&mut *db.conn().await?).await?;
        let Some(other) = live.iter().find(|other| has_gateway || other.has_gateway) else { return Ok(()) };
        if began.elapsed() > LEASE {
            return Err(refusal(other, has_gateway).into());
        }
        if began.elapsed() < LOOK {
            say(format_args!("▸ Another server, on {}, uses this database; waiting for it to end …", other.hostname));
        }
        sleep(LOOK).await;
    }
}

fn refusal(other: &ServerRow, has_gateway: bool) -> String {
    let host = &other.hostname;
    let which = match (has_gateway, other.has_gateway) {
        (true, true) => "it and this server run a gateway each",
        (true, false) => "this server would run a gateway of its own",
        (false, _) => "it runs a gateway of its own",
    };
    format!(
        "another server, on {host}, uses this database, and {which}: a switch of traffic would reach one of the gateways only. \
         Set OCIM_GATEWAY_AGENTS=true for all servers and run `ocim gateway` on the gateways' hosts (docs/gateways.md), or stop \
         the other server"
    )
}

/// Says every few seconds that this server lives, until `stop`, and keeps whether there are others.
pub(super) async fn show(db: Db, report: ServerReport, are_others: Arc<AtomicBool>, stop: CancellationToken) {
    let mut beat = interval(HEARTBEAT);
    beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while stop.run_until_cancelled(beat.tick()).await.is_some() {
        let told = async { servers::report(&mut *db.vital().await?, &report).await };
        match told.await {
            Ok(others) => are_others.store(others > 0, Ordering::Relaxed),
            Err(error) => tracing::warn!(%error, "the server could not show that it lives"),
        }
    }
    let left = async { servers::remove(&mut *db.vital().await?).await };
    let left: Result<(), DbError> = left.await;
    if let Err(error) = left {
        tracing::debug!(%error, "the server could not sign off");
    }
}

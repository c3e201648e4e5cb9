//! Servers of one database tell each other which requests they have accepted, so that a rate limit counts those of all.
//!
//! They do so once a second, by notifications of the database, and only while there are other servers. A limit may be exceeded
//! by what the others accept within that second.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::sync::broadcast::error::RecvError;
use tokio::time::{MissedTickBehavior, interval};

use super::store;
use crate::platform::db::{Db, DbError};
use crate::platform::events::Bus;
use crate::platform::events::bus::Signal;
use crate::platform::guard::{Accepted, Guard};
use crate::platform::jobs::holder;

/// The interval between messages to the other servers.
const INTERVAL: Duration = Duration::from_secs(1);
/// The most keys of each kind in one message: a notification has at most 8,000 bytes.
const MOST: usize = 30;
/// The most messages in one interval; what is left is told in the next one.
const MESSAGES: usize = 10;

/// What one server tells the others.
#[derive(Debug, Serialize, Deserialize)]
struct Told {
    /// The server, as leases name it.
    from: String,
    accepted: Accepted,
}

/// Tells the other servers what this one has accepted while there are any, and counts what they have. Returns when the bus ends.
pub async fn exchange(db: Db, bus: Bus, guard: Arc<Guard>, are_others: Arc<AtomicBool>) {
    let (me, mut signals, mut ticks) = (holder::this_process(), bus.subscribe(), interval(INTERVAL));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            signal = signals.recv() => match signal {
                Ok(Signal::Rates(told)) => hear(&guard, &me, &told),
                // What was missed is not counted: it is a second's.
                Ok(Signal::Event(_) | Signal::Access(_) | Signal::Gateways | Signal::Gap) | Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => return,
            },
            _ = ticks.tick() => match are_others.load(Ordering::Relaxed) {
                true => {
                    if let Err(error) = tell(&db, &guard, &me).await {
                        tracing::debug!(%error, "the other servers were not told which requests were accepted");
                    }
                }
                false => guard.rates.forget_untold(),
            },
        }
    }
}

async fn tell(db: &Db, guard: &Guard, me: &str) -> Result<(), DbError> {
    for _ in 0..MESSAGES {
        let accepted = guard.rates.tell(MOST);
        if accepted.is_empty() {
            return Ok(());
        }
        let told = serde_json::to_string(&Told { from: me.to_owned(), accepted })?;
        store::tell(&mut *db.vital().await?, &told).await?;
    }
    Ok(())
}

fn hear(guard: &Guard, me: &str, told: &str) {
    match serde_json::from_str::<Told>(told) {
        Ok(Told { from, accepted }) if from != me => guard.rates.hear(&accepted),
        Ok(_) => {}
        Err(error) => tracing::debug!(%error, "what another server has accepted could not be read"),
    }
}

//! One connection that listens for notifications, and a broadcast of them to the subscribers in this process.

use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use shared_types::{Event, UserId};
use tokio::sync::broadcast;
use tokio_util::sync::CancellationToken;

use crate::platform::db::{self, Db, DbError};

/// The NOTIFY channel for rows of `events`.
const EVENTS: &str = "ocim_events";
/// The NOTIFY channel for the ids of users whose permissions have changed.
const ACCESS: &str = "ocim_access";
/// The NOTIFY channel for what the agents of gateways wait for.
pub const GATEWAYS: &str = "ocim_gateways";
/// The NOTIFY channel for the requests that servers have accepted.
pub const RATES: &str = "ocim_rates";
/// How many signals a slow subscriber may lag behind before some are dropped and it is told so.
const CAPACITY: usize = 4096;
/// How long to wait before reconnecting after the connection broke.
const RETRY: Duration = Duration::from_millis(500);

/// Broadcasts events to subscribers in this process. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Bus {
    sender: broadcast::Sender<Signal>,
}

/// A message to a subscriber.
#[derive(Debug, Clone)]
pub enum Signal {
    /// A row was added to `events`.
    Event(Event),
    /// This user's permissions have changed, or one of their sessions or tokens has ended.
    Access(UserId),
    /// The agents of gateways are wanted: their routes have changed, or they are to count.
    Gateways,
    /// A server, which may be this one, has accepted requests: its message to the others.
    Rates(Arc<str>),
    /// Events may have been missed: read the tables.
    Gap,
}

impl Bus {
    /// Starts to listen; returns once the database has confirmed it, so that no later event is missed.
    ///
    /// # Errors
    /// [`DbError`] if the server does not answer.
    pub async fn start(db: Db, stop: CancellationToken) -> Result<Self, DbError> {
        let (sender, _) = broadcast::channel(CAPACITY);
        let connection = listen(&db).await?;
        tokio::spawn(follow(db, connection, sender.clone(), stop));
        Ok(Self { sender })
    }

    /// Receives the signals from now on.
    pub fn subscribe(&self) -> broadcast::Receiver<Signal> {
        self.sender.subscribe()
    }
}

async fn listen(db: &Db) -> Result<diesel_async::AsyncPgConnection, DbError> {
    let mut connection = db.listen(EVENTS).await?;
    db::listen_too(&mut connection, ACCESS).await?;
    db::listen_too(&mut connection, GATEWAYS).await?;
    db::listen_too(&mut connection, RATES).await?;
    Ok(connection)
}

async fn follow(
    db: Db,
    mut connection: diesel_async::AsyncPgConnection,
    sender: broadcast::Sender<Signal>,
    stop: CancellationToken,
) {
    loop {
        let ended = stop.run_until_cancelled(forward(&mut connection, &sender)).await;
        if ended.is_none() {
            return;
        }
        tracing::warn!("the listening connection broke; events resume as soon as it is back");
        connection = loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(RETRY) => {}
            }
            if let Ok(fresh) = listen(&db).await {
                break fresh;
            }
        };
        // `send` fails only if there is no subscriber.
        let _ = sender.send(Signal::Gap);
    }
}

/// Forwards notifications until the connection breaks.
async fn forward(connection: &mut diesel_async::AsyncPgConnection, sender: &broadcast::Sender<Signal>) {
    let mut notifications = std::pin::pin!(connection.notifications_stream());
    while let Some(Ok(notification)) = notifications.next().await {
        let signal = match notification.channel.as_str() {
            GATEWAYS => Ok(Signal::Gateways),
            RATES => Ok(Signal::Rates(notification.payload.into())),
            ACCESS => notification.payload.parse().map(Signal::Access).map_err(|error| error.to_string()),
            _ => serde_json::from_str(&notification.payload).map(Signal::Event).map_err(|error| error.to_string()),
        };
        match signal {
            Ok(signal) => {
                let _ = sender.send(signal);
            }
            Err(error) => tracing::error!(%error, "a notification could not be read"),
        }
    }
}

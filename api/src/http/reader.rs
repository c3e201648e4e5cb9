//! A reader of a stream: receives events as long as its user may read. The end of a session, token or permission is
//! announced on the event bus too, so that streams end at once in every process.

use std::time::Duration;

use chrono::Utc;
use shared_types::{Event, ProblemType};
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::{RecvError, TryRecvError};

use super::error::ApiError;
use crate::app::App;
use crate::platform::events::bus::Signal;
use crate::platform::guard::{Full, StreamsPermit};
use crate::platform::users::{Principal, store};

/// The delay before the permission is checked again after a database error.
const RETRY: Duration = Duration::from_millis(500);

/// A message to a reader.
#[derive(Debug)]
pub enum Heard {
    /// An object has changed.
    Event(Event),
    /// Events may have been missed: read the tables.
    Gap,
}

/// The subscription of one open stream.
#[derive(Debug)]
pub struct Reader {
    receiver: Receiver<Signal>,
    who: Principal,
    app: App,
    /// Whether the permission was verified after the last signal that may have changed it.
    is_sure: bool,
    /// Counts this stream against the limit of open streams.
    _permit: StreamsPermit,
}

impl Reader {
    /// Subscribes to all events from now on.
    ///
    /// # Errors
    /// [`ProblemType::TooManyRequests`] if too many streams are open, in total or by this user.
    pub fn open(app: App, who: Principal) -> Result<Self, ApiError> {
        let permit = app.guard.streams.open(who.user_id).map_err(|full| {
            let words = match full {
                Full::All(most) => format!("{most} streams are open, and no more are served at once."),
                Full::Each(most) => format!("You have {most} streams open, and may not have more at once; close some."),
            };
            ApiError::new(ProblemType::TooManyRequests, words).retry_after(30)
        })?;
        Ok(Self { receiver: app.bus.subscribe(), who, app, is_sure: false, _permit: permit })
    }

    /// Waits for the next message. None: the program is stopping, or the permission has ended.
    pub async fn next(&mut self) -> Option<Heard> {
        loop {
            self.sure().await?;
            let left = (self.who.expires - Utc::now()).to_std().ok()?;
            let hearing = tokio::time::timeout(left, self.receiver.recv());
            let heard = self.app.stop.run_until_cancelled(hearing).await?.ok()?;
            if let Some(heard) = self.take(heard)? {
                // A gap may hide the end of the permission.
                self.sure().await?;
                return Some(heard);
            }
        }
    }

    /// The next message without waiting; `Some(None)`: there is none yet. None: the program is stopping, or the
    /// permission has ended.
    pub async fn try_next(&mut self) -> Option<Option<Heard>> {
        loop {
            self.sure().await?;
            let heard = match self.receiver.try_recv() {
                Ok(signal) => Ok(signal),
                Err(TryRecvError::Empty) => return (self.who.expires > Utc::now()).then_some(None),
                Err(TryRecvError::Lagged(count)) => Err(RecvError::Lagged(count)),
                Err(TryRecvError::Closed) => Err(RecvError::Closed),
            };
            if let Some(heard) = self.take(heard)? {
                self.sure().await?;
                return Some(Some(heard));
            }
        }
    }

    /// Handles a signal and gives the message for the reader, if any. None: the bus is closed.
    #[expect(clippy::option_option, reason = "the outer one ends the stream")]
    fn take(&mut self, signal: Result<Signal, RecvError>) -> Option<Option<Heard>> {
        match signal {
            Ok(Signal::Event(event)) => Some(Some(Heard::Event(event))),
            Ok(Signal::Access(user)) => {
                self.is_sure &= user != self.who.user_id;
                Some(None)
            }
            Ok(Signal::Gateways | Signal::Rates(_)) => Some(None),
            Ok(Signal::Gap) | Err(RecvError::Lagged(_)) => {
                self.is_sure = false;
                Some(Some(Heard::Gap))
            }
            Err(RecvError::Closed) => None,
        }
    }

    /// Verifies the permission unless `is_sure`. Retries while the database does not answer; no message is delivered
    /// meanwhile. None: the permission has ended.
    async fn sure(&mut self) -> Option<()> {
        while !self.is_sure {
            let look = async { store::is_still(&mut *self.app.db().conn().await?, &self.who).await };
            match look.await {
                Ok(true) => self.is_sure = true,
                Ok(false) => return None,
                Err(error) => {
                    tracing::warn!(%error, "the right to read a stream could not be looked up");
                    self.app.stop.run_until_cancelled(tokio::time::sleep(RETRY)).await?;
                }
            }
        }
        Some(())
    }
}

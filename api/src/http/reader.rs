//! Who reads a stream: hears what happens for as long as they may. What ends a right is told as events are, so a stream ends
//! when the right does, in every process.

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

/// How long until the database is asked again whether the right stands.
const RETRY: Duration = Duration::from_millis(500);

/// What a reader hears.
#[derive(Debug)]
pub enum Heard {
    /// Something changed.
    Event(Event),
    /// Some may have been missed: read the tables.
    Gap,
}

/// Somebody who reads a stream.
#[derive(Debug)]
pub struct Reader {
    receiver: Receiver<Signal>,
    who: Principal,
    app: App,
    /// Whether the right was seen to stand since listening began.
    is_sure: bool,
    /// Its place among the streams that may be open.
    _permit: StreamsPermit,
}

impl Reader {
    /// Hears what happens from now on.
    ///
    /// # Errors
    /// [`ProblemType::TooManyRequests`] when too many streams are open.
    pub fn open(app: App, who: Principal) -> Result<Self, ApiError> {
        let permit = app.guard.streams.open((who.user_id, who.token())).map_err(|full| {
            let words = match full {
                Full::All(most) => format!("{most} streams are open, and no more are served at once."),
                Full::Each(most) => format!("You have {most} streams open, and may not have more at once; close some."),
            };
            ApiError::new(ProblemType::TooManyRequests, words).retry_after(30)
        })?;
        Ok(Self { receiver: app.bus.subscribe(), who, app, is_sure: false, _permit: permit })
    }

    /// The next thing that is heard. None: the program, or the right to read, has ended.
    pub async fn next(&mut self) -> Option<Heard> {
        loop {
            self.sure().await?;
            let left = (self.who.expires - Utc::now()).to_std().ok()?;
            let hearing = tokio::time::timeout(left, self.receiver.recv());
            let heard = self.app.stop.run_until_cancelled(hearing).await?.ok()?;
            if let Some(heard) = self.take(heard)? {
                // A gap may have been about the right.
                self.sure().await?;
                return Some(heard);
            }
        }
    }

    /// What is heard already; `Some(None)`: nothing. None: the program, or the right to read, has ended.
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

    /// What of it is for the reader. None: nothing will be heard any more.
    #[expect(clippy::option_option, reason = "the outer one ends the stream")]
    fn take(&mut self, signal: Result<Signal, RecvError>) -> Option<Option<Heard>> {
        match signal {
            Ok(Signal::Event(event)) => Some(Some(Heard::Event(event))),
            Ok(Signal::Access(user)) => {
                self.is_sure &= user != self.who.user_id;
                Some(None)
            }
            Ok(Signal::Gap) | Err(RecvError::Lagged(_)) => {
                self.is_sure = false;
                Some(Some(Heard::Gap))
            }
            Err(RecvError::Closed) => None,
        }
    }

    /// Looks whether the right stands, if that is not sure. A database that does not answer is asked again in a moment, and
    /// nothing is told meanwhile.
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

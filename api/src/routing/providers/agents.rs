//! Gateways on hosts of their own, with an agent each: they take the published routes from the server. A change is done
//! when every live gateway has it.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use async_trait::async_trait;

use super::question;
use crate::config::gateway::Front;
use crate::platform::db::{Db, DbError};
use crate::routing::store::counts;
use crate::routing::store::gateways::{self, GatewayRow};
use crate::routing::traffic::{Answer, AskError, Question, Route, Traffic, TrafficError};

/// How long a live gateway may take for a change, and for a count.
const PATIENCE: Duration = Duration::from_secs(5);
/// The pause between two looks at what the gateways say, at first and at most.
const LOOKS: (Duration, Duration) = (Duration::from_millis(10), Duration::from_millis(200));

/// The gateways whose agents ask this installation's servers.
#[derive(Debug, Clone)]
pub struct Agents {
    /// Where the agents' reports are kept.
    pub db: Db,
    /// What stands in front of the gateways; applications that redirect to `https` are told.
    pub front: Option<Front>,
}

impl Agents {
    /// The gateways whose agents have asked lately.
    async fn live(&self) -> Result<Vec<GatewayRow>, TrafficError> {
        let all = gateways::all(&mut *self.db.conn().await.map_err(unread)?).await.map_err(unread)?;
        let live: Vec<_> = all.into_iter().filter(|row| row.is_live).collect();
        if live.is_empty() {
            return Err(TrafficError("no gateway is there: start `ocim gateway` on the gateways' hosts".to_owned()));
        }
        Ok(live)
    }
}

/// Waits between looks at what the gateways say, for [`PATIENCE`] altogether.
struct Looks {
    began: Instant,
    pause: Duration,
}

impl Looks {
    fn begin() -> Self {
        Self { began: Instant::now(), pause: LOOKS.0 }
    }

    /// Waits for the next look, while these gateways have not answered.
    async fn next(&mut self, missing: &[String]) -> Result<(), TrafficError> {
        if self.began.elapsed() > PATIENCE {
            let (which, have) = if missing.len() == 1 { ("the gateway", "has") } else { ("the gateways", "have") };
            let (names, seconds) = (missing.join(", "), PATIENCE.as_secs());
            return Err(TrafficError(format!("{which} {names} {have} not answered within {seconds} s")));
        }
        tokio::time::sleep(self.pause).await;
        self.pause = (self.pause * 2).min(LOOKS.1);
        Ok(())
    }
}

fn unread(error: DbError) -> TrafficError {
    TrafficError(format!("what the gateways say cannot be read: {error}"))
}

#[async_trait]
impl Traffic for Agents {
    /// Nothing to do: the agents take the published routes.
    async fn apply(&self, _: &[Route]) -> Result<(), TrafficError> {
        Ok(())
    }

    /// Nothing to do: the agents take the published routes.
    async fn replace_all(&self, _: &[Route]) -> Result<(), TrafficError> {
        Ok(())
    }

    async fn settled(&self, revision: i64) -> Result<(), TrafficError> {
        let mut looks = Looks::begin();
        loop {
            let behind: Vec<_> = self.live().await?.into_iter().filter(|row| row.revision < revision).collect();
            if behind.is_empty() {
                return Ok(());
            }
            if let Some((row, error)) = behind.iter().find_map(|row| row.error.as_ref().map(|error| (row, error))) {
                return Err(TrafficError(format!("{}: {error}", row.name)));
            }
            let missing: Vec<_> = behind.into_iter().map(|row| row.name).collect();
            looks.next(&missing).await?;
        }
    }

    async fn open_connections(&self, target: SocketAddr) -> Result<u64, TrafficError> {
        let target = target.to_string();
        let asked = counts::ask(&mut *self.db.conn().await.map_err(unread)?, &target).await.map_err(unread)?;
        let Some(asked) = asked else { return self.live().await.map(|_| 0) };
        let mut looks = Looks::begin();
        loop {
            let mut conn = self.db.conn().await.map_err(unread)?;
            let answers = counts::answers(&mut conn, &target, asked).await.map_err(unread)?;
            drop(conn);
            let missing = answers.iter().filter(|answer| answer.requests.is_none());
            let missing: Vec<_> = missing.map(|answer| answer.gateway.clone()).collect();
            if missing.is_empty() {
                let sum: i64 = answers.iter().filter_map(|answer| answer.requests).sum();
                return Ok(u64::try_from(sum).unwrap_or_default());
            }
            looks.next(&missing).await?;
        }
    }

    async fn answers(&self) -> Result<(), TrafficError> {
        let live = self.live().await?;
        let failing = live.iter().filter_map(|row| Some(format!("{}: {}", row.name, row.error.as_ref()?)));
        let failing: Vec<_> = failing.collect();
        if failing.len() == live.len() { Err(TrafficError(failing.join("; "))) } else { Ok(()) }
    }

    /// This process asks itself: app servers answer workers and gateways alike.
    async fn ask(&self, target: SocketAddr, asked: &Question<'_>) -> Result<Answer, AskError> {
        question::ask_directly(target, asked, self.front).await
    }
}

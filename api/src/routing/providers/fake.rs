//! A gateway in memory for tests.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;

use super::question;
use crate::config::gateway::Scheme;
use crate::routing::traffic::{Answer, AskError, Preview, Question, Route, Traffic, TrafficError};

/// Keeps a table of routes, and fails when a test says so.
#[derive(Debug, Default)]
pub struct FakeTraffic {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    table: BTreeMap<String, Route>,
    open: BTreeMap<SocketAddr, u64>,
    failures: u32,
    is_away: bool,
    changes: u32,
}

impl FakeTraffic {
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Makes the next `calls` calls fail before they change anything.
    pub fn fail_next(&self, calls: u32) {
        self.state().failures = calls;
    }

    /// Sets whether every call and every question fails.
    pub fn set_away(&self, is_away: bool) {
        self.state().is_away = is_away;
    }

    /// Sets the number of open requests at a target.
    pub fn set_open_connections(&self, target: SocketAddr, count: u64) {
        self.state().open.insert(target, count);
    }

    /// The present target of each host.
    #[must_use]
    pub fn table(&self) -> BTreeMap<String, Option<SocketAddr>> {
        self.state().table.iter().map(|(hostname, route)| (hostname.clone(), route.target)).collect()
    }

    /// The text of a host's maintenance page; none: it is not up.
    #[must_use]
    pub fn notice(&self, hostname: &str) -> Option<String> {
        self.state().table.get(hostname).and_then(|route| route.notice.clone())
    }

    /// The preview links of a host.
    #[must_use]
    pub fn previews(&self, hostname: &str) -> Vec<Preview> {
        self.state().table.get(hostname).map(|route| route.previews.clone()).unwrap_or_default()
    }

    /// The scheme of a host's visitors that an application is told.
    #[must_use]
    pub fn scheme(&self, hostname: &str) -> Option<Scheme> {
        self.state().table.get(hostname).map(|route| route.scheme)
    }

    /// Number of calls that changed the table.
    #[must_use]
    pub fn changes(&self) -> u32 {
        self.state().changes
    }

    /// A test that panicked while holding the lock leaves the table consistent.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn attempt(&self) -> Result<MutexGuard<'_, State>, TrafficError> {
        let mut state = self.state();
        if state.is_away {
            return Err(TrafficError("the gateway is away".to_owned()));
        }
        match state.failures.checked_sub(1) {
            None => Ok(state),
            Some(left) => {
                state.failures = left;
                Err(TrafficError("the gateway was told to fail".to_owned()))
            }
        }
    }

    fn become_table(mut state: MutexGuard<'_, State>, table: BTreeMap<String, Route>) {
        if state.table != table {
            state.table = table;
            state.changes = state.changes.saturating_add(1);
        }
    }
}

/// Checks each route, as a gateway does.
fn entries(routes: &[Route]) -> Result<BTreeMap<String, Route>, TrafficError> {
    routes.iter().map(|route| route.check().map(|()| (route.hostname.clone(), route.clone()))).collect()
}

#[async_trait]
impl Traffic for FakeTraffic {
    async fn apply(&self, routes: &[Route]) -> Result<(), TrafficError> {
        let state = self.attempt()?;
        let mut table = state.table.clone();
        table.extend(entries(routes)?);
        Self::become_table(state, table);
        Ok(())
    }

    async fn replace_all(&self, routes: &[Route]) -> Result<(), TrafficError> {
        Self::become_table(self.attempt()?, entries(routes)?);
        Ok(())
    }

    async fn open_connections(&self, target: SocketAddr) -> Result<u64, TrafficError> {
        Ok(self.attempt()?.open.get(&target).copied().unwrap_or_default())
    }

    async fn answers(&self) -> Result<(), TrafficError> {
        self.attempt().map(drop)
    }

    async fn ask(&self, target: SocketAddr, question: &Question<'_>) -> Result<Answer, AskError> {
        if self.state().is_away {
            return Err(AskError::NotAsked("the gateway is away".to_owned()));
        }
        question::ask_directly(target, question, None).await
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use shared_types::https::HttpsPolicy;

    use super::*;

    #[tokio::test]
    async fn keeps_the_table_and_fails_when_told() {
        let fake = FakeTraffic::new();
        let target: SocketAddr = "10.0.0.2:80".parse().unwrap();
        let route = |name: &str| Route {
            hostname: name.to_owned(),
            target: Some(target),
            notice: None,
            scheme: Scheme::Http,
            https: HttpsPolicy::Optional,
            previews: Vec::new(),
        };
        fake.apply(&[route("a")]).await.unwrap();
        fake.apply(&[route("b")]).await.unwrap();
        assert_eq!(fake.table().len(), 2);
        fake.fail_next(1);
        assert!(fake.replace_all(&[]).await.is_err());
        assert_eq!(fake.table().len(), 2);
        fake.replace_all(&[route("b")]).await.unwrap();
        fake.replace_all(&[route("b")]).await.unwrap();
        assert_eq!((fake.table().len(), fake.changes()), (1, 3));
        fake.set_open_connections(target, 2);
        assert_eq!(fake.open_connections(target).await, Ok(2));
    }
}

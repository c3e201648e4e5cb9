//! The agent's loop: report what HAProxy has, take what is newer.

use std::time::{Duration, Instant};

use reqwest::Method;
use secrecy::SecretString;
use shared_types::gateway::{GatewayCount, GatewayReport, GatewayUpdate};
use tokio_util::sync::CancellationToken;

use super::certificates::FromServer;
use super::{identity, take};
use crate::client::api::{Api, Credential, parse_server};
use crate::client::error::ClientError;
use crate::routing::providers::haproxy::{GatewayConfig, HaproxyRoutes};
use crate::routing::traffic::{Revisions, Traffic, TrafficError};

/// How long an answer may take: the server waits 5 s for news.
const TIMEOUT: Duration = Duration::from_secs(20);
/// The pause after an exchange that failed, or that HAProxy did not take.
const RETRY: Duration = Duration::from_secs(1);
/// The interval between comparisons of HAProxy's table with its file.
const COMPARE: Duration = Duration::from_secs(60);
/// What is reported while HAProxy does not answer.
const AWAY: &str = "HAProxy does not answer: look at `ocim gateway proxy` on its host";
const PATH: &str = "/gateway/exchange";

/// The agent of one gateway.
#[derive(Debug)]
pub struct Agent {
    api: Api,
    haproxy: HaproxyRoutes,
    id: String,
    hostname: String,
    /// What was last said in the log, so that nothing is said twice.
    said: Option<String>,
}

/// What the agent reports next.
#[derive(Debug, Default)]
struct State {
    revision: i64,
    error: Option<String>,
    counts: Vec<GatewayCount>,
    /// The certificates that HAProxy is to serve and does not serve yet; none: it serves them.
    certificates: Option<Revisions>,
}

impl Agent {
    /// An agent for the HAProxy of this configuration, which need not run yet.
    ///
    /// # Errors
    /// [`ClientError`] if the address is not one, the directory cannot be written to, or the system's certificates cannot be
    /// read.
    pub fn new(server: &str, token: SecretString, config: &GatewayConfig) -> Result<Self, ClientError> {
        let directory = &config.dir;
        let file = |source| ClientError::File { path: directory.to_owned(), source };
        Ok(Self {
            api: Api::new(parse_server(server)?, Credential::Token(token))?,
            haproxy: HaproxyRoutes::new(config),
            id: identity::read_or_make(directory).map_err(file)?,
            hostname: rustix::system::uname().nodename().to_string_lossy().into_owned(),
            said: None,
        })
    }

    /// Keeps HAProxy's routes as the server says, until `stop`. Nothing ends it: what fails is tried again.
    pub async fn run(mut self, stop: &CancellationToken) {
        let mut state = State::default();
        let mut compared = Instant::now();
        loop {
            if compared.elapsed() > COMPARE {
                compared = Instant::now();
                if let Err(error) = self.haproxy.reload().await {
                    tracing::warn!(%error, "HAProxy's table could not be compared with its file");
                }
            }
            let report = self.report(&mut state).await;
            let Some(exchanged) = stop.run_until_cancelled(self.exchange(&report)).await else { return };
            let trouble = match exchanged {
                Ok(update) => self.take(update, &mut state).await.err().map(|error| error.0).or(report.error),
                // What was counted is given up: the server asks again.
                Err(error) => Some(format!("{}: {}", self.api.server(), words(&error))),
            };
            let is_good = trouble.is_none();
            self.say(trouble);
            if !is_good && stop.run_until_cancelled(tokio::time::sleep(RETRY)).await.is_none() {
                return;
            }
        }
    }

    async fn report(&self, state: &mut State) -> GatewayReport {
        // HAProxy may have ended since it took the last change.
        if state.error.is_none() && self.haproxy.answers().await.is_err() {
            state.error = Some(AWAY.to_owned());
        }
        GatewayReport {
            agent: self.id.clone(),
            hostname: self.hostname.clone(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            revision: state.revision,
            error: state.error.take(),
            counts: std::mem::take(&mut state.counts),
        }
    }

    async fn exchange(&self, report: &GatewayReport) -> Result<GatewayUpdate, ClientError> {
        let request = self.api.request(Method::POST, PATH, &[]).json(report).timeout(TIMEOUT);
        let answer = self.api.read(self.api.send(request).await?).await?;
        serde_json::from_value(answer)
            .map_err(|error| ClientError::Failed(format!("{} answers strangely: {error}", self.api.server())))
    }

    /// Gives HAProxy the update, and counts.
    async fn take(&self, update: GatewayUpdate, state: &mut State) -> Result<(), TrafficError> {
        let taken = match take::challenges(&self.haproxy, &update).await {
            Ok(()) => take::routes(&self.haproxy, &update).await,
            Err(error) => Err(error),
        };
        if let Some(all) = update.certificates {
            state.certificates = Some(all.into_iter().map(|one| (one.id, one.revision)).collect());
        }
        state.counts = take::counts(&self.haproxy, update.questions).await;
        if taken.is_ok() {
            state.revision = update.revision;
        }
        // Last, and apart: a certificate that is refused keeps no switch from being done.
        let taken = match taken {
            Ok(()) => self.take_certificates(state).await,
            Err(error) => Err(error),
        };
        state.error = taken.as_ref().err().map(|error| error.0.clone());
        taken
    }

    async fn take_certificates(&self, state: &mut State) -> Result<(), TrafficError> {
        let Some(all) = &state.certificates else { return Ok(()) };
        self.haproxy.set_certificates(all, &FromServer(&self.api)).await?;
        state.certificates = None;
        Ok(())
    }

    /// Logs a trouble once, and once that it is over.
    fn say(&mut self, trouble: Option<String>) {
        if trouble == self.said {
            return;
        }
        match &trouble {
            Some(trouble) => {
                tracing::error!(%trouble, "the gateway does not get its routes; it serves with those it has")
            }
            None => tracing::info!("the gateway gets its routes"),
        }
        self.said = trouble;
    }
}

/// An error without the address of the server, which stands before it.
fn words(error: &ClientError) -> String {
    if let ClientError::Unreachable { why, .. } = error {
        return format!("it cannot be reached: {why}");
    }
    error.to_string()
}

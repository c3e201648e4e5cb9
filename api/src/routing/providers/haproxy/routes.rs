//! Changes the routes of a running gateway, from any process on its host.

use std::fs::File;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use async_trait::async_trait;

use super::certificates::CertificateFiles;
use super::config::{CHALLENGES, MAP, PREVIEWS};
use super::map_file::Entries;
use super::questions;
use super::runtime::Runtime;
use super::table::Table;
use super::tables::Tables;
use super::{GatewayConfig, map_file};
use crate::platform::children;
use crate::routing::traffic::{
    Answer, AskError, CertificateSource, Challenge, Question, Revisions, Route, Traffic, TrafficError,
};

const LONGEST_WAIT: Duration = Duration::from_secs(20);

/// Changes the routes of the gateway that `ocim server` runs in this directory. Neither starts nor stops it.
#[derive(Debug, Clone)]
pub struct HaproxyRoutes {
    directory: PathBuf,
    /// None: it does not serve HTTPS.
    certificates: Option<CertificateFiles>,
    pub(super) runtime: Runtime,
}

impl HaproxyRoutes {
    /// For the gateway of this configuration, even if none runs there now.
    #[must_use]
    pub fn new(config: &GatewayConfig) -> Self {
        let directory = config.dir.clone();
        let runtime = Runtime::new(&directory);
        Self { directory, certificates: config.certificates(), runtime }
    }

    /// Held while the gateway starts, stops or changes, so that file and running table agree; none if another process
    /// holds it for too long.
    pub(super) async fn lock(&self) -> io::Result<Option<File>> {
        children::lock(&self.directory.join("lock"), LONGEST_WAIT).await
    }

    /// Loads the files into the running gateway. The caller holds the lock.
    pub(super) async fn load(&self) -> Result<(), TrafficError> {
        let tables = Tables::read(&self.directory).map_err(|error| self.file_error(&error))?;
        self.become_tables(&tables).await?;
        let challenges = map_file::read(&self.directory.join(CHALLENGES)).map_err(|error| self.file_error(&error))?;
        self.become_map(CHALLENGES, &challenges).await?;
        match &self.certificates {
            Some(certificates) => certificates.load(&self.runtime).await,
            None => Ok(()),
        }
    }

    async fn become_tables(&self, tables: &Tables) -> Result<(), TrafficError> {
        self.runtime.become_table(MAP, &tables.routes.0).await?;
        self.become_map(PREVIEWS, &tables.previews.0).await
    }

    /// Like [`Runtime::become_table`], for a map that a HAProxy of an older version does not have: its next start reads the
    /// file. Until then it takes routes all the same.
    async fn become_map(&self, map: &str, wanted: &Entries) -> Result<(), TrafficError> {
        if self.runtime.has_map(map).await? {
            return self.runtime.become_table(map, wanted).await;
        }
        if !wanted.is_empty() {
            tracing::warn!(map, "HAProxy runs with a configuration of an older version: reload the gateway's service");
        }
        Ok(())
    }

    /// Sets these routes, removes these hosts, and keeps all others.
    ///
    /// # Errors
    /// [`TrafficError`] if a route is not valid, or the gateway does not take it; its file may have it then.
    pub async fn update(&self, routes: &[Route], gone: &[String]) -> Result<(), TrafficError> {
        if gone.is_empty() {
            return self.apply(routes).await;
        }
        let edit = |mut tables: Tables| {
            tables.remove(gone);
            tables.set(routes).map(|()| tables)
        };
        let (tables, _lock) = self.change(edit).await?;
        self.become_tables(&tables).await
    }

    /// Loads the file into the running gateway again, which changes nothing unless another program did.
    ///
    /// # Errors
    /// [`TrafficError`] if the file cannot be read, or the gateway does not answer.
    pub async fn reload(&self) -> Result<(), TrafficError> {
        let _lock = self.hold().await?;
        self.load().await
    }

    /// Changes the files, and gives the new tables and the lock. The files are written first: if HAProxy ends in between,
    /// its next start reads the new tables.
    async fn change(
        &self,
        edit: impl FnOnce(Tables) -> Result<Tables, TrafficError> + Send,
    ) -> Result<(Tables, File), TrafficError> {
        let lock = self.hold().await?;
        let current = Tables::read(&self.directory).map_err(|error| self.file_error(&error))?;
        let wanted = edit(current.clone())?;
        wanted.write_changes(&current, &self.directory).map_err(|error| self.file_error(&error))?;
        Ok((wanted, lock))
    }

    /// Takes the lock.
    async fn hold(&self) -> Result<File, TrafficError> {
        let held = self.lock().await.map_err(|error| self.file_error(&error))?;
        held.ok_or_else(|| TrafficError("another process has been changing the gateway for too long".into()))
    }

    fn file_error(&self, error: &io::Error) -> TrafficError {
        TrafficError(format!("the gateway's routes in {} cannot be kept: {error}", self.directory.display()))
    }
}

#[async_trait]
impl Traffic for HaproxyRoutes {
    async fn apply(&self, routes: &[Route]) -> Result<(), TrafficError> {
        let mut changed = Table::default();
        changed.set(routes)?;
        let (tables, _lock) = self.change(|mut tables| tables.set(routes).map(|()| tables)).await?;
        self.runtime.set(MAP, &changed.0).await?;
        self.become_map(PREVIEWS, &tables.previews.0).await
    }

    async fn replace_all(&self, routes: &[Route]) -> Result<(), TrafficError> {
        let edit = |_| {
            let mut tables = Tables::default();
            tables.set(routes).map(|()| tables)
        };
        let (tables, _lock) = self.change(edit).await?;
        self.become_tables(&tables).await
    }

    async fn set_challenges(&self, challenges: &[Challenge]) -> Result<(), TrafficError> {
        let _lock = self.hold().await?;
        let entries = challenges.iter().map(entry).collect::<Result<_, _>>()?;
        map_file::keep(&self.directory, CHALLENGES, &entries).map_err(|error| self.file_error(&error))?;
        self.become_map(CHALLENGES, &entries).await
    }

    async fn set_certificates(&self, all: &Revisions, source: &dyn CertificateSource) -> Result<(), TrafficError> {
        let Some(certificates) = &self.certificates else {
            let words = "the gateway does not serve HTTPS: set OCIM_GATEWAY_LISTEN_TLS on its host";
            return if all.is_empty() { Ok(()) } else { Err(TrafficError(words.to_owned())) };
        };
        let _lock = self.hold().await?;
        certificates.become_these(all, source, &self.runtime, &self.directory).await
    }

    async fn open_connections(&self, target: SocketAddr) -> Result<u64, TrafficError> {
        self.runtime.open_connections(target).await
    }

    async fn answers(&self) -> Result<(), TrafficError> {
        let silent = || TrafficError("the gateway does not answer; `ocim server` starts it again".to_owned());
        self.runtime.info().await.map(drop).ok_or_else(silent)
    }

    async fn ask(&self, target: SocketAddr, question: &Question<'_>) -> Result<Answer, AskError> {
        questions::ask(&self.directory, target, question).await
    }
}

/// An answer to a certificate authority as in the map.
fn entry(Challenge { token, answer }: &Challenge) -> Result<(String, String), TrafficError> {
    let is_plain = |text: &str| {
        (1..=400).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
    };
    match is_plain(token) && is_plain(answer) {
        true => Ok((token.clone(), answer.clone())),
        false => Err(TrafficError("an answer to a certificate authority has other characters than base64url's".into())),
    }
}

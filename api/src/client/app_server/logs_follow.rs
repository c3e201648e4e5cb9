//! Follows a log: after a broken connection the stream resumes behind the last received entry.

use std::io::Write;
use std::time::Duration;

use reqwest::Method;
use serde_json::Value;
use shared_types::{AppServerId, AppServerSummary, LogEntry};

use super::logs::{Filter, last_seq, print_live};
use crate::client::api::{Api, decode};
use crate::client::error::ClientError;
use crate::client::output::Output;
use crate::client::sse::Stream;

/// Interval of the check whether the build has ended.
const LOOK: Duration = Duration::from_secs(1);
/// Pause before reconnecting.
const PAUSE: Duration = Duration::from_millis(500);

/// Prints the entries after number `after` as they arrive, until the build has ended and its last entry is printed.
///
/// # Errors
/// [`ClientError`] if the API refuses, or if the server cannot be reached at the beginning.
pub async fn follow(api: &Api, id: AppServerId, after: i64, filter: &Filter, out: &Output) -> Result<(), ClientError> {
    let mut follower = Follower { api, id, after, last: None, filter, out };
    let mut is_told = false;
    follower.look().await?;
    while !follower.has_all() {
        match follower.read().await {
            Ok(()) => is_told = false,
            Err(error) if error.is_passing() => {
                if !std::mem::replace(&mut is_told, true) {
                    let _ = writeln!(std::io::stderr(), "ocim: the connection is lost and made again");
                }
                tokio::time::sleep(PAUSE).await;
            }
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

struct Follower<'a> {
    api: &'a Api,
    id: AppServerId,
    /// Number of the last received entry.
    after: i64,
    /// Number of the last entry to wait for; none while the build is running.
    last: Option<i64>,
    filter: &'a Filter,
    out: &'a Output,
}

impl Follower<'_> {
    fn has_all(&self) -> bool {
        self.last.is_some_and(|last| self.after >= last)
    }

    /// Checks whether the build has ended, and only then reads the number of its last entry.
    async fn look(&mut self) -> Result<(), ClientError> {
        let found = self.api.get(&format!("/app-servers/{}", self.id), &[]).await?;
        if !decode::<AppServerSummary>(&found)?.status.is_building() {
            self.last = Some(last_seq(self.api, self.id).await?);
        }
        Ok(())
    }

    /// Reads from one connection until the last entry has arrived or the connection breaks.
    async fn read(&mut self) -> Result<(), ClientError> {
        let path = format!("/app-servers/{}/logs/stream", self.id);
        let request = self.api.request(Method::GET, &path, &[]);
        let request = request.header("accept", "text/event-stream").header("last-event-id", self.after.to_string());
        let mut stream = Stream::new(self.api.send(request).await?);
        let mut looks = tokio::time::interval(LOOK);
        while !self.has_all() {
            tokio::select! {
                biased;
                message = stream.next() => match message.map_err(|error| self.api.unreachable(&error))? {
                    Some(message) => self.take(&message.data)?,
                    None => {
                        let why = "the stream ended".to_owned();
                        return Err(ClientError::Unreachable { server: self.api.server().to_owned(), why });
                    }
                },
                _ = looks.tick(), if self.last.is_none() => self.look().await?,
            }
        }
        Ok(())
    }

    fn take(&mut self, data: &str) -> Result<(), ClientError> {
        let document: Value = serde_json::from_str(data).unwrap_or(Value::Null);
        let entry: LogEntry = decode(&document)?;
        let seq = entry.seq.unwrap_or(entry.id.0);
        if seq <= self.after {
            return Ok(());
        }
        if self.filter.takes(&entry) {
            print_live(&document, self.out)?;
        }
        self.after = seq;
        Ok(())
    }
}

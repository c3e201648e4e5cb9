//! Waits for a build and its further attempts, across lost connections.

use std::time::Duration;

use serde_json::Value;
use shared_types::{AppServerStatus, AppServerSummary};
use tokio::signal::unix::Signal;

use super::progress::Display;
use crate::client::api::{Api, decode};
use crate::client::error::ClientError;

/// Interval of polling a build.
const POLL: Duration = Duration::from_secs(1);
/// Pauses before the retries of a request that failed to reach the server.
pub const PAUSES: [Duration; 3] = [Duration::from_millis(250), Duration::from_secs(1), Duration::from_secs(3)];

/// Shows a build's progress until it has ended, and gives the running app server.
///
/// # Errors
/// [`ClientError::Failed`] if no attempt succeeded, [`ClientError::Interrupted`] at Ctrl-C; other errors of the API.
pub async fn until_built(
    api: &Api,
    launched: &Value,
    interrupts: &mut Signal,
    display: &mut Display,
) -> Result<Value, ClientError> {
    let mut document = launched.clone();
    let mut summary: AppServerSummary = decode(&document)?;
    display.line(&format!("app server {} is launched", summary.id));
    loop {
        if !summary.status.is_building() {
            match after(api, &summary).await {
                Ok(Some(next)) => {
                    display.show(&summary);
                    display.end();
                    document = next;
                    summary = decode(&document)?;
                    display.line(&format!(
                        "app server {} is attempt {} of {}",
                        summary.id, summary.attempt, summary.num_attempts
                    ));
                }
                Ok(None) => {
                    display.show(&summary);
                    return ended(&summary).map(|()| document);
                }
                Err(error) if error.is_passing() => {
                    display.line("the connection is lost and made again; the build goes on")
                }
                Err(error) => return Err(error),
            }
        } else {
            display.show(&summary);
        }
        let path = format!("/app-servers/{}", summary.id);
        let looked = async {
            tokio::time::sleep(POLL).await;
            api.get(&path, &[]).await
        };
        let looked = tokio::select! {
            looked = looked => looked,
            _ = interrupts.recv() => {
                let words = format!("the build goes on; stop it with: ocim app-server stop {}", summary.id);
                return Err(ClientError::Interrupted(words));
            }
        };
        match looked {
            Ok(found) => {
                summary = decode(&found)?;
                document = found;
            }
            Err(error) if error.is_passing() => {
                display.line("the connection is lost and made again; the build goes on")
            }
            Err(error) => return Err(error),
        }
    }
}

/// The next attempt of a failed build; the server creates it together with the failure.
async fn after(api: &Api, failed: &AppServerSummary) -> Result<Option<Value>, ClientError> {
    let has_failed = matches!(failed.status, AppServerStatus::Failed | AppServerStatus::Error);
    if !has_failed || failed.attempt >= failed.num_attempts {
        return Ok(None);
    }
    let query = [("instance", Some(failed.instance_id.to_string()))];
    let newest = api.list("/app-servers", &query, Some(100)).await?;
    Ok(newest.into_iter().find(|one| one.get("retry_of").and_then(Value::as_i64) == Some(failed.id.0)))
}

fn ended(one: &AppServerSummary) -> Result<(), ClientError> {
    use AppServerStatus::{Configuring, Error, Failed, New, Running, Stopped, Terminated, Waiting};
    let id = one.id;
    let words = match one.status {
        Running | New | Waiting | Configuring => return Ok(()),
        Failed | Error => {
            let why = one.failure.as_deref().unwrap_or("it is not said why");
            format!("the build of app server {id} failed: {why}")
        }
        Stopped => {
            let by = one.stop_requested_by.as_deref().unwrap_or("an unknown user");
            format!("the build of app server {id} was stopped by {by}")
        }
        Terminated => format!("app server {id} was built, and its machine has been deleted since"),
    };
    Err(ClientError::Failed(format!("{words}. Its log: ocim app-server logs {id}")))
}

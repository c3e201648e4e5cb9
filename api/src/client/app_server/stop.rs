use clap::Args;
use reqwest::Method;
use serde_json::json;
use shared_types::{AppServerId, AppServerStatus, AppServerSummary};

use crate::client::api::{Api, decode};
use crate::client::error::ClientError;
use crate::client::output::Output;

/// Stop a build: its processes are ended and its machine is deleted
///
/// Possible at any moment of the build, usually within 10 seconds; this command waits up to 30. The log is kept.
/// Already stopped: success. Refused (exit code 5) if the build has ended.
#[derive(Debug, Args)]
#[command(after_help = "EXAMPLES:
    ocim app-server stop 7
    ocim app-server stop 7 --reason 'wrong branch'")]
pub struct Arguments {
    /// Id of the app server
    id: AppServerId,
    /// Reason for the history; at most 500 characters
    #[arg(long)]
    reason: Option<String>,
}

/// Stops the build.
///
/// # Errors
/// [`ClientError`] if the API refuses or does not answer.
pub async fn stop(arguments: &Arguments, api: &Api, out: &Output) -> Result<(), ClientError> {
    let Arguments { id, reason } = arguments;
    let stopped = api.ask(Method::POST, &format!("/app-servers/{id}/stop"), &json!({ "reason": reason })).await?;
    let is_stopped = decode::<AppServerSummary>(&stopped)?.status == AppServerStatus::Stopped;
    let words = if is_stopped { "is stopped" } else { "is being stopped" };
    out.told(&stopped, &format!("App server {id} {words}."))
}

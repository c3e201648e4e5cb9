use clap::Args;
use reqwest::Method;
use serde_json::json;
use shared_types::{AppServerId, AppServerStatus, AppServerSummary};

use crate::client::api::{Api, decode};
use crate::client::error::ClientError;
use crate::client::output::Output;

/// Stop a build: its processes end and its machine is taken away
///
/// At any moment of it, within 10 seconds as a rule; this command waits up to 30 for it. The log is kept. Stopped already:
/// success. Refused (exit code 5) when the build has ended.
#[derive(Debug, Args)]
#[command(after_help = "EXAMPLES:
    ocim app-server stop 7
    ocim app-server stop 7 --reason 'wrong branch'")]
pub struct Arguments {
    /// Its id
    id: AppServerId,
    /// Why, for the history; at most 500 characters
    #[arg(long)]
    reason: Option<String>,
}

/// Stops it.
///
/// # Errors
/// What the API says.
pub async fn stop(arguments: &Arguments, api: &Api, out: &Output) -> Result<(), ClientError> {
    let Arguments { id, reason } = arguments;
    let stopped = api.ask(Method::POST, &format!("/app-servers/{id}/stop"), &json!({ "reason": reason })).await?;
    let is_stopped = decode::<AppServerSummary>(&stopped)?.status == AppServerStatus::Stopped;
    let words = if is_stopped { "is stopped" } else { "is being stopped" };
    out.told(&stopped, &format!("App server {id} {words}."))
}

use clap::Args;
use reqwest::Method;
use serde_json::json;
use shared_types::{AppServer, AppServerId, ServerStatus};

use crate::client::api::{Api, decode};
use crate::client::error::ClientError;
use crate::client::output::Output;

/// Permanently delete the machine of an app server
///
/// Waits up to 30 seconds until it is gone. Already gone: success. Refused (exit code 5) if the app server is active or
/// draining, and while it is being built unless --stop is given.
#[derive(Debug, Args)]
#[command(after_help = "EXAMPLES:
    ocim app-server terminate 7
    ocim app-server terminate 7 --stop --reason 'not needed'")]
pub struct Arguments {
    /// Id of the app server
    id: AppServerId,
    /// Stop a running build first
    #[arg(long)]
    stop: bool,
    /// Reason for the history; at most 500 characters
    #[arg(long)]
    reason: Option<String>,
}

/// Terminates the app server.
///
/// # Errors
/// [`ClientError`] if the API refuses or does not answer.
pub async fn terminate(arguments: &Arguments, api: &Api, out: &Output) -> Result<(), ClientError> {
    let Arguments { id, stop, reason } = arguments;
    let body = json!({ "stop": stop, "reason": reason });
    let gone = api.ask(Method::POST, &format!("/app-servers/{id}/terminate"), &body).await?;
    let is_gone = decode::<AppServer>(&gone)?.server.status == ServerStatus::Terminated;
    let words = if is_gone { "is gone" } else { "is being deleted" };
    out.told(&gone, &format!("The machine of app server {id} {words}."))
}

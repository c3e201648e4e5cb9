use clap::Args;
use reqwest::Method;
use serde_json::json;
use shared_types::AppServerId;

use crate::client::api::Api;
use crate::client::error::ClientError;
use crate::client::output::Output;

/// Keep the machine of an app server although it is no longer needed
///
/// The machine is kept until the app server is unpinned; a user may still terminate it. Already pinned: success.
#[derive(Debug, Args)]
#[command(after_help = "EXAMPLES:
    ocim app-server pin 7 --reason 'to look at the failure'")]
pub struct Arguments {
    /// Id of the app server
    id: AppServerId,
    /// Reason for the history; at most 500 characters
    #[arg(long)]
    reason: Option<String>,
}

/// Let automation delete the machine of an app server once it is no longer needed
#[derive(Debug, Args)]
#[command(after_help = "EXAMPLES:
    ocim app-server unpin 7")]
pub struct UnpinArguments {
    /// Id of the app server
    id: AppServerId,
}

/// Pins the app server.
///
/// # Errors
/// [`ClientError`] if the API refuses or does not answer.
pub async fn pin(arguments: &Arguments, api: &Api, out: &Output) -> Result<(), ClientError> {
    let Arguments { id, reason } = arguments;
    let pinned = api.ask(Method::PUT, &format!("/app-servers/{id}/pin"), &json!({ "reason": reason })).await?;
    out.told(&pinned, &format!("App server {id} is kept."))
}

/// Unpins the app server.
///
/// # Errors
/// [`ClientError`] if the API refuses or does not answer.
pub async fn unpin(arguments: &UnpinArguments, api: &Api, out: &Output) -> Result<(), ClientError> {
    let id = arguments.id;
    let free = api.json(api.request(Method::DELETE, &format!("/app-servers/{id}/pin"), &[])).await?;
    out.told(&free, &format!("App server {id} is not kept any more."))
}

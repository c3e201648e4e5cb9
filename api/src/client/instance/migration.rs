use clap::Args;
use reqwest::Method;
use serde_json::json;
use shared_types::AppServerId;

use super::find;
use crate::client::api::Api;
use crate::client::error::ClientError;
use crate::client::output::Output;

/// Dismiss the notice about a build that failed while it migrated the databases
///
/// After they are restored or repaired. If the maintenance page of the build is still up, it is taken down.
#[derive(Debug, Args)]
#[command(after_help = "EXAMPLES:
    ocim instance dismiss-migration 1 7 --reason 'repaired by hand'")]
pub struct Arguments {
    /// Id, whole name or domain of the instance
    instance: String,
    /// Id of the app server whose build it was
    app_server: AppServerId,
    /// Reason for the history; at most 500 characters
    #[arg(long)]
    reason: Option<String>,
}

/// Dismisses the notice.
///
/// # Errors
/// [`ClientError`] if the API refuses or does not answer.
pub async fn dismiss(arguments: &Arguments, api: &Api, out: &Output) -> Result<(), ClientError> {
    let Arguments { instance, app_server, reason } = arguments;
    let id = find(api, instance).await?;
    let path = format!("/instances/{id}/migrations/{app_server}/dismiss");
    let shown = api.ask(Method::POST, &path, &json!({ "reason": reason })).await?;
    out.told(&shown, &format!("The notice about app server {app_server} is dismissed."))
}

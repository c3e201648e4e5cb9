use clap::Args;
use reqwest::Method;
use serde_json::json;
use shared_types::AppServerId;

use super::activate;
use crate::client::api::Api;
use crate::client::error::ClientError;
use crate::client::instance;
use crate::client::output::Output;

/// Give an instance's traffic back to the app server that had it before
///
/// Also sets the hold: automation activates nothing until a user lifts it (ocim instance unhold). The checks have 2
/// seconds. Repeated: success, and nothing changes. Refused (exit code 5) if there is no app server to roll back to.
#[derive(Debug, Args)]
#[command(after_help = "EXAMPLES:
    ocim app-server rollback astro.campus.example --reason 'grades are missing'
    ocim app-server rollback 1 --to 5")]
pub struct Arguments {
    /// The instance: its id, whole name or domain
    instance: String,
    /// Reason for the history; at most 500 characters
    #[arg(long)]
    reason: Option<String>,
    /// Roll back to this app server instead
    #[arg(long, value_name = "ID")]
    to: Option<AppServerId>,
}

/// Rolls an instance back.
///
/// # Errors
/// [`ClientError`] if the API refuses or does not answer.
pub async fn roll_back(arguments: &Arguments, api: &Api, out: &Output) -> Result<(), ClientError> {
    let Arguments { instance, reason, to } = arguments;
    let id = instance::find(api, instance).await?;
    let body = json!({ "app_server_id": to, "reason": reason });
    activate::print(&api.ask(Method::POST, &format!("/instances/{id}/rollback"), &body).await?, out)
}

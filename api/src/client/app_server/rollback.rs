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
/// And set the hold: automation activates nothing until a person lifts it (ocim instance unhold). Its checks have 2 seconds.
/// Repeated: success, and it does not go forth again. Refused (exit code 5) when there is nothing to go back to.
#[derive(Debug, Args)]
#[command(after_help = "EXAMPLES:
    ocim app-server rollback astro.campus.example --reason 'grades are missing'
    ocim app-server rollback 1 --to 5")]
pub struct Arguments {
    /// The instance: its id, whole name or domain
    instance: String,
    /// Why, for the history; at most 500 characters
    #[arg(long)]
    reason: Option<String>,
    /// To this app server instead
    #[arg(long, value_name = "ID")]
    to: Option<AppServerId>,
}

/// Rolls it back.
///
/// # Errors
/// What the API says.
pub async fn roll_back(arguments: &Arguments, api: &Api, out: &Output) -> Result<(), ClientError> {
    let Arguments { instance, reason, to } = arguments;
    let id = instance::find(api, instance).await?;
    let body = json!({ "app_server_id": to, "reason": reason });
    activate::print(&api.ask(Method::POST, &format!("/instances/{id}/rollback"), &body).await?, out)
}

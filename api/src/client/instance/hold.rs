use clap::Args;
use reqwest::Method;
use serde_json::json;

use super::find;
use crate::client::api::Api;
use crate::client::error::ClientError;
use crate::client::output::Output;

/// Prevent automation from activating until a user lifts the hold
///
/// Automation continues to build, and users may activate. Already held: success, and the hold's user and reason stay.
#[derive(Debug, Args)]
#[command(after_help = "EXAMPLES:
    ocim instance hold 1 --reason 'exams until Friday'")]
pub struct Arguments {
    /// Id, whole name or domain of the instance
    instance: String,
    /// Reason for the history; at most 500 characters
    #[arg(long)]
    reason: String,
}

/// Lift the hold of an instance
///
/// No hold: success.
#[derive(Debug, Args)]
#[command(after_help = "EXAMPLES:
    ocim instance unhold 1")]
pub struct UnholdArguments {
    /// Id, whole name or domain of the instance
    instance: String,
}

/// Sets the hold.
///
/// # Errors
/// [`ClientError`] if the API refuses or does not answer.
pub async fn hold(arguments: &Arguments, api: &Api, out: &Output) -> Result<(), ClientError> {
    let id = find(api, &arguments.instance).await?;
    let body = json!({ "reason": arguments.reason });
    let held = api.ask(Method::PUT, &format!("/instances/{id}/hold"), &body).await?;
    out.told(&held, &format!("Instance {id} is held: automation activates nothing until the hold is lifted."))
}

/// Lifts the hold.
///
/// # Errors
/// [`ClientError`] if the API refuses or does not answer.
pub async fn unhold(arguments: &UnholdArguments, api: &Api, out: &Output) -> Result<(), ClientError> {
    let id = find(api, &arguments.instance).await?;
    let free = api.json(api.request(Method::DELETE, &format!("/instances/{id}/hold"), &[])).await?;
    out.told(&free, &format!("Instance {id} has no hold."))
}

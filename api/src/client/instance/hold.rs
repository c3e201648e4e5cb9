use clap::Args;
use reqwest::Method;
use serde_json::json;

use super::find;
use crate::client::api::Api;
use crate::client::error::ClientError;
use crate::client::output::Output;

/// Keep automation from activating until a person lifts the hold
///
/// Automation goes on building, and people may activate. Held already: success, and who set it and why stays as it is.
#[derive(Debug, Args)]
#[command(after_help = "EXAMPLES:
    ocim instance hold 1 --reason 'exams until Friday'")]
pub struct Arguments {
    /// Its id, whole name or domain
    instance: String,
    /// Why, for the history; at most 500 characters
    #[arg(long)]
    reason: String,
}

/// Lift the hold
///
/// No hold: success.
#[derive(Debug, Args)]
#[command(after_help = "EXAMPLES:
    ocim instance unhold 1")]
pub struct UnholdArguments {
    /// Its id, whole name or domain
    instance: String,
}

/// Holds it.
///
/// # Errors
/// What the API says.
pub async fn hold(arguments: &Arguments, api: &Api, out: &Output) -> Result<(), ClientError> {
    let id = find(api, &arguments.instance).await?;
    let body = json!({ "reason": arguments.reason });
    let held = api.ask(Method::PUT, &format!("/instances/{id}/hold"), &body).await?;
    out.told(&held, &format!("Instance {id} is held: automation activates nothing until the hold is lifted."))
}

/// Lifts the hold.
///
/// # Errors
/// What the API says.
pub async fn unhold(arguments: &UnholdArguments, api: &Api, out: &Output) -> Result<(), ClientError> {
    let id = find(api, &arguments.instance).await?;
    let free = api.json(api.request(Method::DELETE, &format!("/instances/{id}/hold"), &[])).await?;
    out.told(&free, &format!("Instance {id} has no hold."))
}

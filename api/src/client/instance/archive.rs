use clap::Args;
use reqwest::Method;
use serde_json::json;

use super::find;
use crate::client::api::Api;
use crate::client::error::ClientError;
use crate::client::output::Output;

/// Archive an instance: its host names have no target until it is restored
///
/// Refused (exit code 5) while an app server is being built, and while machines live unless --terminate is given.
#[derive(Debug, Args)]
#[command(after_help = "EXAMPLES:
    ocim instance archive 1
    ocim instance archive 1 --terminate")]
pub struct Arguments {
    /// Id, whole name or domain of the instance
    instance: String,
    /// Terminate its machines, the active one included
    #[arg(long)]
    terminate: bool,
}

/// Restore an archived instance
///
/// Nothing is launched or activated.
#[derive(Debug, Args)]
#[command(after_help = "EXAMPLES:
    ocim instance restore 1")]
pub struct RestoreArguments {
    /// Id, whole name or domain of the instance
    instance: String,
}

/// Archives the instance.
///
/// # Errors
/// [`ClientError`] if the API refuses or does not answer.
pub async fn archive(arguments: &Arguments, api: &Api, out: &Output) -> Result<(), ClientError> {
    let id = find(api, &arguments.instance).await?;
    let query = [("terminate", arguments.terminate.then(|| true.to_string()))];
    let archived = api.json(api.request(Method::DELETE, &format!("/instances/{id}"), &query)).await?;
    out.told(&archived, &format!("Instance {id} is archived."))
}

/// Restores the instance.
///
/// # Errors
/// [`ClientError`] if the API refuses or does not answer.
pub async fn restore(arguments: &RestoreArguments, api: &Api, out: &Output) -> Result<(), ClientError> {
    let id = find(api, &arguments.instance).await?;
    let restored = api.ask(Method::POST, &format!("/instances/{id}/restore"), &json!({})).await?;
    out.told(&restored, &format!("Instance {id} is in use again."))
}

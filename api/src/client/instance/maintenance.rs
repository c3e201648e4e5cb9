use clap::Args;
use reqwest::Method;
use serde_json::json;

use super::find;
use crate::client::api::Api;
use crate::client::error::ClientError;
use crate::client::output::Output;

/// Put the maintenance page of an instance up, or change its text
///
/// Visitors get the text with status 503, and no app server gets their requests. App servers and builds go on.
#[derive(Debug, Args)]
#[command(after_help = "EXAMPLES:
    ocim instance maintenance 1 --text 'We are back at 18:00.'")]
pub struct Arguments {
    /// Id, whole name or domain of the instance
    instance: String,
    /// What the page says to visitors, as plain text; at most 500 characters
    #[arg(long)]
    text: Option<String>,
    /// Reason for the history; at most 500 characters
    #[arg(long)]
    reason: Option<String>,
}

/// Take the maintenance page of an instance down
///
/// Not up: success.
#[derive(Debug, Args)]
#[command(after_help = "EXAMPLES:
    ocim instance end-maintenance 1")]
pub struct EndArguments {
    /// Id, whole name or domain of the instance
    instance: String,
}

/// Puts the page up.
///
/// # Errors
/// [`ClientError`] if the API refuses or does not answer.
pub async fn begin(arguments: &Arguments, api: &Api, out: &Output) -> Result<(), ClientError> {
    let id = find(api, &arguments.instance).await?;
    let body = json!({ "text": arguments.text, "reason": arguments.reason });
    let shown = api.ask(Method::PUT, &format!("/instances/{id}/maintenance"), &body).await?;
    out.told(&shown, &format!("Visitors of instance {id} get the maintenance page."))
}

/// Takes the page down.
///
/// # Errors
/// [`ClientError`] if the API refuses or does not answer.
pub async fn end(arguments: &EndArguments, api: &Api, out: &Output) -> Result<(), ClientError> {
    let id = find(api, &arguments.instance).await?;
    let ended = api.json(api.request(Method::DELETE, &format!("/instances/{id}/maintenance"), &[])).await?;
    out.told(&ended, &format!("Visitors of instance {id} get its active app server."))
}

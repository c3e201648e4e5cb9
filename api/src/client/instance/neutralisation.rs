use clap::Args;
use reqwest::Method;

use super::find;
use crate::client::api::Api;
use crate::client::error::ClientError;
use crate::client::output::Output;

/// Let app servers of a copy mail people and take payments; for administrators
///
/// For an instance whose data is a copy of another one's. App servers that exist stay as they are. Ended already: success.
#[derive(Debug, Args)]
#[command(after_help = "EXAMPLES:
    ocim instance end-neutralisation 9")]
pub struct Arguments {
    /// Id, whole name or domain of the instance
    instance: String,
}

/// Ends the neutralisation.
///
/// # Errors
/// [`ClientError`] if the API refuses or does not answer.
pub async fn end(arguments: &Arguments, api: &Api, out: &Output) -> Result<(), ClientError> {
    let id = find(api, &arguments.instance).await?;
    let answer = api.json(api.request(Method::DELETE, &format!("/instances/{id}/neutralisation"), &[])).await?;
    out.told(&answer, &format!("New app servers of instance {id} mail people and take payments."))
}

use clap::Args;
use shared_types::comparison::Render;

use super::find;
use crate::client::api::{Api, decode};
use crate::client::error::ClientError;
use crate::client::output::Output;
use crate::client::text;

/// Print the variables that a launch would pass to Ansible now
///
/// As YAML, secrets masked; `-o json` adds each variable's origin. Refused (exit code 5) if the settings are not valid.
#[derive(Debug, Args)]
#[command(after_help = "EXAMPLES:
    ocim instance render 1
    ocim instance render 1 -o json")]
pub struct Arguments {
    /// Id, whole name or domain of the instance
    instance: String,
}

/// Prints the variables.
///
/// # Errors
/// [`ClientError`] if the API refuses or does not answer.
pub async fn render(arguments: &Arguments, api: &Api, out: &Output) -> Result<(), ClientError> {
    let id = find(api, &arguments.instance).await?;
    let render = api.get(&format!("/instances/{id}/render"), &[]).await?;
    if out.is_json() {
        return out.document(&render);
    }
    let Render { configuration_settings, origins: _ } = decode(&render)?;
    out.line(&text::shown_log(&configuration_settings, false, 0))
}

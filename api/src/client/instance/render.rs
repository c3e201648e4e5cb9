use clap::Args;
use shared_types::comparison::Render;

use super::find;
use crate::client::api::{Api, decode};
use crate::client::error::ClientError;
use crate::client::output::Output;
use crate::client::text;

/// Print the variables that a launch would pass to Ansible now
///
/// As YAML, secrets masked; `-o json` also says where each comes from. Refused (exit code 5) when the settings cannot be used.
#[derive(Debug, Args)]
#[command(after_help = "EXAMPLES:
    ocim instance render 1
    ocim instance render 1 -o json")]
pub struct Arguments {
    /// Its id, whole name or domain
    instance: String,
}

/// Prints them.
///
/// # Errors
/// What the API says.
pub async fn render(arguments: &Arguments, api: &Api, out: &Output) -> Result<(), ClientError> {
    let id = find(api, &arguments.instance).await?;
    let render = api.get(&format!("/instances/{id}/render"), &[]).await?;
    if out.is_json() {
        return out.document(&render);
    }
    let Render { configuration_settings, origins: _ } = decode(&render)?;
    out.line(&text::shown_log(&configuration_settings, false, 0))
}

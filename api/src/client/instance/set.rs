use clap::Args;
use reqwest::Method;
use serde_json::Value;
use shared_types::{Instance, applications};

use super::find;
use super::settings::{self, Files};
use crate::client::api::{Api, decode};
use crate::client::error::ClientError;
use crate::client::output::Output;

/// Change settings of an instance; its app servers keep the settings of their launch
///
/// Only the given settings change; a blank value resets to the default. If another user changes the instance at the
/// same time, or a value is not valid (exit code 5), nothing is changed.
#[derive(Debug, Args)]
#[command(after_help = "EXAMPLES:
    ocim instance set 1 email=contact@example.com
    ocim instance set astro.campus.example name='Astronomy Academy' max_builds=2
    ocim instance set 1 --set-file configuration_extra_settings=extra.yml
    ocim instance set 1 email=new@example.com --if-match \"$(ocim instance show 1 -o json | jq -r .etag)\"")]
pub struct Arguments {
    /// Id, whole name or domain of the instance
    instance: String,
    /// A setting to change, like email=contact@example.com; `name` is the instance's name
    #[arg(value_name = "NAME=VALUE", value_parser = settings::pair, required_unless_present = "set_file")]
    set: Vec<(String, String)>,
    #[command(flatten)]
    files: Files,
    /// Only if the instance still has this etag; left out: the etag that this command reads
    #[arg(long, value_name = "ETAG")]
    if_match: Option<String>,
}

/// Changes the settings, and prints the changes that the next launch will apply.
///
/// # Errors
/// [`ClientError`] if the API refuses or does not answer.
pub async fn set(arguments: &Arguments, api: &Api, out: &Output) -> Result<(), ClientError> {
    let Arguments { instance, set, files, if_match } = arguments;
    let path = format!("/instances/{}", find(api, instance).await?);
    let known: Instance = decode(&api.get(&path, &[]).await?)?;
    let body = settings::body(applications::schema_of(&known.summary.instance_type), set, files)?;
    let etag = if_match.clone().unwrap_or(known.etag);
    let request = api.request(Method::PATCH, &path, &[]).header("if-match", etag).json(&Value::Object(body));
    let changed = api.json(request).await.inspect_err(say_nothing_changed)?;
    let Instance { summary, pending_changes, warnings, .. } = decode(&changed)?;
    let pending = match pending_changes.as_slice() {
        [] => String::new(),
        names => format!(" Its active app server does not have them until another is launched: {}.", names.join(", ")),
    };
    out.told(&changed, &format!("Instance {} is changed.{pending}", summary.id))?;
    settings::warn(out, &warnings)
}

fn say_nothing_changed(error: &ClientError) {
    if error.status() == Some(412) {
        let words = b"ocim: another user changed the instance; nothing was changed. Look at it and try again.\n";
        let _ = std::io::Write::write_all(&mut std::io::stderr(), words);
    }
}

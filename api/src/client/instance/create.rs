use clap::Args;
use reqwest::Method;
use serde_json::{Value, json};
use shared_types::Instance;

use super::settings::{self, Files};
use crate::client::api::{Api, decode};
use crate::client::error::ClientError;
use crate::client::output::Output;

/// Create an instance; nothing is launched
///
/// Settings that are not named get their defaults, which are written now and not looked up later. When a field is not valid
/// (exit code 5), nothing is created.
#[derive(Debug, Args)]
#[command(after_help = "EXAMPLES:
    ocim instance create --name 'Astronomy Academy' --sub-domain astro
    ocim instance create --name Moon --sub-domain moon --set email=moon@example.com --set max_builds=2
    ocim instance create --name Mars --sub-domain mars --set-file configuration_extra_settings=extra.yml -o json")]
pub struct Arguments {
    /// Its name, which learners see; at most 250 characters
    #[arg(long)]
    name: String,
    /// The part of its domain before the base domain; at most 50 characters
    #[arg(long)]
    sub_domain: String,
    /// A setting, like openedx_release=open-release/teak.2; may be repeated
    #[arg(long, value_name = "NAME=VALUE", value_parser = settings::pair)]
    set: Vec<(String, String)>,
    #[command(flatten)]
    files: Files,
}

/// Creates it and prints its id.
///
/// # Errors
/// What the API says.
pub async fn create(arguments: &Arguments, api: &Api, out: &Output) -> Result<(), ClientError> {
    let Arguments { name, sub_domain, set, files } = arguments;
    let mut body = settings::body(set, files)?;
    for (field, value) in [("name", name), ("sub_domain", sub_domain)] {
        if body.insert(field.to_owned(), json!(value)).is_some() {
            return Err(ClientError::Usage(format!("{field} is set twice.")));
        }
    }
    let made = api.ask(Method::POST, "/instances", &Value::Object(body)).await?;
    let id = made.get("id").map(Value::to_string).unwrap_or_default();
    let url = made.get("url").and_then(Value::as_str).unwrap_or_default();
    let words = format!("Instance {id} is there: {url}. Launch its first app server: ocim app-server launch {id}");
    out.told(&made, &words)?;
    settings::warn(out, &decode::<Instance>(&made)?.warnings)
}

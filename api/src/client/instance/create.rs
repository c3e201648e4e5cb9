use clap::Args;
use reqwest::Method;
use serde_json::{Value, json};
use shared_types::{Instance, applications};

use super::settings::{self, Files};
use crate::client::api::{Api, decode};
use crate::client::error::ClientError;
use crate::client::output::Output;

/// Create an instance; nothing is launched
///
/// Settings that are not given get their defaults, which are stored now and not looked up later. If a field is not
/// valid (exit code 5), nothing is created.
#[derive(Debug, Args)]
#[command(after_help = "EXAMPLES:
    ocim instance create --name 'Astronomy Academy' --sub-domain astro
    ocim instance create --name Moon --sub-domain moon --set email=moon@example.com --set max_builds=2
    ocim instance create --name Mars --sub-domain mars --set-file configuration_extra_settings=extra.yml -o json")]
pub struct Arguments {
    /// The instance's name, shown to learners; at most 250 characters
    #[arg(long)]
    name: String,
    /// The application that it runs
    #[arg(long = "type", value_name = "TYPE", default_value = applications::DEFAULT.word)]
    instance_type: String,
    /// The part of its domain before the base domain, for types that have one; at most 50 characters
    #[arg(long = "sub-domain", value_name = "SUBDOMAIN")]
    subdomain: Option<String>,
    /// A setting, like email=contact@example.com; may be repeated
    #[arg(long, value_name = "NAME=VALUE", value_parser = settings::pair)]
    set: Vec<(String, String)>,
    #[command(flatten)]
    files: Files,
}

/// Creates an instance and prints its id.
///
/// # Errors
/// [`ClientError`] if the API refuses or does not answer.
pub async fn create(arguments: &Arguments, api: &Api, out: &Output) -> Result<(), ClientError> {
    let Arguments { name, instance_type, subdomain, set, files } = arguments;
    let mut body = settings::body(applications::schema_of(instance_type), set, files)?;
    let given =
        [("name", Some(name)), ("instance_type", Some(instance_type)), (applications::SUBDOMAIN, subdomain.as_ref())];
    for (field, value) in given.into_iter().filter_map(|(field, value)| Some((field, value?))) {
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

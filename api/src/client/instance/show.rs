use clap::Args;
use serde_json::Value;
use shared_types::settings::Field;
use shared_types::{AppServerSummary, Instance, InstanceHealth, applications};

use super::{find, settings};
use crate::client::api::{Api, decode};
use crate::client::error::ClientError;
use crate::client::output::Output;

/// Show an instance
#[derive(Debug, Args)]
#[command(after_help = "EXAMPLES:
    ocim instance show 1
    ocim instance show 'Astronomy Academy'
    ocim instance show astro.campus.example -o json")]
pub struct Arguments {
    /// Id, whole name or domain of the instance
    instance: String,
}

/// Prints an instance with every setting; secrets are shown as `••••••`.
///
/// # Errors
/// [`ClientError`] if the API refuses; exit code 4 if there is no such instance.
pub async fn show(arguments: &Arguments, api: &Api, out: &Output) -> Result<(), ClientError> {
    let id = find(api, &arguments.instance).await?;
    print(&api.get(&format!("/instances/{id}"), &[]).await?, out)
}

/// Prints an instance from the API's document.
///
/// # Errors
/// [`ClientError`] if it cannot be decoded or printed.
pub fn print(document: &Value, out: &Output) -> Result<(), ClientError> {
    if out.is_json() {
        return out.document(document);
    }
    let instance: Instance = decode(document)?;
    let words = |one: &Option<AppServerSummary>| {
        one.as_ref().map_or_else(|| "-".to_owned(), |one| format!("{} ({}, {})", one.id, one.name, one.status.as_str()))
    };
    let dash = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
    let hold = instance.hold.as_ref().map(|hold| {
        let why = hold.reason.as_ref().map(|why| format!(": {why}")).unwrap_or_default();
        format!("by {} since {}{why}", hold.by, hold.at.format("%Y-%m-%d %H:%M"))
    });
    let sites: Vec<_> = instance.sites.iter().map(|site| format!("{} {}", site.label, site.url)).collect();
    let mut fields = vec![
        ("id", instance.summary.id.to_string()),
        ("name", instance.summary.name.clone()),
        ("url", instance.url.clone()),
        ("sites", sites.join(", ")),
        ("health", dash(instance.summary.health.as_ref().map(health))),
        ("active", words(&instance.summary.active_appserver)),
        ("newest", words(&instance.summary.newest_appserver)),
        ("fallback", dash(instance.fallback_app_server_id.map(|id| id.to_string()))),
        ("hold", dash(hold)),
        ("archived", dash(instance.summary.archived_at.map(|at| at.format("%Y-%m-%d %H:%M").to_string()))),
        ("pending_changes", dash(Some(instance.pending_changes.join(", ")).filter(|names| !names.is_empty()))),
    ];
    let schema = applications::schema_of(&instance.summary.instance_type);
    let value = |field: &'static Field| Some((field.name, settings::words(document.get(field.name)?)));
    fields.extend(settings::fields(schema).filter_map(value));
    out.fields(&fields)
}

/// Formats it as `down since 2026-11-28 10:03: lms, studio`.
fn health(health: &InstanceHealth) -> String {
    let failing = if health.failing.is_empty() { String::new() } else { format!(": {}", health.failing.join(", ")) };
    format!("{} since {}{failing}", health.state.as_str(), health.since.format("%Y-%m-%d %H:%M"))
}

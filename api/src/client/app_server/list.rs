use clap::Args;
use serde_json::Value;
use shared_types::{AppServerStatus, AppServerSummary, Serving};

use crate::client::api::{Api, decode};
use crate::client::error::ClientError;
use crate::client::instance;
use crate::client::output::{Cell, Output};

/// List app servers, the newest first
#[derive(Debug, Args)]
#[command(after_help = "EXAMPLES:
    ocim app-server list
    ocim app-server list --instance astro.campus.example --status running
    ocim app-server list --limit 20 -o json")]
pub struct Arguments {
    /// Only app servers of this instance: its id, whole name or domain
    #[arg(long)]
    instance: Option<String>,
    /// Only app servers with this status: new, waiting, configuring, running, failed, error, terminated or stopped
    #[arg(long, value_parser = status)]
    status: Option<AppServerStatus>,
    /// Limit of the number; left out: all
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    limit: Option<u32>,
}

fn status(text: &str) -> Result<AppServerStatus, String> {
    let known = AppServerStatus::ALL.iter().find(|status| status.as_str() == text);
    known.copied().ok_or_else(|| {
        let words: Vec<_> = AppServerStatus::ALL.iter().map(|status| status.as_str()).collect();
        format!("must be one of {}", words.join(", "))
    })
}

/// Prints the app servers, fetching page after page.
///
/// # Errors
/// [`ClientError`] if the API refuses or does not answer.
pub async fn list(arguments: &Arguments, api: &Api, out: &Output) -> Result<(), ClientError> {
    let Arguments { instance, status, limit } = arguments;
    let instance = match instance {
        Some(named) => Some(instance::find(api, named).await?.to_string()),
        None => None,
    };
    let query = [("instance", instance), ("status", status.map(|status| status.as_str().to_owned()))];
    let items = api.list("/app-servers", &query, limit.map(|limit| limit as usize)).await?;
    if out.is_json() {
        return out.document(&Value::Array(items));
    }
    let rows = items.iter().map(row).collect::<Result<Vec<_>, _>>()?;
    out.table(&["ID", "INSTANCE", "NAME", "STATUS", "SERVING", "CREATED", "BY", "REASON"], &rows)
}

fn row(item: &Value) -> Result<Vec<Cell>, ClientError> {
    let one: AppServerSummary = decode(item)?;
    Ok(vec![
        one.id.into(),
        one.instance_id.into(),
        (&one.name).into(),
        Cell::status(one.status),
        serving(one.serving).into(),
        one.created.format("%Y-%m-%d %H:%M").into(),
        (&one.requested_by).into(),
        Cell::or_dash(one.reason.as_ref()),
    ])
}

/// The API's word for it.
pub fn serving(serving: Serving) -> &'static str {
    match serving {
        Serving::Idle => "idle",
        Serving::Active => "active",
        Serving::Draining => "draining",
        Serving::Fallback => "fallback",
    }
}

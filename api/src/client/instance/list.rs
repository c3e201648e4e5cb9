use clap::Args;
use serde_json::Value;
use shared_types::{AppServerSummary, InstanceSummary};

use crate::client::api::{Api, decode};
use crate::client::error::ClientError;
use crate::client::output::{Cell, Output};

/// List instances
#[derive(Debug, Args)]
#[command(after_help = "EXAMPLES:
    ocim instance list
    ocim instance list --q academy --limit 10
    ocim instance list --archived -o json
    ocim instance list --health down,degraded --sort health")]
pub struct Arguments {
    /// Only instances whose name or domain contains this text, ignoring case; at most 200 characters
    #[arg(long, value_name = "TEXT")]
    q: Option<String>,
    /// Only instances whose health is one of these: ok, unknown, degraded, down, none; separated by commas
    #[arg(long, value_name = "STATES")]
    health: Option<String>,
    /// Order: name (the default), domain, created, modified or health (most urgent first); with - before it, reversed
    #[arg(long, value_name = "ORDER", allow_hyphen_values = true)]
    sort: Option<String>,
    /// Archived instances instead of those in use
    #[arg(long)]
    archived: bool,
    /// Limit of the number; left out: all
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    limit: Option<u32>,
}

/// Prints the instances, fetching page after page.
///
/// # Errors
/// [`ClientError`] if the API refuses or does not answer.
pub async fn list(arguments: Arguments, api: &Api, out: &Output) -> Result<(), ClientError> {
    let Arguments { q, health, sort, archived, limit } = arguments;
    let query = [("q", q), ("health", health), ("sort", sort), ("archived", archived.then(|| true.to_string()))];
    let items = api.list("/instances", &query, limit.map(|limit| limit as usize)).await?;
    if out.is_json() {
        return out.document(&Value::Array(items));
    }
    let rows = items.iter().map(row).collect::<Result<Vec<_>, _>>()?;
    out.table(&["ID", "NAME", "DOMAIN", "HEALTH", "ACTIVE", "NEWEST", "STATUS", "HOLD"], &rows)
}

fn row(item: &Value) -> Result<Vec<Cell>, ClientError> {
    let one: InstanceSummary = decode(item)?;
    let id = |app_server: Option<&AppServerSummary>| Cell::or_dash(app_server.map(|app_server| app_server.id));
    Ok(vec![
        one.id.into(),
        (&one.name).into(),
        (&one.domain).into(),
        one.health.as_ref().map_or_else(|| "-".into(), |health| Cell::health(health.state)),
        id(one.active_appserver.as_ref()),
        id(one.newest_appserver.as_ref()),
        one.newest_appserver.as_ref().map_or_else(|| "-".into(), |newest| Cell::status(newest.status)),
        if one.has_hold { "yes" } else { "-" }.into(),
    ])
}

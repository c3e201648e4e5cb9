use clap::Args;
use serde_json::Value;
use shared_types::{AppServer, AppServerId};

use super::{list, progress};
use crate::client::api::{Api, decode};
use crate::client::error::ClientError;
use crate::client::output::Output;

/// Show an app server
///
/// `-o json` prints everything: configuration, variables, steps, checks.
#[derive(Debug, Args)]
#[command(after_help = "EXAMPLES:
    ocim app-server show 7
    ocim app-server show 7 -o json")]
pub struct Arguments {
    /// Id of the app server
    id: AppServerId,
}

/// Reads and prints an app server.
///
/// # Errors
/// [`ClientError`] if the API refuses; exit code 4 if there is no such app server.
pub async fn show(arguments: &Arguments, api: &Api, out: &Output) -> Result<(), ClientError> {
    print(&api.get(&format!("/app-servers/{}", arguments.id), &[]).await?, out)
}

/// Prints an app server from the API's document.
///
/// # Errors
/// [`ClientError`] if it cannot be decoded or printed.
pub fn print(document: &Value, out: &Output) -> Result<(), ClientError> {
    if out.is_json() {
        return out.document(document);
    }
    let AppServer { summary, instance, server, playbooks, checks, .. } = decode(document)?;
    let dash = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
    let check = |check: &shared_types::app_server::Check| {
        format!("{} {}: {}", check.name, if check.is_ok { "ok" } else { "not ok" }, check.detail)
    };
    let commits = playbooks.iter().map(|one| {
        format!("{} {} ({})", one.source_repo, one.version, one.commit.as_deref().unwrap_or("not yet pinned"))
    });
    let mut fields = vec![
        ("id", summary.id.to_string()),
        ("name", summary.name.clone()),
        ("instance", format!("{} ({})", instance.id, instance.name)),
        ("status", format!("{}: {}", summary.status.as_str(), summary.status_description)),
        ("serving", list::serving(summary.serving).to_owned()),
        ("launched", format!("{} by {}", summary.created.format("%Y-%m-%d %H:%M"), summary.origin(None))),
        ("reason", dash(summary.reason.clone())),
        ("server", format!("{}, {}, {}", server.name, dash(server.public_ip), server.status_name)),
        ("ssh", dash(server.ssh.map(|login| login.command))),
        ("playbooks", commits.collect::<Vec<_>>().join("\n")),
        (
            "checks",
            dash(Some(checks.items.iter().map(check).collect::<Vec<_>>().join("\n")).filter(|all| !all.is_empty())),
        ),
        ("pinned", if summary.is_pinned { "yes" } else { "no" }.to_owned()),
        ("terminates", dash(summary.terminates_at.map(|at| at.format("%Y-%m-%d %H:%M").to_string()))),
    ];
    if summary.status.is_building() {
        fields.push(("progress", progress::words(&summary, true)));
    }
    if let Some(failure) = summary.failure {
        fields.push(("failure", failure));
    }
    out.fields(&fields)
}

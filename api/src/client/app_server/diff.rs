use clap::Args;
use shared_types::AppServerId;
use shared_types::comparison::Diff;
use shared_types::diff::SettingChange;

use crate::client::api::{Api, decode};
use crate::client::error::ClientError;
use crate::client::output::{Cell, Output};

/// Print the differences between an app server and another one, or its instance
///
/// Settings field by field, then the merged variables. Secrets show as changed without their values. The exit code is 0
/// even if there are differences.
#[derive(Debug, Args)]
#[command(after_help = "EXAMPLES:
    ocim app-server diff 7
    ocim app-server diff 7 --against 5
    ocim app-server diff 7 --against instance -o json")]
pub struct Arguments {
    /// Id of the app server
    id: AppServerId,
    /// The id of another app server of its instance, or `instance`: the instance as it is now
    #[arg(long, value_name = "ID|instance", default_value = "instance")]
    against: String,
}

/// Prints the differences.
///
/// # Errors
/// [`ClientError`] if the API refuses or does not answer.
pub async fn diff(arguments: &Arguments, api: &Api, out: &Output) -> Result<(), ClientError> {
    let Arguments { id, against } = arguments;
    let document = api.get(&format!("/app-servers/{id}/diff"), &[("against", Some(against.clone()))]).await?;
    if out.is_json() {
        return out.document(&document);
    }
    let Diff { settings, variables } = decode(&document)?;
    if settings.is_empty() && variables.is_empty() {
        return out.line("Nothing differs.");
    }
    let row = |kind: &'static str, change: &SettingChange| -> Vec<Cell> {
        let SettingChange { name, before, after, is_secret: _ } = change;
        vec![kind.into(), name.into(), Cell::or_dash(before.as_ref()), Cell::or_dash(after.as_ref())]
    };
    let settings = settings.iter().map(|change| row("setting", change));
    let rows: Vec<_> = settings.chain(variables.iter().map(|change| row("variable", change))).collect();
    out.table(&["KIND", "NAME", "BEFORE", "AFTER"], &rows)
}

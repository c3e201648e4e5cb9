use clap::Args;
use reqwest::Method;
use serde_json::{Value, json};
use shared_types::backup::{Backup, InstanceBackups};
use shared_types::{BackupId, InstanceId};

use super::find;
use crate::client::api::{Api, decode};
use crate::client::error::ClientError;
use crate::client::output::{Cell, Output};

/// Backups of the databases and buckets that an instance has outside its machines
#[derive(Debug, clap::Subcommand)]
pub enum Verb {
    List(ListArguments),
    Make(MakeArguments),
    Verify(VerifyArguments),
    Restore(RestoreArguments),
    Delete(DeleteArguments),
}

/// List the backups, the newest first, and what keeps others from being made
#[derive(Debug, Args)]
#[command(after_help = "EXAMPLES:
    ocim instance backups list 1")]
pub struct ListArguments {
    /// Id, whole name or domain of the instance
    instance: String,
}

/// Make a backup; a worker writes it
///
/// Refused (exit code 5) while another one is being written, verified or restored.
#[derive(Debug, Args)]
#[command(after_help = "EXAMPLES:
    ocim instance backups make 1")]
pub struct MakeArguments {
    /// Id, whole name or domain of the instance
    instance: String,
}

/// Verify a backup: a worker loads it into databases made for this
#[derive(Debug, Args)]
#[command(after_help = "EXAMPLES:
    ocim instance backups verify 1 42")]
pub struct VerifyArguments {
    /// Id, whole name or domain of the instance
    instance: String,
    /// Id of the backup
    backup: BackupId,
}

/// Replace an instance's databases by a backup, and write its objects back; for administrators
///
/// This cannot be undone. Objects that the backup does not have stay. Visitors get the maintenance page meanwhile. Another instance that
/// gets the data has mail and payments off from then on, until `ocim instance end-neutralisation`.
#[derive(Debug, Args)]
#[command(after_help = "EXAMPLES:
    ocim instance backups restore 1 42 --confirm 'Astronomy Academy'
    ocim instance backups restore 1 42 --into 9 --confirm 'Astronomy staging'")]
pub struct RestoreArguments {
    /// Id, whole name or domain of the instance
    instance: String,
    /// Id of the backup
    backup: BackupId,
    /// Id, whole name or domain of another instance of the same type that gets the data
    #[arg(long, value_name = "INSTANCE")]
    into: Option<String>,
    /// The name of the instance whose databases are replaced, as a confirmation
    #[arg(long, value_name = "NAME")]
    confirm: String,
}

/// Delete a backup; for administrators
///
/// This cannot be undone.
#[derive(Debug, Args)]
#[command(after_help = "EXAMPLES:
    ocim instance backups delete 1 42")]
pub struct DeleteArguments {
    /// Id, whole name or domain of the instance
    instance: String,
    /// Id of the backup
    backup: BackupId,
}

/// Performs one operation.
///
/// # Errors
/// [`ClientError`] if the API refuses or does not answer.
pub async fn run(verb: Verb, api: &Api, out: &Output) -> Result<(), ClientError> {
    match verb {
        Verb::List(arguments) => list(&arguments, api, out).await,
        Verb::Make(arguments) => make(&arguments, api, out).await,
        Verb::Verify(arguments) => verify(&arguments, api, out).await,
        Verb::Restore(arguments) => restore(&arguments, api, out).await,
        Verb::Delete(arguments) => delete(&arguments, api, out).await,
    }
}

async fn list(arguments: &ListArguments, api: &Api, out: &Output) -> Result<(), ClientError> {
    let id = find(api, &arguments.instance).await?;
    let answer = api.get(&path(id), &[]).await?;
    if out.is_json() {
        return out.document(&answer);
    }
    let InstanceBackups { items, incoming, contents, left_out, why_none, why_no_restore, every_hours, keep } =
        decode(&answer)?;
    let rows = items.iter().map(row).collect::<Vec<_>>();
    out.table(&["ID", "CREATED", "STATE", "WORK", "REASON", "BYTES", "VERIFIED", "TROUBLE"], &rows)?;
    let say = |words: &str| out.told(&Value::Null, words);
    if let Some(Backup { id: backup, instance_id, .. }) = incoming {
        say(&format!("The databases are being replaced by those of backup {backup} of instance {instance_id}."))?;
    }
    match why_none {
        Some(words) => say(&format!("No backup can be made. {words}"))?,
        None => say(&format!("The next one contains: {}.", contents.join(", ")))?,
    }
    for words in left_out {
        say(&format!("In none: {words}."))?;
    }
    if let Some(words) = why_no_restore {
        say(&format!("None can be restored or verified. {words}"))?;
    }
    match every_hours {
        Some(hours) => say(&format!("One is made every {hours} h; the newest {keep} are kept.")),
        None => say("There is no schedule."),
    }
}

fn row(one: &Backup) -> Vec<Cell> {
    let size = one.pieces.iter().map(|piece| piece.bytes).fold(0_i64, i64::saturating_add);
    vec![
        one.id.into(),
        one.created.format("%Y-%m-%d %H:%M").into(),
        one.state.as_str().into(),
        Cell::or_dash(one.work.map(|work| work.as_str())),
        one.reason.as_str().into(),
        size.into(),
        Cell::or_dash(one.verified.map(|at| at.format("%Y-%m-%d %H:%M"))),
        Cell::or_dash(one.trouble.as_ref()),
    ]
}

async fn make(arguments: &MakeArguments, api: &Api, out: &Output) -> Result<(), ClientError> {
    let id = find(api, &arguments.instance).await?;
    let answer = api.ask(Method::POST, &path(id), &json!({})).await?;
    let Backup { id: backup, .. } = decode(&answer)?;
    out.told(&answer, &format!("Backup {backup} of instance {id} is being written."))
}

async fn verify(arguments: &VerifyArguments, api: &Api, out: &Output) -> Result<(), ClientError> {
    let VerifyArguments { instance, backup } = arguments;
    let id = find(api, instance).await?;
    let answer = api.ask(Method::POST, &format!("{}/{backup}/verify", path(id)), &json!({})).await?;
    out.told(&answer, &format!("Backup {backup} of instance {id} is being verified."))
}

async fn restore(arguments: &RestoreArguments, api: &Api, out: &Output) -> Result<(), ClientError> {
    let RestoreArguments { instance, backup, into, confirm } = arguments;
    let id = find(api, instance).await?;
    let into = match into {
        Some(into) => Some(find(api, into).await?),
        None => None,
    };
    let body = json!({ "confirm": confirm, "into": into });
    let answer = api.ask(Method::POST, &format!("{}/{backup}/restore", path(id)), &body).await?;
    let target = into.unwrap_or(id);
    out.told(&answer, &format!("Instance {target} is being restored from backup {backup}."))
}

async fn delete(arguments: &DeleteArguments, api: &Api, out: &Output) -> Result<(), ClientError> {
    let DeleteArguments { instance, backup } = arguments;
    let id = find(api, instance).await?;
    let answer = api.json(api.request(Method::DELETE, &format!("{}/{backup}", path(id)), &[])).await?;
    out.told(&answer, &format!("Backup {backup} of instance {id} is being deleted."))
}

fn path(id: InstanceId) -> String {
    format!("/instances/{id}/backups")
}

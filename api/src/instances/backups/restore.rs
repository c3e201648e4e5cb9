//! Asks for the replacement of an instance's databases by those of a backup, and for its objects.

use diesel_async::{AsyncConnection, AsyncPgConnection};
use serde_json::json;
use shared_types::audit::Operation;
use shared_types::backup::{Backup, BackupWork};
use shared_types::resource::ResourcePart;
use shared_types::{BackupId, EventKind, FieldError, InstanceId};

use super::contents::{self, Contents, named};
use super::verify::refuse_incomplete;
use super::work::bucket_target;
use super::{find, refuse_second, words_of_work};
use crate::backups::Piece;
use crate::instances::builds::migration;
use crate::instances::journal::Journal;
use crate::instances::store::backups::{self as store, BackupRow};
use crate::instances::store::{app_servers, instances};
use crate::instances::{Manager, Refusal};
use crate::platform::db::DbError;
use crate::platform::logs::Line;
use crate::platform::origin::Actor;
use crate::resources::store::ResourceRow;

/// Asks for a restore; a worker does it, behind the maintenance page. What the databases hold now is lost, and objects of the backup are as
/// they were; other objects stay. `confirm`: the instance's name.
///
/// # Errors
/// [`Refusal::NotFound`]; [`Refusal::Conflict`] if the backup is not complete, its databases cannot be replaced, or the instance is
/// archived, being built, or its backups are worked on; [`Refusal::Invalid`] when `confirm` is not its name.
pub async fn request(
    manager: &Manager,
    conn: &mut AsyncPgConnection,
    actor: &Actor,
    (instance, id): (InstanceId, BackupId),
    confirm: &str,
) -> Result<Backup, Refusal> {
    conn.transaction(async |conn| {
        let owner = instances::lock(conn, instance).await?;
        let owner = owner.ok_or(Refusal::NotFound { what: "instance", id: instance.0 })?;
        let row = find(conn, instance, id).await?;
        refuse_incomplete(&row)?;
        if owner.archived_at.is_some() {
            return Err(Refusal::Conflict(format!(
                "Instance {instance} is archived; restore it before its databases are replaced."
            )));
        }
        if let Some(words) = contents::why_no_restore(manager) {
            return Err(Refusal::Conflict(words));
        }
        let contents = contents::of_instance(conn, instance).await?;
        let pieces = row.pieces()?;
        check_targets(manager, &contents, &pieces).map_err(Refusal::Conflict)?;
        refuse_second(conn, instance).await?;
        if let Some(name) = app_servers::being_built(conn, instance).await? {
            return Err(Refusal::Conflict(format!(
                "{name} is being built with the databases; wait for its end, or stop it."
            )));
        }
        migration::refuse_open(conn, instance).await?;
        if confirm != owner.name {
            let words = format!("Type the instance's name, {}, to replace its databases.", owner.name);
            return Err(Refusal::Invalid(vec![FieldError::new("confirm", words)]));
        }
        let begun = begin(conn, actor, &row).await?.ok_or_else(|| Refusal::Conflict(words_of_work(&row)))?;
        Ok(begun.into_dto()?)
    })
    .await
}

/// Begins a restore in the caller's transaction, which has locked the instance. None: something is being done with the backup.
pub(super) async fn begin(
    conn: &mut AsyncPgConnection,
    actor: &Actor,
    row: &BackupRow,
) -> Result<Option<BackupRow>, DbError> {
    let Some(begun) = store::begin(conn, row.id, BackupWork::Restore, actor).await? else { return Ok(None) };
    let replaced: Vec<_> = row.pieces()?.iter().map(|piece| named(piece.kind, &piece.name)).collect();
    let words = format!("The restore of backup {} was asked for by {actor}: {}", row.id, replaced.join(", "));
    Journal::of(actor, Operation::RestoreBackup)
        .instance(row.instance_id)
        .event(EventKind::InstanceUpdated)
        .line(Line::warning(words))
        .detail(json!({ "backup": row.id, "of": row.created, "contents": replaced }))
        .write(conn)
        .await?;
    Ok(Some(begun))
}

/// Whether all pieces can be restored, but objects of buckets that an operator entered, which stay as they are.
///
/// # Errors
/// Why one cannot, or that nothing would be restored, and what to do.
fn check_targets(manager: &Manager, contents: &Contents, pieces: &[Piece]) -> Result<(), String> {
    let mut is_any = false;
    for piece in pieces {
        is_any |= match piece.objects {
            Some(_) => bucket_target(contents, piece)?.is_some_and(|row| contents::server(manager, row).is_some()),
            None => target(manager, contents, piece).map(|_| true)?,
        };
    }
    if is_any {
        return Ok(());
    }
    Err("The backup has only objects of buckets that an operator entered, or whose server the settings do not have: ocim writes nothing \
         there. Write them back by hand, as docs/backups.md says."
        .to_owned())
}

/// The database that a file replaces.
///
/// # Errors
/// Why it cannot be replaced, and what to do.
pub(super) fn target<'c>(manager: &Manager, contents: &'c Contents, piece: &Piece) -> Result<&'c ResourceRow, String> {
    let is_it =
        |row: &&ResourceRow| row.part == ResourcePart::Database && row.kind == piece.kind && row.name == piece.name;
    let words = named(piece.kind, &piece.name);
    let Some(row) = contents.rows.iter().find(is_it) else {
        return Err(format!(
            "The instance has no {words} that the backup could replace. Launch an app server, which makes it; then restore the backup."
        ));
    };
    contents::check_replaceable(manager, row).map(|()| row)
}

//! Asks for the replacement of an instance's databases by those of a backup, its own or another one's, and for its objects.

use diesel_async::{AsyncConnection, AsyncPgConnection};
use serde_json::json;
use shared_types::audit::Operation;
use shared_types::backup::{Backup, BackupWork};
use shared_types::{BackupId, EventKind, FieldError, InstanceId};

use super::contents::{self, Contents, named};
use super::verify::refuse_incomplete;
use super::work::bucket_target;
use super::{begun, copying, find, refuse_second};
use crate::backups::Piece;
use crate::instances::builds::migration;
use crate::instances::journal::Journal;
use crate::instances::store::backups::{self as store, BackupRow};
use crate::instances::store::instances::InstanceRow;
use crate::instances::store::{app_servers, copies};
use crate::instances::{Manager, Refusal};
use crate::platform::db::DbError;
use crate::platform::logs::Line;
use crate::platform::origin::Actor;
use crate::resources::store::ResourceRow;

/// Asks for a restore; a worker does it, behind the maintenance page. What the databases hold now is lost, and objects of the backup are as
/// they were; other objects stay. Another instance that gets the data (`into`) is neutralised from here on, and gets databases and buckets
/// if it has none yet.
///
/// # Errors
/// [`Refusal::NotFound`]; [`Refusal::Conflict`] if the backup is not complete, the databases cannot be replaced, or the instance that has
/// them is archived, being built or worked on, of another type, or has app servers that are not neutralised; [`Refusal::Invalid`] when
/// `confirm` is not its name.
pub async fn request(
    manager: &Manager,
    conn: &mut AsyncPgConnection,
    actor: &Actor,
    (instance, id): (InstanceId, BackupId),
    (confirm, into): (&str, Option<InstanceId>),
) -> Result<Backup, Refusal> {
    conn.transaction(async |conn| {
        let (owner, target) = copying::lock(conn, instance, into.unwrap_or(instance)).await?;
        let row = find(conn, instance, id).await?;
        refuse_incomplete(&row)?;
        refuse_unready(manager, conn, &target).await?;
        let pieces = row.pieces()?;
        if target.id == instance {
            let contents = contents::of_instance(conn, instance).await?;
            check_targets(manager, &contents, &pieces).map_err(Refusal::Conflict)?;
        } else {
            copying::check(conn, &owner, &target).await?;
            copying::prepare(manager, conn, &target, &pieces).await?;
        }
        if confirm != target.name {
            let words = format!("Type the instance's name, {}, to replace its databases.", target.name);
            return Err(Refusal::Invalid(vec![FieldError::new("confirm", words)]));
        }
        let begun = begun(&row, begin(conn, actor, &row, target.id).await?)?;
        Ok(begun.into_dto()?)
    })
    .await
}

/// Refuses an instance whose databases cannot be replaced now.
async fn refuse_unready(manager: &Manager, conn: &mut AsyncPgConnection, of: &InstanceRow) -> Result<(), Refusal> {
    let id = of.id;
    if of.archived_at.is_some() {
        return Err(Refusal::Conflict(format!(
            "Instance {id} is archived; restore it before its databases are replaced."
        )));
    }
    if let Some(words) = contents::why_no_restore(manager) {
        return Err(Refusal::Conflict(words));
    }
    refuse_second(conn, id).await?;
    if let Some(name) = app_servers::being_built(conn, id).await? {
        return Err(Refusal::Conflict(format!(
            "{name} is being built with the databases; wait for its end, or stop it."
        )));
    }
    migration::refuse_open(conn, id).await
}

/// Begins a restore into an instance in the caller's transaction, which has locked it. Another one than the backup's is neutralised. None:
/// something is being done with the backup.
pub(super) async fn begin(
    conn: &mut AsyncPgConnection,
    actor: &Actor,
    row: &BackupRow,
    target: InstanceId,
) -> Result<Option<BackupRow>, DbError> {
    let (id, source) = (row.id, row.instance_id);
    let into = Some(target).filter(|target| *target != source);
    let Some(begun) = store::begin(conn, id, (BackupWork::Restore, into), actor).await? else { return Ok(None) };
    let replaced: Vec<_> = row.pieces()?.iter().map(|piece| named(piece.kind, &piece.name)).collect();
    let mut words =
        format!("The restore of backup {} was asked for by {actor}: {}", begun.words(), replaced.join(", "));
    if into.is_some() {
        words.push_str("; app servers that are launched from now on have mail and payments off");
        copies::insert(conn, target, row, actor).await?;
        let line = Line::info(format!("{actor} asked to restore backup {id} into instance {target}"));
        let journal = Journal::of_consequence().instance(source).event(EventKind::InstanceUpdated).line(line);
        journal.write(conn).await?;
    }
    Journal::of(actor, Operation::RestoreBackup)
        .instance(target)
        .event(EventKind::InstanceUpdated)
        .line(Line::warning(words))
        .detail(json!({ "backup": id, "of": row.created, "of_instance": source, "contents": replaced }))
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
    let Some(row) = contents.database(piece.kind, &piece.name) else {
        return Err(format!(
            "The instance has no {} that the backup could replace. Launch an app server, which makes it; then restore the backup.",
            named(piece.kind, &piece.name)
        ));
    };
    contents::check_replaceable(manager, row).map(|()| row)
}

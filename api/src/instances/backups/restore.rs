//! Asks for the replacement of an instance's databases by those of a backup.

use diesel_async::{AsyncConnection, AsyncPgConnection};
use serde_json::json;
use shared_types::audit::Operation;
use shared_types::backup::{Backup, BackupWork};
use shared_types::resource::{ResourceClass, ResourcePart, ResourceState};
use shared_types::{BackupId, EventKind, FieldError, InstanceId};

use super::contents::{self, Contents, named};
use super::verify::refuse_incomplete;
use super::{databases, find, refuse_second, view, words_of_work};
use crate::backups::Piece;
use crate::instances::journal::Journal;
use crate::instances::store::backups as store;
use crate::instances::store::{app_servers, instances};
use crate::instances::{Manager, Refusal};
use crate::platform::logs::Line;
use crate::platform::origin::Actor;
use crate::resources::store::ResourceRow;

/// Asks for a restore; a worker does it, behind the maintenance page. What the databases hold now is lost. `confirm`: the instance's
/// name.
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
        if let Some(words) = view::why_no_restore(manager) {
            return Err(Refusal::Conflict(words));
        }
        let contents = contents::of_instance(conn, instance).await?;
        let pieces = row.pieces()?;
        for piece in &pieces {
            target(manager, &contents, piece).map_err(Refusal::Conflict)?;
        }
        refuse_second(conn, instance).await?;
        if let Some(name) = app_servers::being_built(conn, instance).await? {
            return Err(Refusal::Conflict(format!(
                "{name} is being built with the databases; wait for its end, or stop it."
            )));
        }
        if confirm != owner.name {
            let words = format!("Type the instance's name, {}, to replace its databases.", owner.name);
            return Err(Refusal::Invalid(vec![FieldError::new("confirm", words)]));
        }
        let begun = store::begin(conn, id, BackupWork::Restore, actor).await?;
        let begun = begun.ok_or_else(|| Refusal::Conflict(words_of_work(&row)))?;
        let replaced: Vec<_> = pieces.iter().map(|piece| named(piece.kind, &piece.name)).collect();
        Journal::of(actor, Operation::RestoreBackup)
            .instance(instance)
            .event(EventKind::InstanceUpdated)
            .line(Line::warning(format!(
                "The restore of backup {id} was asked for by {actor}: {}",
                replaced.join(", ")
            )))
            .detail(json!({ "backup": id, "of": row.created, "contents": replaced }))
            .write(conn)
            .await?;
        Ok(begun.into_dto()?)
    })
    .await
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
    if row.class == ResourceClass::Given {
        return Err(format!(
            "The {words} was entered by an operator, and ocim deletes nothing there; load the backup by hand, as docs/backups.md says."
        ));
    }
    if row.state != ResourceState::Present {
        return Err(format!("The {words} is {}; only one that is present can be replaced.", row.state.as_str()));
    }
    match databases::server(manager, row) {
        Some(_) => Ok(row),
        None => {
            Err(format!("{}: the settings do not have this server; add its table [resources.NAME] again.", row.words()))
        }
    }
}

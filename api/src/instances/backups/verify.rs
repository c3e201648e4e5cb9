//! Asks for the verification of a backup.

use diesel_async::{AsyncConnection, AsyncPgConnection};
use serde_json::json;
use shared_types::audit::Operation;
use shared_types::backup::{Backup, BackupState, BackupWork};
use shared_types::resource::{ResourceClass, ResourcePart, ResourceState};
use shared_types::{BackupId, EventKind, InstanceId};

use super::contents::{self, Contents};
use super::{begun, find, lock, refuse_second, words_of_work};
use crate::backups::Piece;
use crate::instances::journal::Journal;
use crate::instances::store::backups::{self as store, BackupRow};
use crate::instances::{Manager, Refusal};
use crate::platform::logs::Line;
use crate::platform::origin::Actor;

/// Asks for the verification of a backup; a worker loads it into databases made for this, and deletes them. Copies of objects are only
/// decrypted.
///
/// # Errors
/// [`Refusal::NotFound`]; [`Refusal::Conflict`] if it is not complete, there is no server or key to load it with, or a backup of the
/// instance is being worked on.
pub async fn request(
    manager: &Manager,
    conn: &mut AsyncPgConnection,
    actor: &Actor,
    (instance, id): (InstanceId, BackupId),
) -> Result<Backup, Refusal> {
    conn.transaction(async |conn| {
        lock(conn, instance).await?;
        let row = find(conn, instance, id).await?;
        refuse_incomplete(&row)?;
        let (contents, pieces) = (contents::of_instance(conn, instance).await?, row.pieces()?);
        if let Some(words) = contents::why_no_restore(manager).or_else(|| why_not(manager, &contents, &pieces)) {
            return Err(Refusal::Conflict(words));
        }
        refuse_second(conn, instance).await?;
        let begun = begun(&row, store::begin(conn, id, (BackupWork::Verify, None), actor).await?)?;
        Journal::of(actor, Operation::VerifyBackup)
            .instance(instance)
            .event(EventKind::InstanceUpdated)
            .line(Line::info(format!("The verification of backup {id} was asked for by {actor}")))
            .detail(json!({ "backup": id }))
            .write(conn)
            .await?;
        Ok(begun.into_dto()?)
    })
    .await
}

/// Refuses to read a backup that is not complete.
pub(super) fn refuse_incomplete(row: &BackupRow) -> Result<(), Refusal> {
    match row.state {
        BackupState::Complete => Ok(()),
        BackupState::Writing => Err(Refusal::Conflict(words_of_work(row))),
        BackupState::Failed => Err(Refusal::Conflict(format!(
            "Backup {} could not be written, and has no files; make another one.",
            row.id
        ))),
    }
}

/// Why the dumps among these files cannot be loaded on trial, and what to do; none: they can.
pub(super) fn why_not(manager: &Manager, contents: &Contents, pieces: &[Piece]) -> Option<String> {
    let one = |piece: &Piece| {
        let kind = piece.kind;
        let mut accounts = contents.rows.iter().filter(|row| row.kind == kind && row.part == ResourcePart::Account);
        let account = accounts.find(|row| row.state == ResourceState::Present);
        let Some(account) = account else {
            return Some(format!(
                "The instance has no account of {} any more that the backup could be loaded with; load it by hand, as docs/backups.md \
                 says.",
                kind.name()
            ));
        };
        if account.class == ResourceClass::Given {
            return Some(format!(
                "{} was entered by an operator: ocim makes no database there that the backup could be loaded into. Load it by hand, as \
                 docs/backups.md says.",
                account.words()
            ));
        }
        match contents::server(manager, account) {
            Some(_) => None,
            None => Some(format!(
                "{}: the settings do not have this server; add its table [resources.NAME] again.",
                account.words()
            )),
        }
    };
    pieces.iter().filter(|piece| piece.objects.is_none()).find_map(one)
}

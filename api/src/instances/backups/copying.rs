//! What a restore into another instance needs: databases there, and no app server that could use the data as if they were its own.

use diesel_async::AsyncPgConnection;
use shared_types::InstanceId;
use shared_types::migration::MigrationState;
use shared_types::resource::ResourceClass;

use super::contents::{self, Contents, named};
use crate::backups::Piece;
use crate::instances::resources::plan;
use crate::instances::store::instances::InstanceRow;
use crate::instances::store::{app_servers, migrating};
use crate::instances::{Manager, Refusal};
use crate::platform::vault;

/// Locks the instance of a backup, and the one that it is restored into; in the order of their ids, as two requests may name them the
/// other way round.
pub(super) async fn lock(
    conn: &mut AsyncPgConnection,
    source: InstanceId,
    into: InstanceId,
) -> Result<(InstanceRow, InstanceRow), Refusal> {
    if into < source {
        super::lock(conn, into).await?;
    }
    let owner = super::lock(conn, source).await?;
    let target = if into == source { owner.clone() } else { super::lock(conn, into).await? };
    Ok((owner, target))
}

/// Refuses an instance that cannot get the data of the other one.
pub(super) async fn check(
    conn: &mut AsyncPgConnection,
    source: &InstanceRow,
    target: &InstanceRow,
) -> Result<(), Refusal> {
    if source.instance_type != target.instance_type {
        return Err(Refusal::Conflict(format!(
            "The backup is of an instance of the type {}, and instance {} is of the type {}; choose one of the same type.",
            source.instance_type, target.id, target.instance_type
        )));
    }
    let alive = app_servers::with_machines(conn, target.id).await?;
    let names: Vec<_> = alive.iter().filter(|one| !one.is_neutralised).map(|one| one.name.as_str()).collect();
    if !names.is_empty() {
        let (were, them) = if names.len() == 1 { ("was", "it") } else { ("were", "them") };
        return Err(Refusal::Conflict(format!(
            "{} of instance {} {were} launched before and could send mail from the copied data; terminate {them} first.",
            names.join(", "),
            target.id
        )));
    }
    let shown = migrating::shown(conn, target.id).await?;
    match shown.into_iter().find(|(row, _)| row.state == MigrationState::NeedsPerson) {
        Some((_, name)) => Err(Refusal::Conflict(format!(
            "The databases of instance {} need a person since the build of {name}; dismiss that notice first, since they are replaced.",
            target.id
        ))),
        None => Ok(()),
    }
}

/// What the target has once a worker has made what it does not have yet. Names and passwords are decided here, as by a launch, in a
/// transaction that has locked the instance.
pub(super) async fn prepare(
    manager: &Manager,
    conn: &mut AsyncPgConnection,
    target: &InstanceRow,
    pieces: &[Piece],
) -> Result<(), Refusal> {
    let [settings] = vault::open(&manager.options.keyring, conn, [&target.settings]).await?;
    let (application, settings) = manager.current(&target.instance_type, target.settings_version, settings)?;
    let mut specs = application.resources(&settings)?;
    let is_asked =
        |piece: &&Piece| specs.iter().any(|spec| spec.kind == piece.kind && spec.databases.contains(&piece.name));
    if let Some(piece) = pieces.iter().find(|piece| !is_asked(piece)) {
        return Err(Refusal::Conflict(format!(
            "The settings of instance {} ask for no {} outside its machines, which the backup has: change them so that its data is there \
             (docs/databases.md), then restore the backup.",
            target.id,
            named(piece.kind, &piece.name)
        )));
    }
    specs.retain(|spec| pieces.iter().any(|piece| piece.kind == spec.kind));
    plan::plan(manager, conn, target.id, &specs).await?;
    let contents = contents::of_instance(conn, target.id).await?;
    for piece in pieces {
        check_makeable(manager, &contents, piece).map_err(Refusal::Conflict)?;
    }
    Ok(())
}

/// Whether a database or bucket is there or can be made, and then be written to. A bucket that an operator entered stays as it is.
fn check_makeable(manager: &Manager, contents: &Contents, piece: &Piece) -> Result<(), String> {
    let row = contents.database(piece.kind, &piece.name);
    let row = row.ok_or_else(|| format!("The instance has no {}.", named(piece.kind, &piece.name)))?;
    if piece.objects.is_some() && row.class == ResourceClass::Given {
        return Ok(());
    }
    contents::check_server(manager, row)
}

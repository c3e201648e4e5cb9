//! Shows an instance's resources, without passwords.

use diesel_async::AsyncPgConnection;
use shared_types::resource::{InstanceResources, Resource, ResourcePart, WantedResources};
use shared_types::{InstanceId, ResourceKind};

use super::plan;
use crate::instances::application::ResourceSpec;
use crate::instances::store::instances::{self, InstanceRow};
use crate::instances::{Manager, Refusal};
use crate::resources::store::{self, ResourceRow};

/// What an instance has outside its machines, and what its next app server asks for. Two queries, and a few for each kind that is
/// asked for.
///
/// # Errors
/// [`Refusal::NotFound`]; [`Refusal::Db`] when a statement fails.
pub async fn list(
    manager: &Manager,
    conn: &mut AsyncPgConnection,
    id: InstanceId,
) -> Result<InstanceResources, Refusal> {
    let row = instances::find(conn, id).await?.ok_or(Refusal::NotFound { what: "instance", id: id.0 })?;
    let rows = store::of_instance(conn, id).await?;
    let mut wanted = Vec::new();
    let specs = specs(manager, &row);
    for spec in plan::with_one_store(manager, conn, id, &specs).await? {
        wanted.push(want(manager, conn, id, &rows, spec.clone()).await?);
    }
    Ok(InstanceResources { items: shown(manager, rows)?, wanted })
}

/// Those of one kind. Two queries.
///
/// # Errors
/// As [`list`].
pub async fn of_kind(
    manager: &Manager,
    conn: &mut AsyncPgConnection,
    id: InstanceId,
    kind: ResourceKind,
) -> Result<Vec<Resource>, Refusal> {
    if instances::find(conn, id).await?.is_none() {
        return Err(Refusal::NotFound { what: "instance", id: id.0 });
    }
    shown(manager, store::of_kind(conn, id, kind).await?)
}

/// What the present settings ask for; nothing if they cannot be used, which the launch says.
fn specs(manager: &Manager, row: &InstanceRow) -> Vec<ResourceSpec> {
    let current = manager.current(&row.instance_type, row.settings_version, row.settings.hidden());
    current.and_then(|(application, settings)| application.resources(&settings)).unwrap_or_default()
}

async fn want(
    manager: &Manager,
    conn: &mut AsyncPgConnection,
    id: InstanceId,
    rows: &[ResourceRow],
    spec: ResourceSpec,
) -> Result<WantedResources, Refusal> {
    let own = rows.iter().find(|row| row.kind == spec.kind && row.part == ResourcePart::Account);
    let (server, missing) = match own {
        Some(account) => (account.server.clone(), None),
        None => match plan::server_for(manager, conn, id, &spec).await {
            Ok(named) => (named.map(|named| named.name.clone()), None),
            Err(Refusal::Conflict(words)) => (None, Some(words)),
            Err(other) => return Err(other),
        },
    };
    let ResourceSpec { kind, databases, is_required } = spec;
    Ok(WantedResources { kind, databases, is_required, server, missing })
}

fn shown(manager: &Manager, rows: Vec<ResourceRow>) -> Result<Vec<Resource>, Refusal> {
    let mut endpoints = Vec::new();
    for account in rows.iter().filter(|row| row.part == ResourcePart::Account) {
        endpoints.push((account.kind, store::endpoint(&manager.resources, account)?));
    }
    let of = |kind| endpoints.iter().find(|(own, _)| *own == kind).and_then(|(_, endpoint)| endpoint.as_ref());
    Ok(rows
        .into_iter()
        .map(|row| {
            let endpoint = of(row.kind);
            row.into_dto(endpoint)
        })
        .collect())
}

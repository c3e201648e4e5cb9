//! Shows an instance's resources, without passwords.

use diesel_async::AsyncPgConnection;
use shared_types::resource::{Resource, ResourcePart};
use shared_types::{InstanceId, ResourceKind};

use crate::instances::store::instances;
use crate::instances::{Manager, Refusal};
use crate::resources::store::{self, ResourceRow};

/// The resources of an instance that are not deleted: by kind, the account before its databases. Two queries.
///
/// # Errors
/// [`Refusal::NotFound`]; [`Refusal::Db`] when a statement fails.
pub async fn list(manager: &Manager, conn: &mut AsyncPgConnection, id: InstanceId) -> Result<Vec<Resource>, Refusal> {
    if instances::find(conn, id).await?.is_none() {
        return Err(Refusal::NotFound { what: "instance", id: id.0 });
    }
    shown(manager, store::of_instance(conn, id).await?)
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
    Ok(list(manager, conn, id).await?.into_iter().filter(|one| one.kind == kind).collect())
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

//! Shows the password of an instance's account to an administrator, and records that.

use diesel_async::{AsyncConnection, AsyncPgConnection};
use serde_json::json;
use shared_types::audit::Operation;
use shared_types::resource::ResourceCredentials;
use shared_types::{InstanceId, ResourceKind};

use super::plan;
use crate::instances::journal::Journal;
use crate::instances::store::instances;
use crate::instances::{Manager, Refusal};
use crate::platform::logs::Line;
use crate::platform::origin::Actor;
use crate::resources::store;

/// How to connect to an instance's account of this kind. The audit entry is stored before anything is shown.
///
/// # Errors
/// [`Refusal::NotFound`]; [`Refusal::Conflict`] if the instance has no such account.
pub async fn show(
    manager: &Manager,
    conn: &mut AsyncPgConnection,
    actor: &Actor,
    (id, kind): (InstanceId, ResourceKind),
) -> Result<ResourceCredentials, Refusal> {
    conn.transaction(async |conn| {
        if instances::find(conn, id).await?.is_none() {
            return Err(Refusal::NotFound { what: "instance", id: id.0 });
        }
        let rows = store::of_kind(conn, id, kind).await?;
        if rows.is_empty() {
            return Err(Refusal::Conflict(format!("Instance {id} has no resources of the kind {}.", kind.name())));
        }
        let shown = plan::connection(manager, conn, &rows).await?.into_credentials();
        Journal::of(actor, Operation::ShowResourceCredentials)
            .instance(id)
            .line(Line::info(format!(
                "{actor} was shown the password of the {} account {}",
                kind.name(),
                shown.username
            )))
            .detail(json!({ "kind": kind, "username": shown.username }))
            .write(conn)
            .await?;
        Ok(shown)
    })
    .await
}

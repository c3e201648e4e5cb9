//! How the objects of an instance's buckets are reached.

use diesel_async::AsyncPgConnection;
use shared_types::resource::ResourceClass;

use super::contents::{self, Contents};
use crate::backups::Bucket;
use crate::instances::resources::plan;
use crate::instances::{Manager, Refusal};
use crate::resources::store::ResourceRow;

/// A bucket with its store: that of the settings, or that of the credentials that an operator has entered.
///
/// # Errors
/// [`Refusal::Conflict`] if the settings do not have the server, or the credentials cannot be used; [`Refusal::Db`] when a statement
/// fails.
pub(super) async fn bucket(
    manager: &Manager,
    conn: &mut AsyncPgConnection,
    contents: &Contents,
    row: &ResourceRow,
) -> Result<Bucket, Refusal> {
    let store = match row.class {
        ResourceClass::Made => contents::server(manager, row).and_then(|named| named.server.clone().objects()),
        ResourceClass::Given => {
            let rows: Vec<_> = contents.rows.iter().filter(|one| one.kind == row.kind).cloned().collect();
            let connection = plan::connection(manager, conn, &rows).await?;
            let refused = |words: String| Refusal::Conflict(format!("{}: {words}", row.words()));
            Some(manager.resources.open(&connection).map_err(refused)?)
        }
    };
    let no_server = || {
        let words = row.words();
        Refusal::Conflict(format!(
            "{words}: the settings do not have this server; add its table [resources.NAME] again."
        ))
    };
    let (kind, name, bucket) = (row.kind, row.name.clone(), row.remote_name.clone());
    Ok(Bucket { kind, name, bucket, store: store.ok_or_else(no_server)? })
}

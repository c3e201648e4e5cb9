//! Ends the neutralisation of an instance whose data is a copy of another one's.

use diesel_async::{AsyncConnection, AsyncPgConnection};
use serde_json::json;
use shared_types::audit::Operation;
use shared_types::{EventKind, InstanceId};

use super::lock;
use crate::instances::Refusal;
use crate::instances::journal::Journal;
use crate::instances::store::{backups, copies};
use crate::platform::logs::Line;
use crate::platform::origin::Actor;

/// Lets the next app servers of an instance mail people and take payments; those that exist stay as they are. Ended already: success.
///
/// # Errors
/// [`Refusal::NotFound`]; [`Refusal::Conflict`] while the data arrive.
pub async fn end(conn: &mut AsyncPgConnection, actor: &Actor, id: InstanceId) -> Result<(), Refusal> {
    conn.transaction(async |conn| {
        lock(conn, id).await?;
        if let Some(backup) = backups::restoring(conn, id).await? {
            return Err(Refusal::Conflict(format!(
                "The databases of instance {id} are being replaced by those of backup {}; end its neutralisation when that has ended.",
                backup.id
            )));
        }
        let copy = copies::newest(conn, id).await?;
        if !copies::end(conn, id, actor).await? {
            return Ok(());
        }
        let (copy, source) = copy.unzip();
        let source_id = copy.map(|copy| copy.source_instance_id);
        let words = format!(
            "{actor} ended the neutralisation: app servers that are launched from now on mail people and take payments, with the data of {}",
            source.unwrap_or_default()
        );
        let journal = Journal::of(actor, Operation::EndNeutralisation)
            .instance(id)
            .event(EventKind::InstanceUpdated)
            .line(Line::warning(words))
            .detail(json!({ "of_instance": source_id }));
        Ok(journal.write(conn).await?)
    })
    .await
}

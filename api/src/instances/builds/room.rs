//! Puts a build back into the queue whose provider makes no more machines for now.

use diesel_async::AsyncConnection;

use super::{Build, StepError};
use crate::instances::builds::lease;
use crate::instances::store::{providers, queue};
use crate::machines;
use crate::platform::logs::Line;

impl Build<'_> {
    /// Pauses the provider, and has the build wait for it without a slot. The machine stays requested: nothing was made.
    pub(super) async fn wait_for_room(&self, reason: &str) -> Result<(), StepError> {
        let reason = self.hide(reason);
        let mut conn = self.manager.db.conn().await?;
        let Some(machine) = machines::store::find(&mut conn, self.row.server_id).await? else { return Ok(()) };
        conn.transaction(async |conn| {
            lease::fence_progress(conn, self.lease).await??;
            providers::pause(conn, &machine.provider, &reason).await?;
            queue::put_back(conn, self.id()).await?;
            let words = format!("The provider {} makes no more machines for now: {reason}", machine.provider);
            self.write(conn, vec![Line::warning(words)]).await?;
            Ok(())
        })
        .await
    }
}

//! Ends a build whose stop was requested: ends local processes, stores the rest of their output, terminates the
//! machine, and then sets the status. A worker that takes over may repeat each part.

use diesel_async::AsyncConnection;
use shared_types::AppServerStatus;
use shared_types::app_server::StepOutcome;

use super::playbooks::Sink;
use super::{Build, StepError};
use crate::instances::builds::{lease, migration};
use crate::instances::store::{app_servers, builds};
use crate::machines;
use crate::platform::logs::Line;
use crate::platform::origin::Actor;

impl Build<'_> {
    pub(super) async fn stop(&self) -> Result<(), StepError> {
        if self.state.run > 0 {
            let dir = self.dir(self.state.playbook, self.state.run);
            let mut sink = Sink::of_run(self);
            self.manager.ansible.recover(&dir, self.state.position(), &mut sink).await?;
        }
        let machines = self.manager.machines();
        let gone = machines.terminate(self.owner(), self.row.server_id);
        self.lease.lost.run_until_cancelled(gone).await.ok_or(StepError::Interrupted)??;
        let unknown = Actor::User("an unknown user".to_owned());
        let by = self.state.stop_requested_by.as_ref().unwrap_or(&unknown);
        let mut conn = self.manager.db.conn().await?;
        conn.transaction(async |conn| {
            lease::fence(conn, self.lease).await??;
            machines::store::request_termination(conn, self.row.server_id, by).await?;
            builds::end_steps(conn, self.id(), StepOutcome::Stopped).await?;
            builds::want_activation(conn, self.id(), None).await?;
            let line = Line::warning(match &self.state.stop_reason {
                Some(reason) => format!("Stopped by {by}: {reason}"),
                None => format!("Stopped by {by}"),
            });
            self.write(conn, vec![line]).await?;
            app_servers::transition(conn, &self.row, AppServerStatus::Stopped, None).await?;
            migration::failed(conn, &self.row).await?;
            Ok(())
        })
        .await
    }
}

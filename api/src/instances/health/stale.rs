//! Notices that no checks are made at all. The watch moves a deadline; every process looks whether it has passed, then
//! notifies the browsers and adds it to the list of changes. Readers compare the deadline themselves.

use std::time::Duration;

use diesel_async::{AsyncConnection, AsyncPgConnection};
use shared_types::{EventKind, HealthState};
use tokio::time::sleep;

use crate::instances::Manager;
use crate::instances::store::health::{self, NewChange};
use crate::instances::store::health_watch as store;
use crate::platform::db::DbError;
use crate::platform::events;

/// How often to look whether the deadline has passed.
const LOOK: Duration = Duration::from_secs(1);

/// Moves the deadline, because checks were made just now.
///
/// # Errors
/// [`DbError`] when a statement fails.
pub async fn beat(manager: &Manager) -> Result<(), DbError> {
    let mut conn = manager.db.conn().await?;
    let is_mail_owed = manager.mailer.is_some();
    conn.transaction(async |conn| {
        let before = store::beat(conn, manager.options.pace.limit()).await?;
        if before.was_told {
            return tell(conn, HealthState::Ok, None, is_mail_owed).await;
        }
        // After a restart readers saw unknown for a moment; that is not worth an entry in the list of changes.
        if before.was_stale {
            events::record(conn, EventKind::HealthChanged, events::About::default()).await?;
        }
        Ok(())
    })
    .await
}

/// Calls [`tell_stale`] forever. The deadline of an earlier run may have passed, so that it begins when a watch that starts now
/// has had as much time for a check as any other.
pub async fn look(manager: &Manager) {
    sleep(manager.options.pace.limit()).await;
    loop {
        if let Err(error) = tell_stale(manager).await {
            tracing::debug!(%error, "it is not known whether checks are made");
        }
        sleep(LOOK.min(manager.options.pace.interval)).await;
    }
}

/// Notifies browsers and ADMINS, once, that every health has become unknown.
///
/// # Errors
/// [`DbError`] when a statement fails.
pub async fn tell_stale(manager: &Manager) -> Result<(), DbError> {
    let mut conn = manager.db.conn().await?;
    let is_mail_owed = manager.mailer.is_some();
    conn.transaction(async |conn| {
        if !store::tell_stale(conn).await? {
            return Ok(());
        }
        let state = store::state(conn).await?;
        tracing::warn!(trouble = state.trouble, "no site was checked for three intervals: health is unknown");
        tell(conn, HealthState::Unknown, state.trouble.as_deref(), is_mail_owed).await
    })
    .await
}

/// Records one event and one change for all instances.
async fn tell(
    conn: &mut AsyncPgConnection,
    state: HealthState,
    detail: Option<&str>,
    is_mail_owed: bool,
) -> Result<(), DbError> {
    let change = NewChange { of: None, state, failing: &[], failing_since: None, detail, is_mail_owed };
    health::record_change(conn, &change).await?;
    events::record(conn, EventKind::HealthChanged, events::About::default()).await
}

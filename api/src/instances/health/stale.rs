//! Whether checks are made at all. The watch shows it by moving a time; every process looks whether that time has passed, tells
//! the browsers, and writes it into the list of changes. Readers compare the time themselves.

use std::time::Duration;

use diesel_async::{AsyncConnection, AsyncPgConnection};
use shared_types::{EventKind, HealthState};
use tokio::time::sleep;

use crate::instances::Manager;
use crate::instances::store::health::{self, NewChange};
use crate::instances::store::health_watch as store;
use crate::platform::db::DbError;
use crate::platform::events;

/// How often is looked whether the time has passed.
const LOOK: Duration = Duration::from_secs(1);

/// Writes that questions were answered just now.
///
/// # Errors
/// When a statement fails.
pub async fn beat(manager: &Manager) -> Result<(), DbError> {
    let mut conn = manager.db.conn().await?;
    let is_mail_owed = manager.mailer.is_some();
    conn.transaction(async |conn| {
        let before = store::beat(conn, manager.options.pace.limit()).await?;
        if before.was_told {
            return tell(conn, HealthState::Ok, None, is_mail_owed).await;
        }
        // After a restart readers have seen unknown for a moment; that is no event of the installation's history.
        if before.was_stale {
            events::record(conn, EventKind::HealthChanged, events::About::default()).await?;
        }
        Ok(())
    })
    .await
}

/// Looks, for ever, whether checks are made. A watch that begins together with this process gets an interval to do so.
pub async fn look(manager: &Manager) {
    sleep(manager.options.pace.interval).await;
    loop {
        if let Err(error) = tell_stale(manager).await {
            tracing::debug!(%error, "it is not known whether checks are made");
        }
        sleep(LOOK.min(manager.options.pace.interval)).await;
    }
}

/// Tells browsers and ADMINS, once, that every health has become unknown.
///
/// # Errors
/// When a statement fails.
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

/// One event and one entry for all instances.
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

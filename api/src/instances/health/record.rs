//! Stores the results of checks: all of one tick in a few statements. Rows in which only the time of the check is new
//! are refreshed together; a change of state or of the failing sites is written with its event and its entry in the
//! list of changes, under the instance's lock, so that several processes may write at once.

use chrono::{DateTime, Utc};
use diesel_async::AsyncConnection;
use shared_types::app_server::Checks;
use shared_types::{AppServerId, EventKind, InstanceId};

use super::{Found, Health};
use crate::instances::Manager;
use crate::instances::store::health::{self as store, NewChange, Stored};
use crate::platform::db::DbError;
use crate::platform::events::{self, About};

/// One check of an active app server.
#[derive(Debug, Clone)]
pub struct Look {
    pub instance: InstanceId,
    /// The app server that was checked.
    pub app_server: AppServerId,
    /// The result that decides the health.
    pub found: Found,
    /// The result of each site, as it is shown.
    pub made: Checks,
    /// When the last site had answered, by this process's clock.
    pub at: DateTime<Utc>,
}

impl Look {
    /// The results of the failed checks: `lms: 503; studio: no answer within 5 s`.
    fn detail(&self) -> Option<String> {
        use crate::instances::store::checks::outcome;
        let bad = self.made.items.iter().filter(|check| !check.is_ok);
        let words: Vec<String> = bad.map(|check| format!("{}: {}", check.name, outcome(&check.detail))).collect();
        (!words.is_empty()).then(|| words.join("; "))
    }
}

/// Stores results, at most one per instance. Returns the instances that are to be checked again soon.
///
/// # Errors
/// [`DbError`] when the database does not answer. Results written before stay; the call may be repeated.
pub async fn record(manager: &Manager, looks: &[Look]) -> Result<Vec<InstanceId>, DbError> {
    if looks.is_empty() {
        return Ok(Vec::new());
    }
    let ids: Vec<InstanceId> = looks.iter().map(|look| look.instance).collect();
    let mut conn = manager.db.conn().await?;
    let before = store::read(&mut conn, &ids).await?;
    let (mut same, mut other, mut again) = (Vec::new(), Vec::new(), Vec::new());
    for (look, before, after) in judged(manager, looks, &before) {
        if after.is_same_but_later(&before.health) {
            same.extend(after.checked_at.map(|at| (look.instance, look.app_server, at)));
            again.extend(after.wants_recheck().then_some(look.instance));
        } else {
            other.push(look.clone());
        }
    }
    if !same.is_empty() {
        store::refresh(&mut conn, &same).await?;
    }
    if !other.is_empty() {
        let is_mail_owed = manager.mailer.is_some();
        again.extend(conn.transaction(async |conn| change(manager, conn, &other, is_mail_owed).await).await?);
    }
    Ok(again)
}

/// Each result with the health before and after. Skips results of app servers that are not active any more, and results
/// that are older than the stored one.
fn judged<'a>(
    manager: &Manager,
    looks: &'a [Look],
    stored: &'a [Stored],
) -> impl Iterator<Item = (&'a Look, &'a Stored, Health)> {
    let pace = manager.options.pace;
    looks.iter().filter_map(move |look| {
        let before = stored.iter().find(|one| one.instance == look.instance && one.app_server == look.app_server)?;
        let is_late = before.health.checked_at.is_some_and(|at| at >= look.at);
        (!is_late).then(|| (look, before, before.health.after(&look.found, look.at, pace)))
    })
}

async fn change(
    manager: &Manager,
    conn: &mut diesel_async::AsyncPgConnection,
    looks: &[Look],
    is_mail_owed: bool,
) -> Result<Vec<InstanceId>, DbError> {
    let ids: Vec<InstanceId> = looks.iter().map(|look| look.instance).collect();
    let stored = store::lock(conn, &ids).await?;
    let (mut told, mut again) = (Vec::new(), Vec::new());
    for (look, before, after) in judged(manager, looks, &stored) {
        again.extend(after.wants_recheck().then_some(look.instance));
        if after.differs(&before.health) {
            record_change(conn, look, &before.health, &after, is_mail_owed).await?;
            told.push(About::app_server(look.instance, look.app_server));
        }
        let after = Stored { health: after, ..before.clone() };
        store::write(conn, &after).await?;
    }
    events::record_all(conn, EventKind::HealthChanged, &told).await?;
    Ok(again)
}

/// Records a change. ADMINS get mail about failures and about their end.
async fn record_change(
    conn: &mut diesel_async::AsyncPgConnection,
    look: &Look,
    before: &Health,
    after: &Health,
    is_mail_owed: bool,
) -> Result<(), DbError> {
    use shared_types::HealthState::{Degraded, Down, Ok, Unknown};
    let failing_since = after.failing_since.or(before.failing_since);
    let is_worth_a_mail = match after.state {
        Degraded | Down => true,
        Ok => failing_since.is_some(),
        Unknown => false,
    };
    let detail = look.detail();
    let change = NewChange {
        of: Some((look.instance, look.app_server)),
        state: after.state,
        failing: &after.failing,
        failing_since,
        detail: detail.as_deref(),
        is_mail_owed: is_mail_owed && is_worth_a_mail,
    };
    store::record_change(conn, &change).await
}

/// Begins the health of an app server that becomes active, in the transaction that activates it. Its last checks, if
/// they are recent, are the first results.
///
/// # Errors
/// [`DbError`] when a statement fails.
pub async fn begin(
    manager: &Manager,
    conn: &mut diesel_async::AsyncPgConnection,
    instance: InstanceId,
    app_server: AppServerId,
) -> Result<(), DbError> {
    let made = crate::instances::store::checks::of(conn, app_server).await?;
    let limit = super::span(manager.options.pace.interval);
    let Some(at) = made.items.iter().map(|check| check.checked_at).min().filter(|at| *at + limit > Utc::now()) else {
        return Ok(());
    };
    let found = Found::Answers(made.items.iter().map(|check| (check.name.clone(), check.is_ok)).collect());
    let look = Look { instance, app_server, found, made, at };
    change(manager, conn, &[look], manager.mailer.is_some()).await.map(drop)
}

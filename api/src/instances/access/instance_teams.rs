//! The teams that instances name, each read from its settings once for each version of the instance.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use diesel_async::AsyncPgConnection;
use shared_types::InstanceId;

use super::team::Team;
use crate::instances::Manager;
use crate::instances::store::access::{self as store, StoredSettings};
use crate::platform::db::DbError;

/// What was read of each instance's settings.
#[derive(Debug, Default)]
pub struct InstanceTeams(Mutex<HashMap<InstanceId, (i64, Option<Team>)>>);

impl InstanceTeams {
    /// The teams of these instances, given with their versions. One query, none if all are known.
    ///
    /// # Errors
    /// [`DbError`] when the statement fails.
    pub(super) async fn of(
        manager: &Manager,
        conn: &mut AsyncPgConnection,
        wanted: &[(InstanceId, i64)],
    ) -> Result<HashMap<InstanceId, Option<Team>>, DbError> {
        let known = |id: &InstanceId, version: i64| {
            let read = manager.instance_teams.0.lock().unwrap_or_else(PoisonError::into_inner);
            read.get(id).filter(|(of, _)| *of == version).map(|(_, team)| team.clone())
        };
        let missing: Vec<_> = wanted.iter().filter(|(id, version)| known(id, *version).is_none()).collect();
        if !missing.is_empty() {
            let ids: Vec<_> = missing.iter().map(|(id, _)| *id).collect();
            for stored in store::settings(conn, &ids).await? {
                let (id, version, team) = (stored.id, stored.version, named(manager, stored));
                let mut read = manager.instance_teams.0.lock().unwrap_or_else(PoisonError::into_inner);
                read.insert(id, (version, team));
            }
        }
        let read = manager.instance_teams.0.lock().unwrap_or_else(PoisonError::into_inner);
        let team = |id: &InstanceId| read.get(id).and_then(|(_, team)| team.clone());
        Ok(wanted.iter().map(|(id, _)| (*id, team(id))).collect())
    }

    /// The team of one instance. One query.
    ///
    /// # Errors
    /// [`DbError`] when the statement fails.
    pub(super) async fn of_one(
        manager: &Manager,
        conn: &mut AsyncPgConnection,
        id: InstanceId,
    ) -> Result<Option<Team>, DbError> {
        Ok(store::settings(conn, &[id]).await?.pop().and_then(|stored| named(manager, stored)))
    }
}

/// The team that settings name. Settings that cannot be read name none; the instance's page says what is wrong with them.
fn named(manager: &Manager, stored: StoredSettings) -> Option<Team> {
    let current = manager.current(&stored.instance_type, stored.settings_version, stored.settings.hidden());
    current.ok().and_then(|(application, settings)| application.team(&settings))
}

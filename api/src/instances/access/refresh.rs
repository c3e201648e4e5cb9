//! Reads the members of the teams that instances with machines name, and keeps what was read. While a team cannot be asked,
//! its members stay as they were.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::json;

use super::team::{Team, TeamError};
use super::{InstanceTeams, Scope};
use crate::instances::Manager;
use crate::instances::store::{access, teams as store};
use crate::platform::db::DbError;

/// How long the members of a team are used before they are read again.
const FRESH: Duration = Duration::from_secs(300);

/// The words where no credentials are configured.
const NO_CREDENTIALS: &str = "The members of the team cannot be read, because no credentials for GitHub are configured: set \
                             GITHUB_ACCESS_TOKEN, or GITHUB_APP_ID with GITHUB_APP_PRIVATE_KEY_FILE.";

/// Reads each team that the instances of these machines name and that was not read for five minutes. Requests are made by one
/// worker, without a connection.
///
/// # Errors
/// [`DbError`] when the database does not answer.
pub async fn refresh_teams(manager: &Manager, scope: Scope) -> Result<(), DbError> {
    let mut conn = manager.db.conn().await?;
    let recent = match scope {
        Scope::All => None,
        Scope::Changed => Some(access::recent(&mut conn).await?),
    };
    if recent.as_ref().is_some_and(Vec::is_empty) {
        return Ok(());
    }
    let machines = access::machines(&mut conn, recent.as_deref()).await?;
    let instances: Vec<_> = machines.iter().map(|machine| (machine.instance_id, machine.instance_version)).collect();
    let teams = InstanceTeams::of(manager, &mut conn, &instances).await?;
    drop(conn);
    let names: BTreeSet<String> = teams.values().flatten().map(Team::to_string).collect();
    for team in names.iter().filter_map(|name| teams.values().flatten().find(|team| team.to_string() == *name)) {
        read(manager, team).await?;
    }
    Ok(())
}

async fn read(manager: &Manager, team: &Team) -> Result<(), DbError> {
    let name = team.to_string();
    if !store::claim(&mut *manager.db.conn().await?, &name, FRESH).await? {
        return Ok(());
    }
    let answer = match &manager.teams {
        Some(teams) => teams.members(team).await,
        None => Err(TeamError::Unavailable(NO_CREDENTIALS.to_owned())),
    };
    let mut conn = manager.db.conn().await?;
    match answer {
        Ok(members) => store::keep(&mut conn, &name, &serde_json::to_value(members)?, None).await,
        Err(TeamError::Gone(words)) => {
            tracing::warn!(
                team = name,
                words,
                "a team whose members may log in to machines is gone: its members may no more"
            );
            store::keep(&mut conn, &name, &json!([]), Some(&words)).await
        }
        Err(TeamError::Unavailable(words)) => {
            tracing::warn!(
                team = name,
                words,
                "the members of a team could not be read; those read before keep their access"
            );
            store::keep_trouble(&mut conn, &name, &words).await
        }
    }
}

//! What the API shows of the access to an app server's machine.

use diesel_async::AsyncPgConnection;
use shared_types::AppServerId;
use shared_types::ssh_access::AppServerAccess;

use super::InstanceTeams;
use super::team::Team;
use crate::instances::store::access::{self as store, State};
use crate::instances::store::app_servers;
use crate::instances::store::teams::{self, KnownTeam};
use crate::instances::{Manager, Refusal};
use crate::platform::db::DbError;

/// Why the members of a team cannot log in, or only those of earlier. None: they can, or it was never read.
///
/// # Errors
/// [`DbError`] when the statement fails.
pub(super) async fn team_trouble(conn: &mut AsyncPgConnection, team: &Team) -> Result<Option<String>, DbError> {
    let Some(known) = teams::find(conn, &team.to_string()).await? else { return Ok(None) };
    let since = match known.read_at {
        Some(at) => format!("are those of {}", at.format("%Y-%m-%d %H:%M UTC")),
        None => "cannot log in to the machine".to_owned(),
    };
    Ok(known.trouble.map(|trouble| format!("The members of the team {team} {since}. {trouble}")))
}

/// Who may log in to an app server's machine, and who could. Five queries; four without a team.
///
/// # Errors
/// [`Refusal::NotFound`]; [`Refusal::Db`] when a statement fails.
pub async fn read(
    manager: &Manager,
    conn: &mut AsyncPgConnection,
    id: AppServerId,
) -> Result<AppServerAccess, Refusal> {
    let row = app_servers::find(conn, id).await?.ok_or(Refusal::NotFound { what: "app server", id: id.0 })?;
    let team = InstanceTeams::of_one(manager, conn, row.instance_id).await?.as_ref().map(Team::to_string);
    let known = match &team {
        Some(team) => teams::find(conn, team).await?,
        None => None,
    };
    let KnownTeam { members: _, read_at, trouble: team_trouble } = known.unwrap_or_default();
    let State { installed_at, next_try, trouble } = store::state(conn, row.server_id).await?;
    let items = store::grants(conn, row.server_id).await?;
    Ok(AppServerAccess { items, team, team_trouble, team_read_at: read_at, installed_at, trouble, next_try })
}

//! What the API shows of the access to an app server's machine.

use diesel_async::AsyncPgConnection;
use shared_types::ssh_access::AppServerAccess;
use shared_types::{AppServerId, InstanceId};

use super::InstanceTeams;
use super::team::Team;
use crate::instances::store::access::{self as store, State};
use crate::instances::store::app_servers;
use crate::instances::store::teams::{self, KnownTeam};
use crate::instances::{Manager, Refusal};
use crate::platform::db::DbError;

/// Why the members of the team that an instance names cannot log in, or only those of earlier. None: they can, it was never
/// read, or there is no team.
///
/// # Errors
/// [`DbError`] when a statement fails.
pub(in crate::instances) async fn team_trouble(manager: &Manager, id: InstanceId) -> Result<Option<String>, DbError> {
    let mut conn = manager.db.conn().await?;
    let version = store::version(&mut conn, id).await?;
    let mut named = InstanceTeams::of(manager, &mut conn, &[(id, version)]).await?;
    let Some(team) = named.remove(&id).flatten() else { return Ok(None) };
    let Some(known) = teams::find(&mut conn, &team.to_string()).await? else { return Ok(None) };
    let since = match known.read_at {
        Some(at) => format!("are those of {}", at.format("%Y-%m-%d %H:%M UTC")),
        None => "cannot log in to the machine".to_owned(),
    };
    Ok(known.trouble.map(|trouble| format!("The members of the team {team} {since}. {trouble}")))
}

/// Who may log in to an app server's machine, and who could. At most six queries.
///
/// # Errors
/// [`Refusal::NotFound`]; [`Refusal::Db`] when a statement fails.
pub async fn read(
    manager: &Manager,
    conn: &mut AsyncPgConnection,
    id: AppServerId,
) -> Result<AppServerAccess, Refusal> {
    let row = app_servers::find(conn, id).await?.ok_or(Refusal::NotFound { what: "app server", id: id.0 })?;
    let version = store::version(conn, row.instance_id).await?;
    let mut named = InstanceTeams::of(manager, conn, &[(row.instance_id, version)]).await?;
    let team = named.remove(&row.instance_id).flatten().as_ref().map(Team::to_string);
    let known = match &team {
        Some(team) => teams::find(conn, team).await?,
        None => None,
    };
    let KnownTeam { members: _, read_at, trouble: team_trouble } = known.unwrap_or_default();
    let State { installed_at, next_try, trouble } = store::state(conn, row.server_id).await?;
    let items = store::grants(conn, row.server_id).await?;
    Ok(AppServerAccess { items, team, team_trouble, team_read_at: read_at, installed_at, trouble, next_try })
}

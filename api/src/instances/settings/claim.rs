//! Reserves host names for an instance, as long as the gateway has room for them.

use diesel_async::AsyncPgConnection;
use shared_types::InstanceId;

use crate::instances::application::Sites;
use crate::instances::store::hostnames;
use crate::instances::{Manager, Refusal};

/// Reserves the host names of an instance's sites; names that it already has are kept. Returns the first one that
/// another instance owns; the caller's transaction must then fail.
///
/// # Errors
/// [`Refusal::Conflict`] when host names are added and the gateway has no room for them.
pub(in crate::instances) async fn claim(
    manager: &Manager,
    conn: &mut AsyncPgConnection,
    id: InstanceId,
    sites: &Sites,
) -> Result<Option<String>, Refusal> {
    let names = sites.hostnames();
    let new = hostnames::insert(conn, id, &names, sites.protocol).await?;
    if let Some(taken) = hostnames::taken(conn, id, &names).await? {
        return Ok(Some(taken));
    }
    if new > 0 {
        check_room(manager, conn).await?;
    }
    Ok(None)
}

/// Refuses if the instances that are not archived have more host names than the gateway is sized for. Two concurrent
/// transactions may miss each other's names: the gateway serves a few more without harm.
///
/// # Errors
/// [`Refusal::Conflict`] if they have more.
pub(in crate::instances) async fn check_room(manager: &Manager, conn: &mut AsyncPgConnection) -> Result<(), Refusal> {
    let most = manager.options.max_hosts;
    let in_use = hostnames::in_use(conn).await?;
    if in_use <= i64::from(most) {
        return Ok(());
    }
    Err(Refusal::Conflict(format!(
        "The gateway is sized for {most} host names, and with this instance's there would be {in_use}. Archive instances \
         that are no longer needed, or have OCIM_GATEWAY_MAX_HOSTS raised."
    )))
}

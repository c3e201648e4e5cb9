//! Host names become an instance's own, as long as the gateway has room for them.

use diesel_async::AsyncPgConnection;
use shared_types::InstanceId;

use crate::instances::application::Addresses;
use crate::instances::store::hostnames;
use crate::instances::{Manager, Refusal};

/// Makes an instance the owner of its addresses' host names; those it has and that are not named stay its own. Gives the
/// first one that another instance owns; the caller's transaction must then fail.
///
/// # Errors
/// [`Refusal::Conflict`] when host names are added and the gateway has no room for them.
pub(in crate::instances) async fn claim(
    manager: &Manager,
    conn: &mut AsyncPgConnection,
    id: InstanceId,
    addresses: &Addresses,
) -> Result<Option<String>, Refusal> {
    let Addresses { hostnames, protocol } = addresses;
    let new = hostnames::insert(conn, id, hostnames, protocol).await?;
    if let Some(taken) = hostnames::taken(conn, id, hostnames).await? {
        return Ok(Some(taken));
    }
    if new > 0 {
        check_room(manager, conn).await?;
    }
    Ok(None)
}

/// Refuses when the instances that are not archived have more host names than the gateway is sized for. Two transactions at
/// once may each miss the other's: the gateway serves a few more without harm.
///
/// # Errors
/// [`Refusal::Conflict`] when it is so.
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

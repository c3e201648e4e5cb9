//! Finds records that ocim has written and does not know of, for example after the database was restored from an older backup.

use crate::instances::Manager;
use crate::instances::store::names as store;
use crate::platform::db::DbError;

/// Adds a row for each name whose TXT record names this installation and one of its instances; the sweep keeps the records if
/// the instance has the name, and removes them if not. Records of instances that do not exist are logged and left.
///
/// # Errors
/// [`DbError`] when the database does not answer. Errors of the DNS are logged.
pub async fn adopt(manager: &Manager) -> Result<(), DbError> {
    let Some(dns) = &manager.names.dns else { return Ok(()) };
    let installation = manager.db.installation().await?;
    let owned = match dns.owned().await {
        Ok(owned) => owned,
        Err(error) => {
            tracing::warn!(%error, "records that were left in the DNS were not looked for");
            return Ok(());
        }
    };
    let mut conn = manager.db.conn().await?;
    for own in owned.iter().filter(|own| own.owner.installation == installation) {
        if !store::adopt(&mut conn, own.owner.instance, &own.name).await? {
            let (name, instance) = (&own.name, own.owner.instance.0);
            tracing::warn!(
                name,
                instance,
                "a record in the DNS is of an instance that does not exist; remove it by hand"
            );
        }
    }
    Ok(())
}

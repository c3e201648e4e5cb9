//! The certificate of an instance: shown, and renewed on request. Orders are made by [`crate::certificates`].

use diesel_async::{AsyncConnection, AsyncPgConnection};
use shared_types::audit::Operation;
use shared_types::certificate::InstanceCertificate;
use shared_types::{EventKind, InstanceId};

use super::journal::Journal;
use super::store::{hostnames, instances};
use super::{Manager, Refusal};
use crate::certificates::names;
use crate::certificates::store::{self, CertificateRow, work};
use crate::platform::logs::Line;
use crate::platform::origin::Actor;

/// The certificate of an instance, or why there is none.
///
/// # Errors
/// [`Refusal::NotFound`]; [`Refusal::Db`] when a statement fails.
pub async fn read(
    manager: &Manager,
    conn: &mut AsyncPgConnection,
    id: InstanceId,
) -> Result<InstanceCertificate, Refusal> {
    if instances::find(conn, id).await?.is_none() {
        return Err(Refusal::NotFound { what: "instance", id: id.0 });
    }
    let hosts: Vec<_> = hostnames::of(conn, Some(&[id])).await?.into_iter().map(|(name, _, _)| name).collect();
    let (certificate, why_none) = match (&manager.certifier, &manager.certificate_files) {
        (Some(_), _) => (
            store::of_instance(conn, id).await?,
            "It has no public host name with the protocol https, or is archived.".to_owned(),
        ),
        (None, Some(_)) => (
            covering(conn, &hosts).await?,
            format!("No certificate in OCIM_CERTIFICATE_DIR has all its host names: {}.", hosts.join(", ")),
        ),
        (None, None) => (None, "The settings name no source of certificates (OCIM_CERTIFICATES).".to_owned()),
    };
    let why_none = if certificate.is_some() { None } else { Some(why_none) };
    let can_renew = manager.certifier.is_some() && certificate.is_some();
    Ok(InstanceCertificate { certificate: certificate.map(CertificateRow::into_dto), why_none, can_renew })
}

/// The certificate from a file that has all these names; of several, the one that expires last.
async fn covering(conn: &mut AsyncPgConnection, hosts: &[String]) -> Result<Option<CertificateRow>, Refusal> {
    let all = store::from_files(conn).await?;
    let all = all.into_iter().filter(|row| !hosts.is_empty() && names::cover_all(&row.names, hosts));
    Ok(all.max_by_key(|row| row.not_after))
}

/// Has the next certificate ordered at once.
///
/// # Errors
/// [`Refusal::NotFound`]; [`Refusal::Conflict`] if it has none that is ordered; [`Refusal::Db`] when a statement fails.
pub async fn renew(
    manager: &Manager,
    conn: &mut AsyncPgConnection,
    actor: &Actor,
    id: InstanceId,
) -> Result<(), Refusal> {
    conn.transaction(async |conn| {
        instances::lock(conn, id).await?.ok_or(Refusal::NotFound { what: "instance", id: id.0 })?;
        if manager.certifier.is_none() || !work::renew_now(conn, id).await? {
            return Err(Refusal::Conflict(format!(
                "Instance {id} has no certificate that is ordered from an authority: there is nothing to renew."
            )));
        }
        let journal = Journal::of(actor, Operation::RenewCertificate)
            .instance(id)
            .event(EventKind::InstanceUpdated)
            .line(Line::info(format!("{actor} asked for the next certificate")));
        Ok(journal.write(conn).await?)
    })
    .await
}

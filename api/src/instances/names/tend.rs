//! The work on one name: check, write if necessary, remove.

use shared_types::EventKind;
use shared_types::dns::{AuthorityAnswer, AuthorityState, NameState};

use crate::config::dns::Target;
use crate::dns::DnsError;
use crate::dns::check::{Checked, check};
use crate::dns::owner::Owner;
use crate::instances::Manager;
use crate::instances::store::names::{self as store, DueName, Found};
use crate::platform::db::DbError;
use crate::platform::events::{self, About};

/// Checks a name that is wanted, and writes its records if they are not right; removes those of one that is not. Repeating it
/// changes nothing.
///
/// # Errors
/// [`DbError`] when the database does not answer.
pub(super) async fn tend(manager: &Manager, installation: &str, due: &DueName) -> Result<(), DbError> {
    let Some(target) = &manager.names.target else { return Ok(()) };
    let owner = Owner { installation: installation.to_owned(), instance: due.instance_id };
    if due.is_wanted { point(manager, &owner, due, target).await } else { remove(manager, &owner, due, target).await }
}

async fn point(manager: &Manager, owner: &Owner, due: &DueName, target: &Target) -> Result<(), DbError> {
    let names = &manager.names;
    let mut checked = check(&names.resolver, &due.hostname, target).await;
    let (mut is_written, mut error) = (due.is_written, None);
    if let Some(dns) = &names.dns
        && must_be_written(&checked, due.is_written)
        && store::begin_writing(&mut *manager.db.conn().await?, due.instance_id, &due.hostname).await?
    {
        is_written = true;
        match dns.set(&due.hostname, target, owner).await {
            Ok(true) => {
                tracing::info!(name = due.hostname, instance = due.instance_id.0, "records were written in the DNS");
                checked = check(&names.resolver, &due.hostname, target).await;
            }
            Ok(false) => {}
            Err(refused) => {
                is_written = due.is_written && !is_anothers(&refused) || is_uncertain(&refused);
                error = Some(refused.to_string());
            }
        }
    }
    keep(manager, due, is_written, checked, error).await
}

/// Whether records are to be written: not where the name is right by other means, and not while written ones spread.
fn must_be_written(checked: &Checked, is_written: bool) -> bool {
    let denies = |answer: &AuthorityAnswer| match answer.state {
        AuthorityState::Absent | AuthorityState::Elsewhere | AuthorityState::Partial => true,
        AuthorityState::Right | AuthorityState::NotServing | AuthorityState::Silent => false,
    };
    match checked.state {
        NameState::Right => false,
        // A server may still have the records of an earlier time; one that is silent says nothing against them.
        NameState::Late => !is_written && checked.servers.iter().any(denies),
        NameState::Absent | NameState::Elsewhere => true,
        // The resolver may not know a zone that the provider has.
        NameState::Unknown | NameState::Unchecked => !is_written,
    }
}

/// Whether the records are certainly not ours.
const fn is_anothers(error: &DnsError) -> bool {
    match error {
        DnsError::NotOurs(_) | DnsError::NoZone(_) => true,
        DnsError::Away(_) | DnsError::Refused(_) => false,
    }
}

/// Whether records may have been written although the request failed.
const fn is_uncertain(error: &DnsError) -> bool {
    match error {
        DnsError::Away(_) => true,
        DnsError::NotOurs(_) | DnsError::NoZone(_) | DnsError::Refused(_) => false,
    }
}

async fn remove(manager: &Manager, owner: &Owner, due: &DueName, target: &Target) -> Result<(), DbError> {
    let error = match &manager.names.dns {
        Some(dns) if due.is_written => dns.delete(&due.hostname, owner).await.err(),
        None if due.is_written => Some(DnsError::NoZone(format!(
            "The records of {} and its TXT record were written by ocim, which writes none any more (OCIM_DNS=none). Remove them \
             by hand.",
            due.hostname
        ))),
        Some(_) | None => None,
    };
    match error {
        None => tracing::info!(name = due.hostname, instance = due.instance_id.0, "records were removed from the DNS"),
        Some(DnsError::NotOurs(words)) => {
            tracing::info!(
                name = due.hostname,
                instance = due.instance_id.0,
                words,
                "records are another's now and stay"
            );
        }
        Some(error) => {
            let checked = check(&manager.names.resolver, &due.hostname, target).await;
            return keep(manager, due, true, checked, Some(error.to_string())).await;
        }
    }
    let mut conn = manager.db.conn().await?;
    store::forget(&mut conn, due.instance_id, &due.hostname).await?;
    events::record(&mut conn, EventKind::InstanceUpdated, About::instance(due.instance_id)).await
}

/// Keeps what was found, and tells browsers if it is another state than before.
async fn keep(
    manager: &Manager,
    due: &DueName,
    is_written: bool,
    checked: Checked,
    last_error: Option<String>,
) -> Result<(), DbError> {
    let Checked { zone, state, words, servers } = checked;
    if let Some(error) = last_error.as_ref().filter(|error| due.last_error.as_ref() != Some(error)) {
        tracing::warn!(name = due.hostname, instance = due.instance_id.0, error, "records were not changed in the DNS");
    }
    let is_other = (state, is_written, &last_error) != (due.state, due.is_written, &due.last_error);
    let servers = serde_json::to_value(servers)?;
    let mut conn = manager.db.conn().await?;
    store::keep(&mut conn, due, &Found { is_written, state, words, zone, servers, last_error }).await?;
    if is_other {
        events::record(&mut conn, EventKind::InstanceUpdated, About::instance(due.instance_id)).await?;
    }
    Ok(())
}

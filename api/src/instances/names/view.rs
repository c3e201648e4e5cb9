//! Shows an instance's names.

use diesel_async::AsyncPgConnection;
use shared_types::InstanceId;
use shared_types::dns::{InstanceDns, InstanceName, NameState};

use crate::config::dns::Target;
use crate::instances::store::names::{self as store, NameRow};
use crate::instances::store::{hostnames, instances};
use crate::instances::{Manager, Refusal};

/// The names of an instance in the DNS, as they were last found. Three queries.
///
/// # Errors
/// [`Refusal::NotFound`]; [`Refusal::Db`] when a statement fails.
pub async fn read(manager: &Manager, conn: &mut AsyncPgConnection, id: InstanceId) -> Result<InstanceDns, Refusal> {
    let row = instances::find(conn, id).await?.ok_or(Refusal::NotFound { what: "instance", id: id.0 })?;
    let mut names: Vec<_> = store::of_instance(conn, id).await?.into_iter().map(shown).collect();
    if row.archived_at.is_none() {
        let owned = hostnames::of(conn, Some(&[id])).await?.into_iter().map(|(name, _, _)| name);
        let new: Vec<_> = owned.filter(|name| names.iter().all(|known| known.name != *name)).map(unchecked).collect();
        names.extend(new);
    }
    names.sort_by(|one, other| one.name.cmp(&other.name));
    let records = manager.names.target.as_ref().map(Target::records).unwrap_or_default();
    let provider = manager.names.dns.as_ref().map_or("none", |dns| dns.kind());
    let advice = advice(!records.is_empty(), provider, &names);
    Ok(InstanceDns { provider: provider.to_owned(), records, advice, names })
}

fn advice(has_target: bool, provider: &str, names: &[InstanceName]) -> Option<String> {
    let is_wrong = |name: &InstanceName| name.is_wanted && !name.is_written && name.state != NameState::Right;
    if !has_target {
        return Some(
            "Where names point is not known: set OCIM_GATEWAY_ADDRESSES to the public addresses of the gateways."
                .to_owned(),
        );
    }
    if !names.iter().any(is_wrong) {
        return None;
    }
    Some(match provider {
        "none" => "ocim writes no records here (OCIM_DNS=none). Set the records below for each name that is not right, or one \
                   wildcard for all of them; no activation changes them."
            .to_owned(),
        _ => "ocim has not written the records of every name; the errors say why.".to_owned(),
    })
}

fn shown(row: NameRow) -> InstanceName {
    let NameRow { hostname, is_wanted, is_written, state, words, zone, servers, last_error, checked_at } = row;
    let words = match (is_wanted, is_written, state) {
        (false, _, _) => "The instance does not have this name any more; its records are being removed.".to_owned(),
        (true, false, NameState::Right) => format!("{words} Nothing is to be set."),
        (true, _, NameState::Unchecked) => "It is checked within seconds.".to_owned(),
        (true, _, _) => words,
    };
    // What an earlier version wrote and this one cannot read counts as no answer; the next check replaces it.
    let servers = serde_json::from_value(servers).unwrap_or_default();
    InstanceName { name: hostname, is_wanted, is_written, state, words, zone, last_error, servers, checked_at }
}

/// A name that no check has found yet.
fn unchecked(name: String) -> InstanceName {
    let is_local = name == "localhost" || name.ends_with(".localhost");
    let (state, words) = match is_local {
        true => (NameState::Right, "Names under localhost are this host's; they need no record."),
        false => (NameState::Unchecked, "It was not checked yet."),
    };
    InstanceName {
        name,
        is_wanted: true,
        is_written: false,
        state,
        words: words.to_owned(),
        zone: None,
        last_error: None,
        servers: Vec::new(),
        checked_at: None,
    }
}

//! The check of each part of the system.

use std::time::Duration;

use chrono::Utc;
use shared_types::gateway::Gateway;
use shared_types::system::{ProviderState, SystemCheck, SystemPart};

use super::gateways;
use crate::instances::Manager;
use crate::instances::store::health_watch;
use crate::pull_requests::Watch;

/// The timeout of each check.
pub(super) const PATIENCE: Duration = Duration::from_secs(2);

pub(super) async fn database(manager: &Manager) -> SystemCheck {
    asked(SystemPart::Database, "Postgres", manager.db.answers()).await
}

/// All providers as one part: the first that does not answer counts.
pub(super) fn provider(states: &[ProviderState]) -> SystemCheck {
    let known = states.iter().filter(|state| state.kind.is_some());
    let names: Vec<_> = known.clone().map(|state| state.name.as_str()).collect();
    let error = |state: &ProviderState| {
        let words = state.last_error.clone()?;
        Some(if names.len() > 1 { format!("{}: {words}", state.name) } else { words })
    };
    let errors: Vec<_> = known.filter_map(error).collect();
    SystemCheck {
        is_ok: Some(errors.is_empty()),
        last_error: errors.first().cloned(),
        checked_at: Some(Utc::now()),
        ..unasked(SystemPart::Provider, true, names.join(", "))
    }
}

pub(super) async fn gateway(manager: &Manager, all: &[Gateway]) -> SystemCheck {
    let words = match all.len() {
        0 => "visitors of the instances come through it".to_owned(),
        count => format!("{count} with agents; visitors of the instances come through them"),
    };
    let state = async {
        manager.traffic.answers().await.map_err(|error| error.0)?;
        gateways::all_serve(all)
    };
    asked(SystemPart::Gateway, &words, state).await
}

pub(super) async fn mail(manager: &Manager) -> SystemCheck {
    match &manager.mailer {
        Some(mailer) => {
            asked(SystemPart::Mail, "mail about failed builds and failing sites goes to ADMINS", mailer.answers()).await
        }
        None => unasked(
            SystemPart::Mail,
            false,
            "no mail is sent about failed builds and failing sites: ADMINS is empty".to_owned(),
        ),
    }
}

/// How many days before the credentials expire they count as failing.
const WARNED_BEFORE: i64 = 30;

/// Who writes the records of host names. The credentials are tried by a request that changes nothing.
pub(super) async fn dns(manager: &Manager) -> SystemCheck {
    let Some(dns) = &manager.names.dns else {
        let detail = match &manager.names.target {
            Some(_) => "records are set by hand: each instance shows which",
            None => "host names are not checked: OCIM_GATEWAY_ADDRESSES is unset",
        };
        return unasked(SystemPart::Dns, false, detail.to_owned());
    };
    let mut expires = None;
    let state = async {
        expires = dns.check().await.map_err(|error| error.to_string())?.expires;
        let left = expires.map(|day| (day - Utc::now().date_naive()).num_days());
        match left.filter(|&left| left <= WARNED_BEFORE) {
            Some(left) => Err(format!("the token expires in {left} days; make another one, and set GANDI_API_KEY")),
            None => Ok(()),
        }
    };
    let check = asked(SystemPart::Dns, &format!("records are written by {}", dns.kind()), state).await;
    let expiry = expires.map(|day| format!("{}; its token expires on {day}", check.detail));
    SystemCheck { detail: expiry.unwrap_or_else(|| check.detail.clone()), ..check }
}

/// Whether any process checks the sites of instances, from the database; no site is called for this.
pub(super) async fn checks(manager: &Manager) -> SystemCheck {
    let mut since = None;
    let state = async {
        let mut conn = manager.db.conn().await.map_err(|error| error.to_string())?;
        let state = health_watch::state(&mut conn).await.map_err(|error| error.to_string())?;
        since = state.stale_since;
        let Some(since) = state.stale_since else { return Ok(()) };
        let why = state.trouble.unwrap_or_else(|| "no running `ocim server` makes checks".to_owned());
        Err(format!("no site was checked in time since {}: {why}", since.format("%Y-%m-%d %H:%M:%S UTC")))
    };
    let interval = manager.options.pace.interval.as_secs();
    let check =
        asked(SystemPart::Checks, &format!("each active app server is checked every {interval} s"), state).await;
    SystemCheck { since, ..check }
}

/// The outcome of the last sweeps; GitHub is not called here, since that would count against the rate limit.
pub(super) async fn github(watch: &Watch, has_sign_in: bool) -> SystemCheck {
    if watch.rules.forks.is_empty() {
        return sign_in(SystemPart::Github, has_sign_in);
    }
    let forks: Vec<_> = watch.rules.forks.iter().map(|fork| fork.name.as_str()).collect();
    let detail = format!("watched: {}", forks.join(", "));
    asked(SystemPart::Github, &detail, watch.looks()).await
}

/// The state of this process' worker, if it has one. `trouble`: why no build begins.
pub(super) fn worker(is_working: Option<bool>, trouble: Option<String>) -> SystemCheck {
    let Some(is_working) = is_working else {
        return unasked(SystemPart::Worker, false, "this process has none; the queue lists all".to_owned());
    };
    let error = match (is_working, trouble) {
        (false, _) => Some("this process' worker has ended; restart the program".to_owned()),
        (true, trouble) => trouble,
    };
    SystemCheck {
        is_ok: Some(error.is_none()),
        last_error: error,
        checked_at: Some(Utc::now()),
        ..unasked(SystemPart::Worker, true, "this process' own; the queue lists all".to_owned())
    }
}

pub(super) fn secret_keys(ids: &[String]) -> SystemCheck {
    unasked(SystemPart::SecretKeys, !ids.is_empty(), format!("{}; the first one encrypts", ids.join(", ")))
}

pub(super) fn sign_in(part: SystemPart, is_configured: bool) -> SystemCheck {
    let detail = if is_configured { "asked when a user signs in" } else { "people sign in with passwords" };
    unasked(part, is_configured, detail.to_owned())
}

/// Why a question is not answered in time; None if it is.
pub(super) async fn answered<E: std::fmt::Display>(question: impl Future<Output = Result<(), E>>) -> Option<String> {
    match tokio::time::timeout(PATIENCE, question).await {
        Ok(Ok(())) => None,
        Ok(Err(error)) => Some(error.to_string()),
        Err(_) => Some(format!("no answer within {} s", PATIENCE.as_secs())),
    }
}

async fn asked<E: std::fmt::Display>(
    part: SystemPart,
    detail: &str,
    question: impl Future<Output = Result<(), E>>,
) -> SystemCheck {
    let error = answered(question).await;
    SystemCheck {
        is_ok: Some(error.is_none()),
        last_error: error,
        checked_at: Some(Utc::now()),
        ..unasked(part, true, detail.to_owned())
    }
}

pub(super) fn unasked(name: SystemPart, is_configured: bool, detail: String) -> SystemCheck {
    SystemCheck { name, is_configured, is_ok: None, detail, last_error: None, checked_at: None, since: None }
}

//! Mail to ADMINS about sites that fail and work again: at most one mail a minute from all processes, with everything
//! that changed. The transaction that takes the changes writes it to the outbox.

use std::time::Duration;

use diesel_async::AsyncConnection;
use serde_json::json;
use shared_types::HealthState;

use crate::instances::Manager;
use crate::instances::store::health_mail::{self as store, Change};
use crate::platform::db::DbError;
use crate::platform::mail::one_line;
use crate::platform::outbox;

/// The mail's kind in the outbox.
pub const KIND: &str = "health";
/// Shortest time between two mails.
const PAUSE: Duration = Duration::from_secs(60);
/// Most changes that a mail lists; it gives the number of further ones.
const MAX_LINES: usize = 200;

/// Writes the next mail to the outbox, if it is due. Without ADMINS, drops the owed mail.
///
/// # Errors
/// [`DbError`] when the database does not answer.
pub async fn owe(manager: &Manager) -> Result<(), DbError> {
    let mut conn = manager.db.conn().await?;
    if manager.mailer.is_none() {
        return store::forget(&mut conn).await;
    }
    conn.transaction(async |conn| {
        let changes = store::take(conn, PAUSE).await?;
        if changes.is_empty() {
            return Ok(());
        }
        let payload = json!({ "subject": subject(&changes), "text": text(&changes) });
        outbox::put(conn, &outbox::New { kind: KIND, key: None, payload }).await.map(drop)
    })
    .await
}

/// `3 instances down, 1 degraded, 2 back`, or the one instance's name.
fn subject(changes: &[Change]) -> String {
    if let [only] = changes {
        return match &only.name {
            Some(name) => format!("{} is {}", one_line(name), word(only)),
            None => watch_words(only).to_owned(),
        };
    }
    let counted =
        |wanted: HealthState| changes.iter().filter(|change| change.name.is_some() && change.state == wanted).count();
    let counts = [HealthState::Down, HealthState::Degraded, HealthState::Ok].map(|state| (counted(state), state));
    let mut parts: Vec<String> = counts
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, state)| format!("{count} {}", state_word(*state)))
        .collect();
    parts.extend(changes.iter().filter(|change| change.name.is_none()).map(|change| watch_words(change).to_owned()));
    format!("Health of instances: {}", parts.join(", "))
}

fn text(changes: &[Change]) -> String {
    let mut text = String::new();
    for change in changes.iter().take(MAX_LINES) {
        text.push_str(&line(change));
    }
    if let Some(more) = changes.len().checked_sub(MAX_LINES).filter(|more| *more > 0) {
        text.push_str(&format!("And {more} more changes.\n"));
    }
    text
}

fn line(change: &Change) -> String {
    let at = change.at.format("%Y-%m-%d %H:%M:%S UTC");
    let detail = change.detail.as_deref().map(|words| format!(" ({})", one_line(words))).unwrap_or_default();
    let (Some(name), Some(id)) = (&change.name, change.instance_id) else {
        return format!("{at}  {}{detail}\n", watch_words(change));
    };
    let domain = one_line(change.domain.as_deref().unwrap_or_default());
    let what = match change.state {
        HealthState::Degraded | HealthState::Down if change.failing.is_empty() => word(change).to_owned(),
        HealthState::Degraded | HealthState::Down => format!("{}: {}{detail}", word(change), change.failing.join(", ")),
        HealthState::Ok => match change.failing_since {
            Some(since) => format!("{} after {}", word(change), spell((change.at - since).num_seconds())),
            None => word(change).to_owned(),
        },
        HealthState::Unknown => word(change).to_owned(),
    };
    format!("{at}  {} ({domain}) is {what}\n    /instances/{id}\n", one_line(name))
}

fn word(change: &Change) -> &'static str {
    state_word(change.state)
}

fn state_word(state: HealthState) -> &'static str {
    match state {
        HealthState::Ok => "back",
        HealthState::Unknown => "unknown",
        HealthState::Degraded => "degraded",
        HealthState::Down => "down",
    }
}

/// The words for a change of the watch as a whole.
fn watch_words(change: &Change) -> &'static str {
    match change.state {
        HealthState::Ok => "Sites are checked again",
        HealthState::Unknown | HealthState::Degraded | HealthState::Down => {
            "No site is checked any more: the health of every instance is unknown"
        }
    }
}

/// `2 h 5 min`, `12 min`, `40 s`.
fn spell(seconds: i64) -> String {
    match seconds.max(0) {
        short @ 0..60 => format!("{short} s"),
        middle @ 60..3600 => format!("{} min", middle / 60),
        long => format!("{} h {} min", long / 3600, long % 3600 / 60),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use chrono::{DateTime, Utc};
    use shared_types::InstanceId;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000 + seconds, 0).unwrap()
    }

    fn change(state: HealthState, failing: &[&str], failing_since: Option<i64>) -> Change {
        Change {
            at: at(0),
            instance_id: Some(InstanceId(7)),
            name: Some("Astro\r\nBcc: x@example.com".into()),
            domain: Some("astro.example".into()),
            state,
            failing: failing.iter().map(|site| (*site).to_owned()).collect(),
            failing_since: failing_since.map(at),
            detail: (!failing.is_empty()).then(|| "lms: 503".into()),
        }
    }

    #[test]
    fn it_says_what_fails_since_when_and_what_is_back() {
        let down = change(HealthState::Down, &["lms", "studio"], Some(0));
        let back = change(HealthState::Ok, &[], Some(-7500));
        let watch = Change { instance_id: None, name: None, domain: None, ..change(HealthState::Unknown, &[], None) };
        assert_eq!(subject(std::slice::from_ref(&down)), "Astro Bcc: x@example.com is down");
        assert_eq!(
            subject(&[down.clone(), down.clone(), back.clone(), watch.clone()]),
            "Health of instances: 2 down, 1 back, No site is checked any more: the health of every instance is unknown"
        );
        assert_eq!(
            text(&[down, back, watch]),
            "2027-01-15 08:00:00 UTC  Astro Bcc: x@example.com (astro.example) is down: lms, studio (lms: 503)\n    /instances/7\n\
             2027-01-15 08:00:00 UTC  Astro Bcc: x@example.com (astro.example) is back after 2 h 5 min\n    /instances/7\n\
             2027-01-15 08:00:00 UTC  No site is checked any more: the health of every instance is unknown\n"
        );
        let many = vec![change(HealthState::Down, &["lms"], Some(0)); 300];
        assert!(text(&many).ends_with("\nAnd 100 more changes.\n"));
    }
}

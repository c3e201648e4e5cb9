//! Mail to ADMINS about certificates that expire soon although they should have been renewed.

use diesel_async::AsyncConnection as _;
use serde_json::json;

use super::store::mail::{self as store, Expiring};
use crate::platform::db::{Db, DbError};
use crate::platform::mail::one_line;
use crate::platform::outbox;

/// The mail's kind in the outbox.
pub const KIND: &str = "certificates";
/// Most certificates that a mail lists; it gives the number of further ones.
const MAX_LINES: usize = 200;

/// Writes the next mail to the outbox, if it is due: about certificates that expire within 14 days and whose renewal fails, or
/// that are from files. About each certificate again after two days.
///
/// # Errors
/// [`DbError`] when a statement fails.
pub async fn owe(db: &Db) -> Result<(), DbError> {
    let mut conn = db.conn().await?;
    conn.transaction(async |conn| {
        let expiring = store::take(conn).await?;
        if expiring.is_empty() {
            return Ok(());
        }
        let payload = json!({ "subject": subject(&expiring), "text": text(&expiring) });
        outbox::put(conn, &outbox::New { kind: KIND, key: None, payload }).await.map(drop)
    })
    .await
}

fn subject(expiring: &[Expiring]) -> String {
    match expiring {
        [only] => format!("The certificate of {} expires {}", shortest(&only.names), day(only)),
        several => format!("{} certificates expire soon", several.len()),
    }
}

fn shortest(names: &[String]) -> String {
    one_line(names.iter().min_by_key(|name| name.len()).map_or("", String::as_str))
}

fn day(one: &Expiring) -> String {
    one.not_after.format("on %A, %Y-%m-%d").to_string()
}

fn text(expiring: &[Expiring]) -> String {
    let mut text = String::new();
    for one in expiring.iter().take(MAX_LINES) {
        let names = one_line(&one.names.join(", "));
        text.push_str(&format!("{}  expires {}\n", names, one.not_after.format("%Y-%m-%d %H:%M UTC")));
        match (&one.last_error, one.failing_since) {
            (Some(words), Some(since)) => {
                let since = since.format("%Y-%m-%d %H:%M UTC");
                text.push_str(&format!("    its renewal has failed since {since}: {}\n", one_line(words)));
            }
            (_, _) => text.push_str(&format!("    it is from the file {}\n", one_line(&one.origin))),
        }
        if let Some(id) = one.instance_id {
            text.push_str(&format!("    /instances/{id}\n"));
        }
    }
    if let Some(more) = expiring.len().checked_sub(MAX_LINES).filter(|more| *more > 0) {
        text.push_str(&format!("And {more} more certificates.\n"));
    }
    text
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use chrono::{DateTime, Utc};
    use shared_types::InstanceId;

    use super::*;

    fn at(day: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000 + day * 86_400, 0).unwrap()
    }

    #[test]
    fn it_says_what_expires_when_and_why_it_was_not_renewed() {
        let failing = Expiring {
            instance_id: Some(InstanceId(7)),
            names: vec!["long.a.example.org".into(), "a.example.org".into()],
            origin: "https://ca.example/dir".into(),
            not_after: at(5),
            last_error: Some("a.example.org: the authority could not connect\r\nto the name".into()),
            failing_since: Some(at(-3)),
        };
        let file = Expiring {
            instance_id: None,
            names: vec!["*.example.org".into()],
            origin: "/etc/ocim/certificates/wildcard.pem".into(),
            not_after: at(9),
            last_error: None,
            failing_since: None,
        };
        assert_eq!(
            subject(std::slice::from_ref(&failing)),
            "The certificate of a.example.org expires on Wednesday, 2027-01-20"
        );
        assert_eq!(subject(&[failing.clone(), file.clone()]), "2 certificates expire soon");
        assert_eq!(
            text(&[failing.clone(), file]),
            "long.a.example.org, a.example.org  expires 2027-01-20 08:00 UTC\n    its renewal has failed since 2027-01-12 08:00 UTC: \
             a.example.org: the authority could not connect to the name\n    /instances/7\n\
             *.example.org  expires 2027-01-24 08:00 UTC\n    it is from the file /etc/ocim/certificates/wildcard.pem\n"
        );
        assert!(text(&vec![failing; 250]).ends_with("\nAnd 50 more certificates.\n"));
    }
}

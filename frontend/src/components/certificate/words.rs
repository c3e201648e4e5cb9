//! What is said about a certificate. Pure functions; the current time is an argument.

use chrono::{DateTime, TimeDelta, Utc};
use shared_types::certificate::CertificateSource;
use shared_types::{Certificate, CertificateState};

use crate::words::{ago, span};

/// A fact about a certificate.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Line {
    pub what: &'static str,
    pub text: String,
}

/// The label of a certificate: its CSS class and its words.
pub(super) const fn label(one: &Certificate) -> (&'static str, &'static str) {
    let class = match one.state {
        CertificateState::Valid => "label good",
        CertificateState::Failing => "label bad",
        CertificateState::Wanted | CertificateState::Ordering => "label",
    };
    (class, one.state.name())
}

/// The facts, in the order in which they are shown.
pub(super) fn lines(one: &Certificate, now: DateTime<Utc>) -> Vec<Line> {
    let line = |what, text: String| Line { what, text };
    let mut lines = vec![line("Names", one.names.join(", "))];
    if let Some(end) = one.not_after {
        lines.push(line("Expires", format!("{} ({})", end.format("%-d %b %Y"), until(end, now))));
    } else {
        lines.push(line("Expires", "There is none yet".to_owned()));
    }
    match (one.source, one.renew_at, &one.origin) {
        (CertificateSource::Files, _, Some(file)) => lines.push(line("From", file.clone())),
        (CertificateSource::Acme, Some(renew), _) if one.state == CertificateState::Valid => {
            lines.push(line("Renewed", until(renew, now)));
        }
        (CertificateSource::Files | CertificateSource::Acme, _, _) => {}
    }
    if let Some(since) = one.failing_since {
        lines.push(line("Failing since", ago(since, now)));
    }
    if let Some(trouble) = &one.trouble {
        lines.push(line("Reason", trouble.clone()));
    }
    if one.failing_since.is_some() {
        lines.push(line("Next attempt", until(one.next_attempt_at, now)));
    }
    lines
}

/// `in 12 days`, `now`, `2 h ago`.
fn until(time: DateTime<Utc>, now: DateTime<Utc>) -> String {
    match time - now {
        gone if gone < TimeDelta::zero() => ago(time, now),
        left if left < TimeDelta::minutes(1) => "in a moment".to_owned(),
        left => format!("in {}", span(left)),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::indexing_slicing)]
    use shared_types::CertificateId;
    use wasm_bindgen_test::wasm_bindgen_test;

    use super::*;

    fn at(hours: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000 + hours * 3600, 0).unwrap_or_default()
    }

    fn valid() -> Certificate {
        Certificate {
            id: CertificateId(1),
            instance_id: None,
            source: CertificateSource::Acme,
            names: vec!["a.example.org".into(), "b.example.org".into()],
            state: CertificateState::Valid,
            state_name: "Valid".into(),
            origin: Some("https://ca.example/dir".into()),
            not_before: Some(at(0)),
            not_after: Some(at(90 * 24)),
            renew_at: Some(at(60 * 24)),
            next_attempt_at: at(6),
            attempts: 0,
            trouble: None,
            failing_since: None,
            created: at(0),
            modified: at(0),
        }
    }

    fn texts(one: &Certificate, now: DateTime<Utc>) -> Vec<String> {
        lines(one, now).into_iter().map(|Line { what, text }| format!("{what}: {text}")).collect()
    }

    #[wasm_bindgen_test]
    fn a_valid_certificate_has_its_names_its_end_and_its_renewal() {
        assert_eq!(label(&valid()), ("label good", "Valid"));
        assert_eq!(
            texts(&valid(), at(0)),
            ["Names: a.example.org, b.example.org", "Expires: 15 Apr 2027 (in 90 days)", "Renewed: in 60 days"]
        );
    }

    #[wasm_bindgen_test]
    fn a_failing_one_says_since_when_why_and_when_it_is_tried_again() {
        let failing = Certificate {
            state: CertificateState::Failing,
            attempts: 3,
            trouble: Some("a.example.org: the authority could not connect to the name".into()),
            failing_since: Some(at(80 * 24)),
            next_attempt_at: at(82 * 24 + 4),
            ..valid()
        };
        assert_eq!(label(&failing).0, "label bad");
        assert_eq!(
            texts(&failing, at(82 * 24)).split_off(1),
            [
                "Expires: 15 Apr 2027 (in 8 days)",
                "Failing since: 2 days ago",
                "Reason: a.example.org: the authority could not connect to the name",
                "Next attempt: in 4 h",
            ]
        );
    }

    #[wasm_bindgen_test]
    fn a_wait_for_a_limit_is_told_and_is_no_failure() {
        let words = "waiting until Tuesday 14:00 UTC: 50 of 50 certificates for example.org this week";
        let waiting = Certificate {
            state: CertificateState::Wanted,
            not_before: None,
            not_after: None,
            renew_at: None,
            trouble: Some(words.into()),
            ..valid()
        };
        let told = texts(&waiting, at(0));
        assert_eq!(told[1], "Expires: There is none yet");
        assert!(told[2].starts_with("Reason: waiting until Tuesday 14:00 UTC"), "{told:?}");
        assert_eq!(told.len(), 3);
    }

    #[wasm_bindgen_test]
    fn one_from_a_file_names_the_file_and_an_expired_one_says_so() {
        let file = Certificate {
            source: CertificateSource::Files,
            origin: Some("/etc/ocim/certificates/a.pem".into()),
            renew_at: None,
            ..valid()
        };
        let told = texts(&file, at(91 * 24));
        assert_eq!(told[1..], ["Expires: 15 Apr 2027 (1 day ago)", "From: /etc/ocim/certificates/a.pem"]);
    }
}

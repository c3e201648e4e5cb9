//! What the refusals of an authority mean, in words.

use chrono::{DateTime, Utc};
use instant_acme::{Error, Problem};

use super::super::authority::AuthorityError;

/// The prefix of the types of problems.
const PREFIX: &str = "urn:ietf:params:acme:error:";

/// The type of a problem, without its prefix.
fn kind(problem: &Problem) -> &str {
    let kind = problem.r#type.as_deref().unwrap_or_default();
    kind.strip_prefix(PREFIX).unwrap_or(kind)
}

/// Whether only the nonce was refused: the request may be repeated at once.
pub(super) fn is_nonce(error: &Error) -> bool {
    matches!(error, Error::Api(problem) if kind(problem) == "badNonce")
}

/// What an error means for the order.
pub(super) fn refusal(error: Error, retry_at: Option<DateTime<Utc>>) -> AuthorityError {
    if let Error::Unsupported(words) = &error {
        return AuthorityError::Refused(format!("the authority does not have {words}"));
    }
    // The library's words for an authority that does not know the extension, and takes the order.
    if let Error::Other(inner) = &error
        && inner.to_string().starts_with("replaces field mismatch")
    {
        return AuthorityError::Refused("the authority ignores that the order replaces a certificate".to_owned());
    }
    if let Error::Str(words) = &error {
        return AuthorityError::Away { words: format!("the authority: {words}"), retry_at };
    }
    let Error::Api(problem) = error else {
        return AuthorityError::Away { words: format!("the authority does not answer: {error}"), retry_at };
    };
    let words = of_problem(&problem);
    match (kind(&problem), problem.status) {
        ("rateLimited", _) | (_, Some(429)) => AuthorityError::Limited { words, retry_at },
        ("accountDoesNotExist", _) => AuthorityError::NoAccount(words),
        ("badNonce" | "serverInternal" | "orderNotReady", _) | (_, Some(500..)) => {
            AuthorityError::Away { words, retry_at }
        }
        (_, Some(404)) => AuthorityError::Unknown(words),
        (_, _) => AuthorityError::Refused(words),
    }
}

/// A problem in words: what is wrong, then the authority's own text.
pub(super) fn of_problem(problem: &Problem) -> String {
    let own = match kind(problem) {
        "caa" => "a CAA record forbids this authority to issue",
        "connection" => "the authority could not connect to the name",
        "dns" => "the authority could not look the name up",
        "unauthorized" => "the authority got another answer than the gateways give",
        "tls" => "the authority could not use the TLS of the name",
        "rateLimited" => "a limit of the authority is reached",
        "rejectedIdentifier" | "unsupportedIdentifier" => "the authority issues no certificates for the name",
        "userActionRequired" => "the account needs an action at the authority",
        "externalAccountRequired" => "the authority wants an external account: set OCIM_ACME_EXTERNAL_ACCOUNT",
        "accountDoesNotExist" => "the authority does not know the account",
        "badNonce" | "serverInternal" => "the authority has a problem of its own",
        _ => "the authority refuses",
    };
    let mut words = own.to_owned();
    if let Some(detail) = problem.detail.as_deref().filter(|detail| !detail.is_empty()) {
        words = format!("{words} ({})", one_line(detail));
    }
    for part in &problem.subproblems {
        words = format!("{words}; {}", one_line(&part.to_string()));
    }
    words
}

/// An authority's text in one line, shortened.
fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(400).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn problem(kind: &str, status: u16) -> Problem {
        let json = serde_json::json!({ "type": format!("{PREFIX}{kind}"), "detail": "CAA record\nfor example.org", "status": status });
        serde_json::from_value(json).unwrap()
    }

    #[test]
    fn each_kind_of_problem_has_its_words() {
        let words = of_problem(&problem("caa", 403));
        assert_eq!(words, "a CAA record forbids this authority to issue (CAA record for example.org)");
        assert!(of_problem(&problem("unheardOf", 400)).starts_with("the authority refuses (CAA"));
    }

    #[test]
    fn a_refusal_says_whether_a_retry_may_succeed() {
        let of = |kind, status| refusal(problem(kind, status).into(), None);
        assert!(matches!(of("rateLimited", 429), AuthorityError::Limited { .. }));
        assert!(matches!(of("accountDoesNotExist", 400), AuthorityError::NoAccount(_)));
        assert!(matches!(of("serverInternal", 500), AuthorityError::Away { .. }));
        assert!(matches!(of("malformed", 404), AuthorityError::Unknown(_)));
        assert!(matches!(of("rejectedIdentifier", 400), AuthorityError::Refused(_)));
        assert!(matches!(refusal(Error::Unsupported("ARI"), None), AuthorityError::Refused(_)));
        assert!(is_nonce(&problem("badNonce", 400).into()) && !is_nonce(&problem("caa", 400).into()));
    }
}

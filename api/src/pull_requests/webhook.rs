//! Verifies and reads GitHub's webhooks. A webhook only wakes the sync; the state is always fetched from GitHub.
//!
//! Not here: the size limit of a body, which `http/webhooks/github.rs` has.

use hmac::{Hmac, Mac};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use sha2::Sha256;

use super::rules::is_repository;

/// The prefix of the signature in its header.
const SCHEME: &str = "sha256=";

/// Where something may have changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wakeup {
    /// The current `owner/name` of the repository.
    pub repository: String,
    /// GitHub's id of the repository; a rename does not change it.
    pub github_id: i64,
    /// The pull request; none: every pull request of the repository.
    pub number: Option<i32>,
}

#[derive(Deserialize)]
struct Payload {
    repository: Repository,
    pull_request: Option<PullRequest>,
}

#[derive(Deserialize)]
struct Repository {
    id: i64,
    full_name: String,
}

#[derive(Deserialize)]
struct PullRequest {
    number: i32,
}

/// Whether one of these secrets signed the body, by the header `X-Hub-Signature-256`. Compares in constant time. Blank
/// secrets are skipped.
pub fn verify(secrets: &[SecretString], body: &[u8], header: Option<&str>) -> bool {
    let signature = header.and_then(|header| header.trim().strip_prefix(SCHEME)).and_then(|hex| hex::decode(hex).ok());
    let Some(signature) = signature else { return false };
    let mut is_signed = false;
    for secret in secrets.iter().map(ExposeSecret::expose_secret).filter(|secret| !secret.is_empty()) {
        // No early exit: the time must not tell which secret matched.
        is_signed |= Hmac::<Sha256>::new_from_slice(secret.as_bytes())
            .is_ok_and(|mac| mac.chain_update(body).verify_slice(&signature).is_ok());
    }
    is_signed
}

/// What to fetch for an event of this kind (`X-GitHub-Event`); none: nothing.
///
/// - `pull_request`, `pull_request_review`, `pull_request_review_comment`, `pull_request_review_thread`: that one.
/// - `repository` (renamed, transferred, deleted, …) and `public`: the whole repository.
/// - Others: nothing. A `push` to a pull request's branch comes as `pull_request` too; `issue_comment` comes of our own
///   comments; `installation` and `ping` change no pull request.
///
/// # Errors
/// Why the body of such an event cannot be read, in words.
pub fn read(kind: &str, body: &[u8]) -> Result<Option<Wakeup>, String> {
    let has_pull_request = match kind {
        "pull_request" | "pull_request_review" | "pull_request_review_comment" | "pull_request_review_thread" => true,
        "repository" | "public" => false,
        _ => return Ok(None),
    };
    let payload: Payload = serde_json::from_slice(body).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        format!("its body is not the JSON that GitHub sends, at line {line}, column {column}")
    })?;
    let Repository { id, full_name } = payload.repository;
    if id <= 0 || !is_repository(&full_name) {
        return Err("its repository has a name or number that GitHub does not give".into());
    }
    let number = match (has_pull_request, payload.pull_request) {
        (false, _) => None,
        (true, Some(PullRequest { number })) if number > 0 => Some(number),
        (true, _) => return Err("it has no pull request with a number".into()),
    };
    Ok(Some(Wakeup { repository: full_name, github_id: id, number }))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;

    use super::*;

    /// The example of GitHub's documentation of webhooks: secret, body and signature.
    const SECRET: &str = "It's a Secret to Everybody";
    const BODY: &[u8] = b"Hello, World!";
    const SIGNATURE: &str = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";

    fn secrets(texts: &[&str]) -> Vec<SecretString> {
        texts.iter().map(|text| SecretString::from(*text)).collect()
    }

    #[test]
    fn either_secret_counts_and_nothing_else() {
        for right in [&[SECRET][..], &["new", SECRET], &[SECRET, "new"]] {
            assert!(verify(&secrets(right), BODY, Some(SIGNATURE)), "{right:?}");
        }
        assert!(verify(&secrets(&[SECRET]), BODY, Some(&SIGNATURE.to_uppercase().replace("SHA", "sha"))));
        for wrong in [&[][..], &[""], &["new"], &["new", "old"]] {
            assert!(!verify(&secrets(wrong), BODY, Some(SIGNATURE)), "{wrong:?}");
        }
        let known = secrets(&[SECRET, ""]);
        assert!(!verify(&known, b"Hello, World?", Some(SIGNATURE)));
        assert!(!verify(&known, BODY, None));
        let hex = SIGNATURE.strip_prefix(SCHEME).unwrap();
        let (half, twice) = (format!("{SCHEME}{}", &hex[..32]), format!("{SIGNATURE}{hex}"));
        // The last value in the list below is a valid signature by the blank secret.
        let blank =
            hex::encode(Hmac::<Sha256>::new_from_slice(b"").unwrap().chain_update(BODY).finalize().into_bytes());
        let blank = format!("{SCHEME}{blank}");
        for wrong in ["", "sha256=", hex, "sha1=abcd", "sha256=zz", half.as_str(), twice.as_str(), blank.as_str()] {
            assert!(!verify(&known, BODY, Some(wrong)), "{wrong}");
        }
    }

    #[test]
    fn a_kind_is_worth_a_look_or_not() {
        let body = br#"{"action":"x","repository":{"id":7,"full_name":"acme/edx"},"pull_request":{"number":3}}"#;
        let wakeup = |number| Wakeup { repository: "acme/edx".into(), github_id: 7, number };
        assert_eq!(read("pull_request", body), Ok(Some(wakeup(Some(3)))));
        assert_eq!(read("pull_request_review", body), Ok(Some(wakeup(Some(3)))));
        assert_eq!(read("repository", body), Ok(Some(wakeup(None))));
        for kind in ["ping", "push", "installation", "issue_comment", "", "🦀"] {
            assert_eq!(read(kind, b"no JSON"), Ok(None), "{kind}");
        }
        for wrong in [
            "",
            "{}",
            "[]",
            r#"{"repository":{"id":7,"full_name":"acme/edx"}}"#,
            r#"{"repository":{"id":7,"full_name":"acme/edx"},"pull_request":{"number":0}}"#,
            r#"{"repository":{"id":7,"full_name":"acme/edx"},"pull_request":{"number":4294967297}}"#,
            r#"{"repository":{"id":0,"full_name":"acme/edx"},"pull_request":{"number":1}}"#,
            r#"{"repository":{"id":7,"full_name":"../edx"},"pull_request":{"number":1}}"#,
        ] {
            assert!(read("pull_request", wrong.as_bytes()).is_err(), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn any_delivery_is_answered(kind in "\\PC*", body in any::<Vec<u8>>(), header in proptest::option::of("\\PC*")) {
            let _ = read(&kind, &body);
            prop_assert!(!verify(&secrets(&[SECRET]), &body, header.as_deref()));
        }

        #[test]
        fn any_pull_request_content_is_answered(
            id in any::<i64>(), name in "[a-z./\\-\\PC]{0,12}", number in any::<i64>(), cut in 0_usize..200,
        ) {
            let body = serde_json::json!({ "repository": { "id": id, "full_name": name }, "pull_request": { "number": number } });
            let body = body.to_string().into_bytes();
            if let Ok(Some(wakeup)) = read("pull_request", &body) {
                prop_assert!(id > 0 && is_repository(&wakeup.repository) && i64::from(wakeup.number.unwrap()) == number);
            }
            let _ = read("pull_request", body.get(..cut).unwrap_or(&body));
        }

        #[test]
        fn what_is_signed_is_known(secret in "\\PC{1,80}", body in any::<Vec<u8>>()) {
            let signed = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap().chain_update(&body).finalize();
            let header = format!("{SCHEME}{}", hex::encode(signed.into_bytes()));
            prop_assert!(verify(&secrets(&["x", &secret]), &body, Some(&header)));
        }
    }
}

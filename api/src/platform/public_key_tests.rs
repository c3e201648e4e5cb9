#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use proptest::prelude::*;

use super::{MAX_COMMENT, MAX_TEXT, PublicKey};

const ED25519: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIMvFOWNs7imHHStqzdq3XANO9/b09kOXKCFdrjQudOCR";

/// Keys that `ssh-keygen` made, with the fingerprints that it prints.
const KEYS: &[(&str, &str)] = &[
    (ED25519, "SHA256:PkHxyQHXdlacZkVs2nvhkY9x4y3BSsrnBF6fpwTZuSM"),
    (
        "ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBHMfmW0OrrtEtc1dILGzc3TU6rBjjWKZD9KWFooc6TyTpLE/bCI+TkSbBKLzA+G6U8aDTBwZbKHWyTGoAQUJL2c=",
        "SHA256:L3HOpm9sQJ02JoqTU5FbsyafyAD6Ku5pkO/sU5A7p7Y",
    ),
    (
        "ecdsa-sha2-nistp384 AAAAE2VjZHNhLXNoYTItbmlzdHAzODQAAAAIbmlzdHAzODQAAABhBEFJSytfgpUU7299KpwYw5k97qqwlPrlmK6kGDOQRjYAObLYYKLWz6M9U0tD5lbHcTzB8KBy4SHAmxWwITQ5WFusekNBA3xMDZz/XicAvq+Vh4HMyw4w4JzVLnx4WC7bPA==",
        "SHA256:aocD66uGhCzLNeFD4PrRJnMmIJq8Yl2VYuV7boJPrHk",
    ),
    (
        "ecdsa-sha2-nistp521 AAAAE2VjZHNhLXNoYTItbmlzdHA1MjEAAAAIbmlzdHA1MjEAAACFBAGSYsuUZfQ7zsJ0SK8UyF3mAvXaDpIiUGLDSdJ+Zn2ekCe7WA89XWYvIICz0QFbOZb/qNMmL1v+voYLnwWsPF5inQBWBQHC4njBFLoyflcwZmsabCeMXGh8lgoicexd8QHnXjS1XSgM8S6t6Bn0akwWGp+wn4i8DEPUdnffAOC33zOYWA==",
        "SHA256:wGwwT9B6BhVYxcV1CIztbbAuXRHVSJ6+x/rlAij9MY8",
    ),
    (
        "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQDDimXfG9BOcoPb8uPJlB9626BytoA+g6XCzw30XJm5cgcyP96jMMnVXCR+rRPJSUzaSzG/Y5bA8foZeEP0KyAqmyHLKgdxdVZ45JneE459qw4a7BrC7ec2+KwgxHvD1qQaS2nv3WIHlOHJho93gg5BzLA5em5aHbKDTcl3PmeGrPi9te8uoKD0uvzYxU/i/3WgOOY59RBy9dWHIsREfQWDwyYyH/yktvmleUWYOXNN0XRgTDMbbW2sHBk2PjZ+a+zem3Y9l14jbWeKZdI4UGuDvwjPf4361X7hxCr8Wxsu/ideiLcl0ShzGiXvr+WQVulB998100JDlhSY+Mhwav5X",
        "SHA256:/9i3V1eWZjfktU04alYfX/FFqK8WqeqM5iRiz3iN5iw",
    ),
    (
        "sk-ssh-ed25519@openssh.com AAAAGnNrLXNzaC1lZDI1NTE5QG9wZW5zc2guY29tAAAAICFo/k5LU8863u66YC9eUO2170QduohPURkQnbLa/dczAAAABHNzaDo=",
        "SHA256:6WZVJ44bqhAWLVP4Ns0TDkoSQSsZo/h2K+mEvOaNFbw",
    ),
    (
        "sk-ecdsa-sha2-nistp256@openssh.com AAAAInNrLWVjZHNhLXNoYTItbmlzdHAyNTZAb3BlbnNzaC5jb20AAAAIbmlzdHAyNTYAAABBBIELQJ2DgvaX1yQlKFokfWM2suuaCFI2qp0eJodHyg6O4ifxc3XpRKd1OS8dNYQtE/YjdXSrA+AOnMF5ns2Nkx4AAAAEc3NoOg==",
        "SHA256:UINe2WXFh3SiqwLxsBv34fBO2ei+g7uOeJJXVEK95iE",
    ),
];

const RSA_1024: &str = "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAgQCxo9zl7WEghDbVL0odJNStJW0Ce9Pojv2hXOe8UORKFnnLBLASqyabta2X8iAwxXr4csIMLYDsF7QhvjLk1mWb1SiCwIXjw8u/L9jil70Ble6bYjyGddbz9T7wbKbtLzrzxm/ZnCxV06BioNf6w7/OxTlZdVmJ7hgy4CMVrLaL/Q==";
const DSA: &str = "ssh-dss AAAAB3NzaC1kc3MAAACBAP7DcRyCSngP18WdkIZdNMUXF9UcmzfScH567bDPq7Sl3Qh/ErBM5VL1LOqzreiETdfj6SMqRCpFlzuR6ByG1be+ ada";

fn refusal(text: &str) -> String {
    PublicKey::parse(text).unwrap_err()
}

#[test]
fn each_accepted_kind_of_key_has_the_fingerprint_that_ssh_keygen_prints() {
    for (line, fingerprint) in KEYS {
        let (key, comment) = PublicKey::parse(&format!("  {line} ada@laptop of Ada \n")).unwrap();
        assert_eq!((key.line().as_str(), key.fingerprint()), (*line, *fingerprint));
        assert_eq!(comment, "ada@laptop of Ada");
        assert_eq!(PublicKey::parse(line).unwrap(), (key, String::new()));
    }
}

#[test]
fn what_is_no_acceptable_key_is_refused_with_what_to_do() {
    for (text, words) in [
        ("", "Paste a public key"),
        (
            "-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXk\n-----END OPENSSH PRIVATE KEY-----",
            "This is a private key",
        ),
        ("---- BEGIN SSH2 PUBLIC KEY ----\nAAAA\n---- END SSH2 PUBLIC KEY ----", "ssh-keygen -i -f FILE"),
        (DSA, "DSA keys are too weak"),
        (RSA_1024, "this one has 1024"),
        (&format!("command=\"sh\" {ED25519}"), "Options in front"),
        (&format!("from=\"10.0.0.0/8\",no-pty\t{ED25519} ada"), "Options in front"),
        (&format!("{ED25519} ada\n{ED25519} eve"), "one key on one line"),
        (&format!("{ED25519} ada\rssh-rsa AAAA"), "one key on one line"),
        (&format!("{ED25519} a\u{0}b"), "no control characters"),
        (&format!("{ED25519} a\u{1b}[2J"), "no control characters"),
        ("ssh-ed25519-cert-v01@openssh.com AAAA", "Certificates are not accepted"),
        ("ssh-ed25519", "damaged"),
        ("ssh-ed25519 AAAA", "damaged"),
        (ED25519.strip_suffix("CR").unwrap(), "damaged"),
        (&ED25519.replace("ssh-ed25519 ", "ssh-rsa "), "damaged"),
        (&KEYS[1].0.replace("nistp256 ", "nistp384 "), "damaged"),
        ("hello world", "Must be a public key that begins with one of: ssh-ed25519, "),
        (&"x".repeat(MAX_TEXT + 1), "8000 characters at most"),
    ] {
        assert!(refusal(text).contains(words), "{text:?}: {}", refusal(text));
    }
}

#[test]
fn a_key_with_bytes_behind_it_is_damaged() {
    for (line, _) in KEYS {
        let (algorithm, data) = line.split_once(' ').unwrap();
        let mut blob = STANDARD.decode(data).unwrap();
        blob.push(0);
        assert!(refusal(&format!("{algorithm} {}", STANDARD.encode(&blob))).contains("damaged"), "{line}");
        blob.truncate(blob.len() - 2);
        assert!(refusal(&format!("{algorithm} {}", STANDARD.encode(&blob))).contains("damaged"), "{line}");
    }
}

#[test]
fn a_long_comment_is_cut() {
    let (_, comment) = PublicKey::parse(&format!("{ED25519} {}", "é".repeat(1000))).unwrap();
    assert_eq!(comment.chars().count(), MAX_COMMENT);
}

proptest! {
    #[test]
    fn no_text_makes_a_line_that_is_more_than_one_key(text in "\\PC{0,40}|[\\x00-\\x7f]{0,60}") {
        for text in [text.clone(), format!("{ED25519} {text}"), format!("{text} {ED25519}"), format!("ssh-rsa {text}")] {
            if let Ok((key, comment)) = PublicKey::parse(&text) {
                let line = key.line();
                prop_assert!(line.bytes().all(|b| b.is_ascii_graphic() || b == b' '));
                prop_assert_eq!(line.split(' ').count(), 2);
                prop_assert!(!comment.contains(['\n', '\r', '\0']));
            }
        }
    }

    #[test]
    fn no_blob_makes_the_parser_fail_otherwise_than_with_words(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
        for name in ["ssh-rsa", "ssh-ed25519", "ecdsa-sha2-nistp256", "sk-ssh-ed25519@openssh.com"] {
            let mut blob = u32::try_from(name.len()).unwrap().to_be_bytes().to_vec();
            blob.extend(name.bytes());
            blob.extend(&bytes);
            let _ = PublicKey::parse(&format!("{name} {}", STANDARD.encode(blob)));
        }
    }
}

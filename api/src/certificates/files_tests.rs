#![allow(clippy::unwrap_used, clippy::panic)]

use rcgen::{CertificateParams, KeyPair};
use secrecy::ExposeSecret as _;
use tempfile::TempDir;

use super::*;

/// A certificate and its key in PEM, valid for so many days from now.
fn made(names: &[&str], days: i64) -> (String, String) {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>()).unwrap();
    let now = time::OffsetDateTime::now_utc();
    params.not_before = now - time::Duration::days(100);
    params.not_after = now + time::Duration::days(days);
    (params.self_signed(&key).unwrap().pem(), key.serialize_pem())
}

fn write(dir: &TempDir, name: &str, text: &str, mode: u32) {
    let path = dir.path().join(name);
    fs::write(&path, text).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
}

/// The words about the one file that is refused.
fn refusal(dir: &TempDir) -> String {
    let mut found = read(dir.path(), Utc::now()).unwrap();
    assert!(found.certificates.is_empty(), "{:?}", found.certificates);
    assert_eq!(found.refused.len(), 1, "{:?}", found.refused);
    found.refused.remove(0)
}

#[test]
fn chain_and_key_are_read_from_one_file_or_from_two() {
    let dir = tempfile::tempdir().unwrap();
    let (chain, key) = made(&["a.example.org", "*.a.example.org"], 30);
    write(&dir, "one.pem", &format!("{key}{chain}"), 0o600);
    let (chain, key) = made(&["b.example.org"], 30);
    write(&dir, "two.crt", &chain, 0o644);
    write(&dir, "two.key", &key, 0o640);
    write(&dir, "README.md", "no certificate", 0o644);
    fs::create_dir(dir.path().join("old")).unwrap();
    let found = read(dir.path(), Utc::now()).unwrap();
    assert_eq!(found.refused, Vec::<String>::new());
    let [one, two] = found.certificates.as_slice() else { panic!("{found:?}") };
    assert_eq!(
        (&one.facts.names[..], &two.facts.names[..]),
        (&["*.a.example.org".into(), "a.example.org".into()][..], &["b.example.org".into()][..])
    );
    assert!(!one.chain.contains("PRIVATE"), "the key is part of the chain");
    assert!(!one.key.expose_secret().contains("CERTIFICATE"));
}

#[test]
fn a_certificate_without_its_key_or_with_another_key_is_refused_in_words() {
    let dir = tempfile::tempdir().unwrap();
    let (chain, _) = made(&["a.example.org"], 30);
    write(&dir, "one.crt", &chain, 0o644);
    assert!(refusal(&dir).ends_with("one.key") && refusal(&dir).contains("the certificate is without its key"));
    let (_, other) = made(&["a.example.org"], 30);
    write(&dir, "one.key", &other, 0o600);
    assert!(refusal(&dir).ends_with("one.crt: the key does not belong to the certificate"));
    write(&dir, "one.key", "nothing", 0o600);
    assert!(refusal(&dir).contains("the certificate is without its key"));
    fs::remove_file(dir.path().join("one.crt")).unwrap();
    assert!(refusal(&dir).contains("there is no certificate beside the key"));
    fs::remove_file(dir.path().join("one.key")).unwrap();
    write(&dir, "one.pem", &chain, 0o600);
    assert!(refusal(&dir).contains("the certificate is without its key"));
}

#[test]
fn an_expired_certificate_and_a_key_that_others_may_read_are_refused_in_words() {
    let dir = tempfile::tempdir().unwrap();
    let (chain, key) = made(&["a.example.org"], -1);
    write(&dir, "one.crt", &chain, 0o644);
    write(&dir, "one.key", &key, 0o600);
    assert!(refusal(&dir).contains("one.crt: it expired at 2"), "{}", refusal(&dir));
    let (chain, key) = made(&["a.example.org"], 30);
    write(&dir, "one.crt", &chain, 0o644);
    write(&dir, "one.key", &key, 0o644);
    assert!(refusal(&dir).contains("others may read the key: run chmod o= "));
    write(&dir, "one.crt", "-----BEGIN CERTIFICATE-----\nnothing\n-----END CERTIFICATE-----\n", 0o644);
    assert!(refusal(&dir).contains("the certificate cannot be read"));
    write(&dir, "one.crt", "", 0o644);
    assert!(refusal(&dir).contains("there is no certificate in it"));
}

#[test]
fn of_two_with_the_same_names_the_one_that_expires_later_is_used() {
    let dir = tempfile::tempdir().unwrap();
    for (name, days) in [("a.pem", 10), ("b.pem", 90), ("c.pem", 50)] {
        let (chain, key) = made(&["a.example.org"], days);
        write(&dir, name, &format!("{chain}{key}"), 0o600);
    }
    let found = read(dir.path(), Utc::now()).unwrap();
    let [one] = found.certificates.as_slice() else { panic!("{found:?}") };
    assert!(one.file.ends_with("b.pem"));
}

#[test]
fn a_directory_that_cannot_be_read_is_named() {
    let words = read(Path::new("/nonexistent/certificates"), Utc::now()).unwrap_err();
    assert!(words.starts_with("OCIM_CERTIFICATE_DIR /nonexistent/certificates cannot be read"), "{words}");
}

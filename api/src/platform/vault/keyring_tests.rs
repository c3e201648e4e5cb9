#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use serde_json::json;

use super::*;

fn ring(lines: &[&str]) -> Keyring {
    Keyring::of(lines.iter().copied()).unwrap()
}

#[test]
fn a_secret_comes_back_with_any_key_that_is_still_there() {
    let (old, new) = (generate().unwrap(), generate().unwrap());
    let row = ring(&[&old]).first().unwrap().encrypt(&json!("hunter2 ÿ\u{1F511}")).unwrap();
    assert_eq!(row.id.len(), 32);
    let again = ring(&[&old]).first().unwrap().encrypt(&json!("hunter2 ÿ\u{1F511}")).unwrap();
    assert!(row.id != again.id && row.sealed[..NONCE] != again.sealed[..NONCE], "random ids and nonces");
    assert_eq!(ring(&[&new, &old]).decrypt(&row).unwrap(), "hunter2 ÿ\u{1F511}");
    let error = ring(&[&new]).decrypt(&row).unwrap_err();
    assert!(matches!(&error, VaultError::UnknownKey { key, .. } if *key == row.key_id), "{error}");
}

#[test]
fn what_was_changed_is_an_error_and_never_something_else() {
    let ring = ring(&[&generate().unwrap()]);
    let key = ring.first().unwrap();
    let (one, other) = (key.encrypt(&json!("one")).unwrap(), key.encrypt(&json!("two")).unwrap());
    let is_changed = |row: &SecretRow| matches!(ring.decrypt(row), Err(VaultError::Changed { .. }));
    for at in 0..one.sealed.len() {
        let mut row = one.clone();
        row.sealed[at] ^= 1;
        assert!(is_changed(&row), "byte {at}");
        row.sealed.truncate(at);
        assert!(is_changed(&row), "cut at {at}");
    }
    assert!(is_changed(&SecretRow { sealed: other.sealed, ..one.clone() }), "another row's");
    assert_eq!(ring.decrypt(&one).unwrap(), "one");
    let same_name = format!("{}:{}", one.key_id, "0".repeat(64));
    assert!(matches!(super::Keyring::of([same_name.as_str()]).unwrap().decrypt(&one), Err(VaultError::Changed { .. })));
}

#[test]
fn what_is_no_key_is_refused_without_showing_it() {
    let digits = "5ec2e7".repeat(11);
    let long = digits[..64].to_owned();
    for wrong in
        [&long, &format!(":{long}"), &format!("A b:{long}"), &format!("k:{digits}"), &format!("k:{}x", &long[1..])]
    {
        let error = parse(wrong).unwrap_err().to_string();
        assert!(error.contains("ocim admin generate-key") && !error.contains("5ec2e7"), "{error}");
    }
    let key = format!("k:{long}");
    let error = Keyring::of([key.as_str(), key.as_str()]).unwrap_err().to_string();
    assert_eq!(error, "two keys are called «k»; give each an id of its own");
    assert!(Keyring::of([]).is_err());
    assert!(!format!("{:?}", ring(&[&key])).contains("5ec2e7"));
}

#[test]
fn a_file_is_read_again_when_it_changes_or_a_key_is_unknown() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("keys");
    let (old, new) = (generate().unwrap(), generate().unwrap());
    std::fs::write(&path, format!("{old}\n")).unwrap();
    let (running, other) = (Keyring::of_file(path.clone()).unwrap(), Keyring::of_file(path.clone()).unwrap());
    std::fs::write(&path, format!("{new}\n\n{old}\n")).unwrap();
    let row = other.first().unwrap().encrypt(&json!(1)).unwrap();
    assert_eq!(Some(row.key_id.as_str()), new.split(':').next(), "the new one encrypts at once");
    assert_eq!(running.decrypt(&row).unwrap(), 1);
    assert_eq!(running.ids(), other.ids());
    std::fs::remove_file(&path).unwrap();
    assert!(other.first().is_ok(), "a file that is away takes no key away");
}

#[test]
fn what_is_handed_out_comes_back_unchanged_and_for_its_purpose_only() {
    let (old, new) = (generate().unwrap(), generate().unwrap());
    let (ring_then, ring_now) = (ring(&[&old]), ring(&[&new, &old]));
    let given = ring_then.hand_out("cookie", &json!({ "state": "x" })).unwrap();
    assert!(given.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte)), "{given}");
    assert_eq!(ring_now.take_back("cookie", &given), Some(json!({ "state": "x" })));
    assert_eq!(ring_now.take_back("other", &given), None);
    assert_eq!(ring(&[&new]).take_back("cookie", &given), None, "its key is gone");
    for at in 0..given.len() {
        let mut changed = given.clone().into_bytes();
        changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
        let changed = String::from_utf8(changed).unwrap();
        // The unused bits of the last character may differ.
        let is_same = ring_then.take_back("cookie", &changed).is_some();
        assert!(!is_same || at + 1 == given.len(), "character {at}");
    }
    for nothing in ["", ".", "test.", "no dot", &given[..given.len() - 4]] {
        assert_eq!(ring_then.take_back("cookie", nothing), None, "{nothing:?}");
    }
    let row = ring_then.first().unwrap().encrypt(&json!("a secret")).unwrap();
    let as_if = format!("{}.{}", row.key_id, URL_SAFE_NO_PAD.encode(&row.sealed));
    assert_eq!(ring_then.take_back(&row.id, &as_if), None, "a stored secret is nothing that was handed out");
}

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};

use super::*;

fn mask(secrets: &[&str]) -> Mask {
    Mask::of(secrets.iter().map(|secret| (*secret).to_owned()))
}

#[test]
fn hides_what_is_secret_and_nothing_else() {
    let mask = mask(&["correct horse", "battery staple", "short", "token number one", "token number one, longer"]);
    let text = "correct horse, battery staple, harmless text, short, token number one, longer";
    assert_eq!(mask.apply(text.to_owned()), "********, ********, harmless text, short, ********");
    assert!(!format!("{mask:?}").contains("horse"));
    assert_eq!(Mask::default().apply("at https://me:pw@host/".to_owned()), "at https://me:********@host/");
}

#[test]
fn secrets_that_overlap_leave_no_rest() {
    let hidden = mask(&["abcdefghij", "ghijklmnop", "defghijk"]).apply("<abcdefghijklmnop> <abcdefghij>".to_owned());
    assert_eq!(hidden, "<********> <********>");
}

#[test]
fn hides_every_form_of_a_secret() {
    let secret = "p\"ss/w+rd é&\\ 100%~!";
    let mask = mask(&[secret]);
    let json = serde_json::to_string(secret).unwrap();
    let forms = [
        secret.to_owned(),
        json.clone(),
        serde_json::to_string(&json).unwrap(),
        r#""p\"ss/w+rd \u00e9&\\ 100%~!""#.to_owned(),
        "p%22ss%2Fw%2Brd%20%C3%A9%26%5C%20100%25~%21".to_owned(),
        "p%22ss%2fw%2brd%20%c3%a9%26%5c%20100%25~%21".to_owned(),
        "p%22ss/w%2Brd%20%C3%A9%26%5C%20100%25~%21".to_owned(),
        "p%22ss%2Fw%2Brd+%C3%A9%26%5C+100%25%7E%21".to_owned(),
        "p%22ss%2Fw%2Brd%20%C3%A9%26%5C%20100%25~!".to_owned(),
    ];
    for form in forms {
        let shown = mask.apply(format!("before {form} after"));
        assert!(shown.starts_with("before ") && shown.ends_with(" after") && shown.contains(HIDDEN), "{shown}");
        assert!(!shown.contains("w%") && !shown.contains("w+") && !shown.contains("100"), "{form} reads {shown}");
    }
    for encoded in [STANDARD.encode(secret), STANDARD_NO_PAD.encode(secret), URL_SAFE.encode(secret)] {
        assert_eq!(mask.apply(format!("Basic {encoded} x")), "Basic ******** x");
    }
}

#[test]
fn hides_base64_of_longer_texts_at_each_alignment() {
    for secret in ["correct-horse", "correct-horse1", "correct-horse12", "??>>~~ÿÿ"] {
        let mask = mask(&[secret]);
        for before in ["", "a", "ab", "abc", "user:"] {
            for after in ["", "z", "zy", "zyx"] {
                let text = format!("{before}{secret}{after}");
                for encoded in [STANDARD.encode(&text), URL_SAFE_NO_PAD.encode(&text)] {
                    let shown = mask.apply(encoded.clone());
                    let rest: usize = shown.replace(HIDDEN, "").trim_end_matches('=').len();
                    // Beside letters of what stands around, one on each side may hold a few bits of the secret.
                    assert!(
                        shown.contains(HIDDEN) && rest <= (before.len() + after.len()) * 4 / 3 + 3,
                        "{encoded} {shown}"
                    );
                }
            }
        }
    }
}

#[test]
fn hides_each_line_of_a_secret_that_has_several() {
    let key = "-----BEGIN KEY-----\nMIIEpAIBAAKCAQEA1\r\n  c2VjcmV0IHNlY3JldA\n-----END KEY-----\n";
    let mask = mask(&[key]);
    assert_eq!(mask.apply("> MIIEpAIBAAKCAQEA1".to_owned()), "> ********");
    assert_eq!(mask.apply("c2VjcmV0IHNlY3JldA <".to_owned()), "******** <");
    assert_eq!(mask.apply(serde_json::to_string(key).unwrap()), "\"********\"");
    let encoded = STANDARD.encode(key.repeat(3));
    let long = self::mask(&[&key.repeat(3)]);
    for line in encoded.as_bytes().chunks(76).filter(|line| line.len() >= SHORTEST) {
        assert_eq!(long.apply(String::from_utf8(line.to_vec()).unwrap()), HIDDEN);
    }
}

#[test]
fn a_long_line_and_many_secrets_take_no_time() {
    let secrets: Vec<String> = (0..50).map(|n| format!("secret number {n} / {}", "x y".repeat(n))).collect();
    let mask = Mask::of(secrets.clone());
    let line = format!("{}{}", "some words of a log, secret numbers among them; ".repeat(22_000), secrets[49]);
    assert!(line.len() > 1 << 20);
    mask.apply(String::new());
    let begun = std::time::Instant::now();
    let shown = mask.apply(line);
    assert!(shown.ends_with("them; ********"));
    let took = begun.elapsed();
    assert!(took.as_millis() < 2_000, "{took:?}");
}

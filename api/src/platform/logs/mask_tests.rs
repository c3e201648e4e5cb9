#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};

use super::*;

fn mask(secrets: &[&str]) -> Mask {
    Mask::of(secrets.iter().map(|secret| found("", secret)).collect())
}

fn found(name: &str, text: &str) -> Found {
    Found { name: name.to_owned(), text: text.to_owned() }
}

#[test]
fn hides_what_is_secret_and_nothing_else() {
    let mask = mask(&["correct horse", "battery staple", "abc", "token number one", "token number one, longer"]);
    let text = "correct horse, battery staple, harmless text, abc, token number one, longer";
    assert_eq!(mask.apply(text.to_owned()), "********, ********, harmless text, abc, ********");
    assert!(!format!("{mask:?}").contains("horse"));
    assert_eq!(Mask::default().apply("at https://me:pw@host/".to_owned()), "at https://me:********@host/");
}

#[test]
fn secrets_that_overlap_leave_no_rest() {
    let hidden = mask(&["abcdefghij", "ghijklmnop", "defghijk"]).apply("<abcdefghijklmnop> <abcdefghij>".to_owned());
    assert_eq!(hidden, "<********> <********>");
}

#[test]
fn hides_what_urls_and_json_make_of_a_secret() {
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
                    // Characters of the surrounding text may hold a few bits of the secret, one character on each side.
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
    for line in encoded.as_bytes().chunks(76).filter(|line| line.len() >= LONG) {
        assert_eq!(long.apply(String::from_utf8(line.to_vec()).unwrap()), HIDDEN);
    }
}

#[test]
fn a_long_line_and_many_secrets_take_no_time() {
    let secrets: Vec<String> = (0..50).map(|n| format!("secret number {n} / {}", "x y".repeat(n))).collect();
    let mask = Mask::of(secrets.iter().map(|secret| found("", secret)).collect());
    let line = format!("{}{}", "some words of a log, secret numbers among them; ".repeat(22_000), secrets[49]);
    assert!(line.len() > 1 << 20);
    mask.apply(String::new());
    let begun = std::time::Instant::now();
    let shown = mask.apply(line);
    assert!(shown.ends_with("them; ********"));
    let took = begun.elapsed();
    assert!(took.as_millis() < 2_000, "{took:?}");
}

#[test]
fn hides_what_languages_and_formats_make_of_a_secret() {
    let secret = "it's \"so\" <é>$x\n\t=\\ü€😀";
    let mask = mask(&[secret]);
    for form in [
        // Python: repr, ascii and bytes.
        r#"'it\'s "so" <é>$x\n\t=\\ü€😀'"#,
        r#"'it\'s "so" <\xe9>$x\n\t=\\\xfc\u20ac\U0001f600'"#,
        r#"b'it\'s "so" <\xc3\xa9>$x\n\t=\\\xc3\xbc\xe2\x82\xac\xf0\x9f\x98\x80'"#,
        r#"'it\\'s \"so\" <\\xe9>$x\\n\\t=\\\\\\xfc\\u20ac\\U0001f600'"#,
        // HTML.
        "it&#39;s &quot;so&quot; &lt;é&gt;$x\n\t=\\ü€😀",
        "it&#x27;s &quot;so&quot; &lt;é&gt;$x\n\t=\\ü€😀",
        "it's \"so\" &lt;é&gt;$x\n\t=\\ü€😀",
        // Shells.
        "'it'\\''s \"so\" <é>$x\n\t=\\ü€😀'",
        "'it'\"'\"'s \"so\" <é>$x\n\t=\\ü€😀'",
        "\"it's \\\"so\\\" <é>\\$x\n\t=\\\\ü€😀\"",
        r#"$'it\'s "so" <\303\251>$x\n\t=\\\303\274\342\202\254\360\237\230\200'"#,
        // YAML, SQL, quoted-printable.
        "'it''s \"so\" <é>$x\n\t=\\ü€😀'",
        "it's \"so\" <=C3=A9>$x=0A=09=3D\\=C3=BC=E2=82=AC=F0=9F=98=80",
    ] {
        let shown = mask.apply(format!("before {form} after"));
        assert!(shown.starts_with("before ") && shown.ends_with(" after"), "{shown}");
        assert!(shown.contains(HIDDEN) && !shown.contains("so") && !shown.contains("it"), "{form} reads {shown}");
    }
}

#[test]
fn hides_a_secret_in_other_alphabets() {
    let secret = "correct-horse";
    let mask = mask(&[secret]);
    let hex: String = secret.bytes().map(|byte| format!("{byte:02x}")).collect();
    for form in [
        hex.clone(),
        hex.to_uppercase(),
        "63:6f:72:72:65:63:74:2d:68:6f:72:73:65".to_owned(),
        "63:6F:72:72:65:63:74:2D:68:6F:72:73:65".to_owned(),
        "63 6f 72 72 65 63 74 2d 68 6f 72 73 65".to_owned(),
        "\\x63\\x6f\\x72\\x72\\x65\\x63\\x74\\x2d\\x68\\x6f\\x72\\x73\\x65".to_owned(),
        "MNXXE4TFMN2C22DPOJZWK===".to_owned(),
        "MNXXE4TFMN2C22DPOJZWK".to_owned(),
    ] {
        assert_eq!(mask.apply(format!("0x{form}.")), format!("0x{HIDDEN}."), "{form}");
    }
    // Base32 of "user:correct-horse!".
    let shown = mask.apply("OVZWK4R2MNXXE4TFMN2C22DPOJZWKII=".to_owned());
    assert_eq!(shown, "OVZWK4R2********II=");
}

#[test]
fn short_values_are_hidden_as_words_and_the_shortest_behind_their_names() {
    let mask = Mask::of(vec![found("A_PASS", "x7Kq"), found("B_PASS", "admin"), found("PIN_TOKEN", "42")]);
    let shown = |text: &str| mask.apply(text.to_owned());
    assert_eq!(shown("login x7Kq! -px7Kq 'x7Kq' x7Kqz"), "login ********! -px7Kq '********' x7Kqz");
    assert_eq!(shown("user admin, 42 tasks"), "user admin, 42 tasks");
    assert_eq!(shown("B_PASS=admin B_PASS=administrator"), "B_PASS=******** B_PASS=administrator");
    assert_eq!(shown(r#"{"PIN_TOKEN": "42", "x": 42}"#), r#"{"PIN_TOKEN": "********", "x": 42}"#);
    assert_eq!(shown(r#"{"PIN_TOKEN": 42, 'PIN_TOKEN': '42'}"#), r#"{"PIN_TOKEN": ********, 'PIN_TOKEN': '********'}"#);
    assert_eq!(shown("PIN_TOKEN: 421, MY_PIN_TOKEN=42"), "PIN_TOKEN: 421, MY_PIN_TOKEN=42");
    assert_eq!(shown("eDdLcQ== 7837 78374b71"), "******** 7837 ********");
}

#[test]
fn hides_what_a_cut_leaves_of_a_secret() {
    let secret = "correct-horse-battery-staple";
    let mask = mask(&[secret, "it's \"two\" lines\nof a secret"]);
    for at in LONG..secret.len() {
        let (head, tail) = (&secret[..at], &secret[secret.len() - at..]);
        for (text, shown) in [
            (format!("login with {head}"), "login with ********".to_owned()),
            (format!("login with {head}\n"), "login with ********\n".to_owned()),
            (format!("{tail} was wrong"), "******** was wrong".to_owned()),
            (format!("begin {head}… end"), "begin ********… end".to_owned()),
            (format!("begin …{tail} end"), "begin …******** end".to_owned()),
            (format!("begin ...{tail} end"), "begin ...******** end".to_owned()),
        ] {
            assert_eq!(mask.apply(text), shown);
        }
    }
    assert_eq!(mask.apply("battery-st".to_owned()), HIDDEN, "cut at both ends");
    assert_eq!(mask.apply("so: it's \\\"two\\\" lin".to_owned()), "so: ********", "a form of a secret was cut");
    assert_eq!(mask.apply("… correct-h …".to_owned()), "… correct-h …", "no cut is beside it");
    let text = format!("{}correct-horse-battery-staple", "x".repeat(980));
    let cut: String = text.chars().rev().take(20).collect::<Vec<_>>().into_iter().rev().collect();
    assert_eq!(mask.apply(cut), HIDDEN, "the last characters of a message");
}

#[test]
fn colour_codes_inside_a_secret_do_not_show_it() {
    let mask = mask(&["correct-horse"]);
    for code in ["\u{1b}[31m", "\u{1b}[0;1;38;5;12m", "\\u001b[0m", "\\x1b[K", "\\033[1m"] {
        let text = format!("a {code}b cor{code}rect-{code}{code}horse{code} c");
        assert_eq!(mask.apply(text), format!("a {code}b {HIDDEN}{code} c"));
        let plain = format!("{code}harmless{code} \\n text \u{1b}");
        assert_eq!(mask.apply(plain.clone()), plain);
    }
    let coloured: String = "correct-horse".chars().map(|letter| format!("\u{1b}[1m{letter}\u{1b}[0m")).collect();
    assert_eq!(mask.apply(coloured), format!("\u{1b}[1m{HIDDEN}\u{1b}[0m"));
}

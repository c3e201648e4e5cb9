//! Formats times and amounts for people. Pure functions; the current time is an argument.

pub mod access;
pub mod health;
pub mod machine;
pub mod resource;
pub mod status;
pub mod system;

use chrono::{DateTime, Offset, TimeDelta, TimeZone, Utc};
use shared_types::{AppServer, applications};

/// The greeting for an hour of the browser's local day, 0 to 23.
pub const fn greeting(hour: u32) -> &'static str {
    match hour {
        18.. => "Good evening!",
        12..18 => "Good afternoon!",
        4..12 => "Good morning!",
        0..4 => "Working late, eh?",
    }
}

/// How long ago, coarsely: “just now”, “24 min ago”, “3 h ago”, “19 days ago”.
pub fn ago(then: DateTime<Utc>, now: DateTime<Utc>) -> String {
    let gone = now - then;
    if gone < TimeDelta::minutes(1) { "just now".into() } else { format!("{} ago", span(gone)) }
}

/// A duration in its largest unit.
pub fn span(span: TimeDelta) -> String {
    match (span.num_days(), span.num_hours(), span.num_minutes()) {
        (1, ..) => "1 day".into(),
        (days @ 2.., ..) => format!("{days} days"),
        (_, hours @ 1.., _) => format!("{hours} h"),
        (_, _, minutes @ 1..) => format!("{minutes} min"),
        _ => "less than a minute".into(),
    }
}

/// A duration in its two largest units: “1 day 3 h”, “3 h 20 min”, “12 min”.
pub fn span_closely(span: TimeDelta) -> String {
    let (days, hours, minutes) = (span.num_days(), span.num_hours() % 24, span.num_minutes() % 60);
    let days_words = if days == 1 { "1 day".to_owned() } else { format!("{days} days") };
    match (days, hours, minutes) {
        (1.., 0, _) => days_words,
        (1.., ..) => format!("{days_words} {hours} h"),
        (_, 1.., 0) => format!("{hours} h"),
        (_, 1.., _) => format!("{hours} h {minutes} min"),
        (_, _, 1..) => format!("{minutes} min"),
        _ => "less than a minute".into(),
    }
}

/// The time left until an expected end: “about 2 min left”, or that it takes longer than usual.
pub fn left(end: DateTime<Utc>, now: DateTime<Utc>) -> String {
    match end - now {
        late if late < TimeDelta::zero() => "taking longer than usual".into(),
        left if left < TimeDelta::minutes(1) => "less than a minute left".into(),
        left => format!("about {} left", span(left)),
    }
}

/// The local time of day, with the date if it is not today: “15:04”, “26 Nov 15:04”.
pub fn clock<Zone: TimeZone>(time: DateTime<Utc>, now: DateTime<Utc>, zone: &Zone) -> String
where
    Zone::Offset: std::fmt::Display,
{
    let (time, now) = (time.with_timezone(zone), now.with_timezone(zone));
    let form = if time.date_naive() == now.date_naive() { "%H:%M" } else { "%-d %b %H:%M" };
    time.format(form).to_string()
}

/// The local time with its zone: “15:04 UTC+2”.
pub fn clock_in_zone<Zone: TimeZone>(time: DateTime<Utc>, now: DateTime<Utc>, zone: &Zone) -> String
where
    Zone::Offset: std::fmt::Display,
{
    let offset = time.with_timezone(zone).offset().fix().local_minus_utc();
    format!("{} {}", clock(time, now, zone), zone_name(offset))
}

/// The local time to the minute, with the year: “26 Nov 2026, 15:04”.
pub fn exact<Zone: TimeZone>(time: DateTime<Utc>, zone: &Zone) -> String
where
    Zone::Offset: std::fmt::Display,
{
    time.with_timezone(zone).format("%-d %b %Y, %H:%M").to_string()
}

/// The name of a zone by its offset from UTC in seconds.
fn zone_name(offset: i32) -> String {
    let sign = if offset < 0 { '-' } else { '+' };
    match (offset.abs() / 3600, offset.abs() / 60 % 60) {
        (0, 0) => "UTC".to_owned(),
        (hours, 0) => format!("UTC{sign}{hours}"),
        (hours, minutes) => format!("UTC{sign}{hours}:{minutes:02}"),
    }
}

/// A message as a sentence: with a capital at the beginning and a full stop at the end. None if it is blank.
pub fn sentence(message: &str) -> Option<String> {
    let message = capital(message.trim())?;
    let end = if message.ends_with(['.', '…', '!', '?']) { "" } else { "." };
    Some(format!("{message}{end}"))
}

/// A text with a capital at the beginning. None if it is empty.
pub fn capital(text: &str) -> Option<String> {
    let mut letters = text.chars();
    let first = letters.next()?;
    Some(format!("{}{}", first.to_uppercase(), letters.as_str()))
}

/// The trimmed reason; `None` if it is blank.
pub fn reason(typed: &str) -> Option<String> {
    Some(typed.trim()).filter(|typed| !typed.is_empty()).map(ToOwned::to_owned)
}

/// A duration to the second: “4 s”, “1 m 12 s”, “2 h 05 m”.
pub fn duration(span: TimeDelta) -> String {
    let seconds = span.num_seconds().max(0);
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, 0, s) => format!("{s} s"),
        (0, m, s) => format!("{m} m {s:02} s"),
        (h, m, _) => format!("{h} h {m:02} m"),
    }
}

/// The estimated time left of a build, from the time its finished share took. None while that share is too small.
pub fn estimate_left(started: DateTime<Utc>, now: DateTime<Utc>, share: f64) -> Option<String> {
    let gone = now - started;
    if share < 0.15 || gone < TimeDelta::seconds(5) {
        return None;
    }
    // Precise enough: a build takes less than 2^52 milliseconds.
    #[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "an estimate in whole minutes")]
    let left = TimeDelta::milliseconds((gone.num_milliseconds() as f64 * (1.0 - share) / share) as i64);
    Some(if left < TimeDelta::minutes(1) {
        "less than a minute left".into()
    } else {
        format!("about {} left", span(left))
    })
}

/// A share (0 to 1) as whole percent: “42 %”.
pub fn percent(share: f64) -> String {
    format!("{} %", whole_percent(share))
}

/// A share (0 to 1) as whole percent.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 100")]
pub fn whole_percent(share: f64) -> u8 {
    (share * 100.0).round().clamp(0.0, 100.0) as u8
}

/// A number with a thousands separator: `12,408`.
pub fn thousands(number: usize) -> String {
    let digits = number.to_string();
    let mut words = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            words.push(',');
        }
        words.push(digit);
    }
    words
}

/// A number with its noun: “1 setting”, “2 settings”.
pub fn count(number: usize, one: &str) -> String {
    if number == 1 { format!("1 {one}") } else { format!("{} {one}s", thousands(number)) }
}

/// Replaces invisible characters and those that change the text direction by their names, so that a text can be judged.
pub fn laid_open(text: &str) -> String {
    text.chars().fold(String::with_capacity(text.len()), |mut open, c| {
        match c {
            '\n' | '\t' => open.push(c),
            _ if is_unseen(c) => open.push_str(&format!("⟨U+{:04X}⟩", u32::from(c))),
            _ => open.push(c),
        }
        open
    })
}

fn is_unseen(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{180e}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}'
            | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e0fff}')
}

/// The version that an app server was built from: the field that its application type declares as the version.
pub fn headline(app_server: &AppServer) -> Option<String> {
    let kind = applications::outline(&app_server.instance.instance_type);
    let text = app_server.configuration.get(kind.headline?)?.as_str()?;
    (!text.is_empty()).then(|| text.to_owned())
}

/// The deployed commit, once it is known: of the application's code, or of the first playbook if the type has no code
/// of its own.
pub fn code_commit(app_server: &AppServer) -> Option<String> {
    match applications::outline(&app_server.instance.instance_type).code_reference {
        Some(name) => app_server.pins.iter().find(|pin| pin.name == name)?.commit.clone(),
        None => app_server.playbooks.first()?.commit.clone(),
    }
}

/// The first seven characters of a commit hash; any other text unchanged.
pub fn short_commit(commit: &str) -> &str {
    let is_hash = matches!(commit.len(), 40 | 64) && commit.bytes().all(|byte| byte.is_ascii_hexdigit());
    commit.get(..7).filter(|_| is_hash).unwrap_or(commit)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    #[test]
    fn greets_by_the_hour() {
        let greetings = [0, 3, 4, 11, 12, 17, 18, 23].map(greeting);
        assert_eq!(greetings[..2], ["Working late, eh?"; 2]);
        assert_eq!(greetings[2..4], ["Good morning!"; 2]);
        assert_eq!(greetings[4..6], ["Good afternoon!"; 2]);
        assert_eq!(greetings[6..], ["Good evening!"; 2]);
    }

    #[test]
    fn says_how_long_ago() {
        let now = at("2026-03-20T12:00:00Z");
        let cases = [
            ("2026-03-20T11:59:30Z", "just now"),
            ("2026-03-20T12:00:09Z", "just now"),
            ("2026-03-20T11:36:00Z", "24 min ago"),
            ("2026-03-20T09:00:00Z", "3 h ago"),
            ("2026-03-19T11:00:00Z", "1 day ago"),
            ("2026-03-01T11:00:00Z", "19 days ago"),
        ];
        for (then, words) in cases {
            assert_eq!(ago(at(then), now), words);
        }
    }

    #[test]
    fn durations_keep_the_second_while_it_matters() {
        let words = [-3, 4, 72, 7500].map(|seconds| duration(TimeDelta::seconds(seconds)));
        assert_eq!(words, ["0 s", "4 s", "1 m 12 s", "2 h 05 m"]);
    }

    #[test]
    fn estimates_only_from_a_share_that_says_something() {
        let (started, now) = (at("2026-03-20T12:00:00Z"), at("2026-03-20T12:10:00Z"));
        assert_eq!(estimate_left(started, now, 0.1), None);
        assert_eq!(estimate_left(started, now, 0.5).as_deref(), Some("about 10 min left"));
        assert_eq!(estimate_left(started, now, 0.99).as_deref(), Some("less than a minute left"));
    }

    #[test]
    fn says_closely_how_long_and_when() {
        let spans = [20, 700, 3600, 12_000, 86_400, 97_200, 200_000].map(|s| span_closely(TimeDelta::seconds(s)));
        let words = ["less than a minute", "11 min", "1 h", "3 h 20 min", "1 day", "1 day 3 h", "2 days 7 h"];
        assert_eq!(spans, words);
        let now = at("2026-03-20T12:00:00Z");
        assert_eq!(clock(at("2026-03-20T15:04:59Z"), now, &Utc), "15:04");
        assert_eq!(clock(at("2026-03-21T00:04:00Z"), now, &Utc), "21 Mar 00:04");
        assert_eq!(clock_in_zone(at("2026-03-20T15:04:59Z"), now, &Utc), "15:04 UTC");
        assert_eq!(exact(at("2026-03-02T05:04:59Z"), &Utc), "2 Mar 2026, 05:04");
        assert_eq!([7200, -12_600, 20_700].map(zone_name), ["UTC+2", "UTC-3:30", "UTC+5:45"]);
        assert_eq!(left(at("2026-03-20T12:02:30Z"), now), "about 2 min left");
        assert_eq!(left(at("2026-03-20T12:00:30Z"), now), "less than a minute left");
        assert_eq!(left(at("2026-03-20T11:59:00Z"), now), "taking longer than usual");
        assert_eq!((reason(" "), reason(" upgrade ")), (None, Some("upgrade".into())));
    }

    #[test]
    fn a_message_becomes_a_sentence() {
        assert_eq!(sentence(" no answer within 2 s ").as_deref(), Some("No answer within 2 s."));
        assert_eq!(sentence("Said.").as_deref(), Some("Said."));
        assert_eq!(sentence("cut off…").as_deref(), Some("Cut off…"));
        assert_eq!((sentence(" "), capital("")), (None, None));
    }

    #[test]
    fn what_cannot_be_seen_is_named() {
        assert_eq!(laid_open("a: b\n\tc: ü"), "a: b\n\tc: ü");
        assert_eq!(laid_open("a\u{202e}b\u{200b}\r\u{0}"), "a⟨U+202E⟩b⟨U+200B⟩⟨U+000D⟩⟨U+0000⟩");
    }

    #[test]
    fn numbers_read_well() {
        assert_eq!([7, 999, 12_408, 1_000_000].map(thousands), ["7", "999", "12,408", "1,000,000"]);
        assert_eq!([count(1, "line"), count(12_408, "line")], ["1 line", "12,408 lines"]);
        assert_eq!([percent(0.624), percent(1.2)], ["62 %", "100 %"]);
        assert_eq!(short_commit("8f2c1d7aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"), "8f2c1d7");
        assert_eq!(short_commit("release/teak.3"), "release/teak.3");
    }
}

//! When a certificate is renewed.

use chrono::{DateTime, TimeDelta, Utc};
use sha2::{Digest as _, Sha256};

use super::authority::Window;

/// The longest and the shortest time until the authority is asked for its window again.
const ASK_AGAIN: (TimeDelta, TimeDelta) = (TimeDelta::minutes(10), TimeDelta::hours(24));

/// Two thirds of the lifetime after its beginning: 30 days before the end of one of 90 days.
pub fn at_two_thirds(not_before: DateTime<Utc>, not_after: DateTime<Utc>) -> DateTime<Utc> {
    not_after - (not_after - not_before) / 3
}

/// A point in the authority's window, random by certificate: the same chain has the same point in the same window, so that
/// asking again does not postpone the renewal.
pub fn within(window: &Window, chain: &str) -> DateTime<Utc> {
    let digest = Sha256::digest(chain.as_bytes());
    let share = digest.iter().take(4).fold(0u64, |share, byte| (share << 8) | u64::from(*byte));
    let length = (window.end - window.start).num_milliseconds().max(0);
    let offset = i128::from(length) * i128::from(share) / (1i128 << 32);
    window.start + TimeDelta::milliseconds(i64::try_from(offset).unwrap_or_default())
}

/// When the authority is asked for its window again, with a limit both ways.
pub fn ask_again(window: &Window, now: DateTime<Utc>) -> DateTime<Utc> {
    let (shortest, longest) = ASK_AGAIN;
    window.ask_again_at.clamp(now + shortest, now + longest)
}

/// The pause after this many failures in a row: one minute, then twice as long each time, twelve hours at most.
pub fn back_off(failures: i32) -> TimeDelta {
    let doublings = u32::try_from(failures.saturating_sub(1)).unwrap_or_default().min(10);
    TimeDelta::minutes(1i64 << doublings).min(TimeDelta::hours(12))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn at(day: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000 + day * 86_400, 0).unwrap()
    }

    #[test]
    fn a_certificate_is_renewed_after_two_thirds_of_its_lifetime() {
        assert_eq!(at_two_thirds(at(0), at(90)), at(60));
        assert_eq!(at_two_thirds(at(0), at(45)), at(30));
        assert_eq!(at_two_thirds(at(0), at(6)), at(4));
    }

    #[test]
    fn the_point_in_the_window_is_fixed_for_a_chain_and_spread_over_chains() {
        let window = Window { start: at(50), end: at(52), ask_again_at: at(0) };
        let points: Vec<_> = (0..200).map(|number| within(&window, &format!("chain {number}"))).collect();
        assert!(points.iter().all(|point| (at(50)..at(52)).contains(point)));
        assert!(points.iter().any(|point| *point < at(51)) && points.iter().any(|point| *point > at(51)));
        assert_eq!(within(&window, "chain 1"), within(&window, "chain 1"));
        let empty = Window { end: at(50), ..window };
        assert_eq!(within(&empty, "chain"), at(50));
        let reversed = Window { end: at(40), ..window };
        assert_eq!(within(&reversed, "chain"), at(50));
    }

    #[test]
    fn the_authority_is_asked_again_between_ten_minutes_and_a_day() {
        let ask = |day| ask_again(&Window { start: at(0), end: at(0), ask_again_at: at(day) }, at(10));
        assert_eq!(ask(0), at(10) + TimeDelta::minutes(10));
        assert_eq!(ask(100), at(11));
    }

    #[test]
    fn pauses_grow_from_a_minute_to_twelve_hours() {
        let pauses = [1, 2, 3, 10, 11, 1000, i32::MAX].map(|failures| back_off(failures).num_minutes());
        assert_eq!(pauses, [1, 2, 4, 512, 720, 720, 720]);
        assert_eq!(back_off(0).num_minutes(), 1);
    }
}

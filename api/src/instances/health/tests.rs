use HealthState::{Degraded, Down, Ok, Unknown};

use super::*;

const PACE: Pace = Pace { interval: Duration::from_secs(30), recheck: Duration::from_secs(5) };

fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000 + seconds, 0).unwrap_or_default()
}

fn answers(lms: bool, studio: bool) -> Found {
    Found::Answers(vec![("lms".into(), lms), ("studio".into(), studio)])
}

/// A health that was ok at second 0.
fn well() -> Health {
    Health::unknown(at(-100)).after(&answers(true, true), at(0), PACE)
}

fn down() -> Health {
    well().after(&answers(false, false), at(30), PACE).after(&answers(false, false), at(35), PACE)
}

#[test]
fn first_good_answers_make_it_ok_since_it_became_active() {
    let health = well();
    assert_eq!((health.state, health.since, health.checked_at), (Ok, at(-100), Some(at(0))));
    assert!(!health.wants_recheck() && health.failing.is_empty());
}

#[test]
fn one_failed_check_is_no_failure_and_wants_a_second() {
    let health = well().after(&answers(false, true), at(30), PACE);
    assert_eq!((health.state, health.failing.len(), health.wants_recheck()), (Ok, 0, true));
    assert!(!health.differs(&well()) && !health.is_same_but_later(&well()));
    assert_eq!(well().after(&answers(true, true), at(30), PACE).checked_at, Some(at(30)));
}

#[test]
fn the_second_failed_check_in_a_row_counts_only_after_the_pause() {
    let once = well().after(&answers(false, true), at(30), PACE);
    let early = once.after(&answers(false, true), at(34), PACE);
    assert_eq!((early.state, early.wants_recheck()), (Ok, true), "a check of another process is no second one");
    let twice = early.after(&answers(false, true), at(35), PACE);
    assert_eq!((twice.state, twice.failing.as_slice(), twice.since), (Down, &["lms".to_owned()][..], at(35)));
    assert_eq!((twice.failing_since, twice.wants_recheck()), (Some(at(35)), false));
}

#[test]
fn a_good_answer_between_two_failed_ones_ends_the_row() {
    let once = well().after(&answers(false, true), at(30), PACE);
    let again = once.after(&answers(true, true), at(35), PACE).after(&answers(false, true), at(60), PACE);
    assert_eq!((again.state, again.wants_recheck()), (Ok, true));
}

#[test]
fn one_good_answer_ends_a_failure() {
    let back = down().after(&answers(true, true), at(65), PACE);
    assert_eq!((back.state, back.since, back.failing_since), (Ok, at(65), None));
    assert!(back.failing.is_empty() && back.suspects.is_empty());
}

#[test]
fn failures_are_counted_per_site() {
    let health = well().after(&answers(true, false), at(30), PACE);
    // The main site fails for the first time when the other one fails for the second.
    let health = health.after(&answers(false, false), at(35), PACE);
    assert_eq!((health.state, health.failing.as_slice()), (Degraded, &["studio".to_owned()][..]));
    assert!(health.wants_recheck());
    let health = health.after(&answers(false, false), at(40), PACE);
    assert_eq!((health.state, health.failing.len(), health.since), (Down, 2, at(40)));
    assert_eq!(health.failing_since, Some(at(35)), "the failure as a whole began with the first site");
}

#[test]
fn only_other_sites_make_it_degraded_and_from_down_to_degraded_is_news() {
    let health = down().after(&answers(true, false), at(65), PACE);
    assert_eq!((health.state, health.failing.as_slice()), (Degraded, &["studio".to_owned()][..]));
    assert_eq!((health.since, health.failing_since), (at(65), Some(at(35))));
    assert!(health.differs(&down()));
}

#[test]
fn another_list_of_failing_sites_is_news_and_keeps_the_time() {
    let one = well().after(&answers(false, true), at(30), PACE).after(&answers(false, true), at(35), PACE);
    let both = one.after(&answers(false, false), at(40), PACE).after(&answers(false, false), at(45), PACE);
    assert!(both.differs(&one));
    assert_eq!((both.state, both.since, both.failing.len()), (Down, at(35), 2));
}

#[test]
fn the_first_answers_after_an_activation_decide_at_once() {
    let forced = Health::unknown(at(0)).after(&answers(false, true), at(1), PACE);
    assert_eq!((forced.state, forced.since), (Down, at(0)));
    let forced = Health::unknown(at(0)).after(&answers(true, false), at(1), PACE);
    assert_eq!(forced.state, Degraded);
}

#[test]
fn a_machine_that_is_gone_is_down_at_once() {
    let gone = well().after(&Found::MachineGone(vec!["lms".into(), "studio".into()]), at(10), PACE);
    assert_eq!((gone.state, gone.failing.len(), gone.since), (Down, 2, at(10)));
    assert!(!gone.wants_recheck());
    // Also when its sites are not known.
    let gone = well().after(&Found::MachineGone(Vec::new()), at(10), PACE);
    assert_eq!((gone.state, gone.failing_since), (Down, Some(at(10))));
}

#[test]
fn what_could_not_be_asked_keeps_its_state_until_it_is_three_intervals_old() {
    for before in [well(), down()] {
        let checked = before.checked_at.unwrap_or_default();
        let kept = before.after(&Found::NotAsked, checked + span(PACE.interval) * 2, PACE);
        assert_eq!(kept, before, "not even the time of the check is new");
        let late = checked + span(PACE.limit());
        let aged = before.after(&Found::NotAsked, late, PACE);
        assert_eq!((aged.state, aged.failing.len(), aged.since), (Unknown, 0, late));
        assert_eq!((aged.failing_since, aged.checked_at), (before.failing_since, before.checked_at));
        let later = aged.after(&Found::NotAsked, late + span(PACE.limit()), PACE);
        assert_eq!(later, aged, "unknown does not age");
    }
}

#[test]
fn after_unknown_a_good_answer_is_ok_and_a_failure_that_goes_on_counts_at_once() {
    let aged = |before: Health| before.after(&Found::NotAsked, at(500), PACE);
    assert_eq!(aged(well()).after(&answers(true, true), at(510), PACE).state, Ok);
    let back = aged(down()).after(&answers(false, true), at(510), PACE);
    assert_eq!((back.state, back.since, back.failing_since), (Down, at(510), Some(at(35))));
    // A site that was well before needs two failed checks, as always.
    let once = aged(well()).after(&answers(false, true), at(510), PACE);
    assert_eq!((once.state, once.wants_recheck()), (Unknown, true));
    assert_eq!(once.after(&answers(false, true), at(515), PACE).state, Down);
}

#[test]
fn a_site_that_is_not_checked_any_more_fails_no_more() {
    let health = down().after(&Found::Answers(vec![("lms".into(), true)]), at(65), PACE);
    assert_eq!((health.state, health.suspects.len()), (Ok, 0));
}

//! Renewals: by the authority's window, at two thirds of the lifetime, and on request.

use chrono::{TimeDelta, Utc};
use ocim::certificates::Pace;
use ocim::certificates::authority::{AuthorityError, Window};
use ocim::certificates::store::work;

use super::{Faked, NO_PAUSE, World, is_near};

fn window(from: TimeDelta, to: TimeDelta) -> Window {
    let now = Utc::now();
    Window { start: now + from, end: now + to, ask_again_at: now + TimeDelta::hours(6) }
}

#[tokio::test]
async fn the_authoritys_window_decides_and_is_asked_for_again() {
    let faked = Faked::new().await;
    let suggested = window(TimeDelta::days(20), TimeDelta::days(22));
    faked.authority.suggest(Some(suggested));
    let id = faked.world.instance(&["a.example.org"]).await;
    faked.sweep().await;
    let row = faked.world.valid(id).await;
    assert!((suggested.start..=suggested.end).contains(&row.renew_at.unwrap()), "{row:?}");
    assert!(is_near(row.next_attempt_at, suggested.ask_again_at), "{row:?}");
    faked.world.pass_pauses().await;
    faked.sweep().await;
    assert_eq!(faked.world.valid(id).await.renew_at, row.renew_at, "asking again postpones nothing");
    // The authority wants the certificate replaced now, as it does before it revokes.
    faked.world.pass_pauses().await;
    let revision = row.revision;
    faked.authority.suggest(Some(window(TimeDelta::days(-2), TimeDelta::days(-1))));
    let certifier = faked.world.certifier(faked.authority.clone(), faked.challenges.clone(), Pace::default());
    certifier.sweep().await.unwrap();
    let row = faked.world.certificate(id).await;
    assert!(is_near(row.renew_at.unwrap(), row.modified + TimeDelta::hours(6)), "{row:?}");
    assert_eq!(row.revision, revision, "a certificate is used for some hours at least");
    faked.world.end();
}

#[tokio::test]
async fn a_certificate_past_two_thirds_of_its_lifetime_is_renewed() {
    let faked = Faked::new().await;
    let id = faked.world.instance(&["a.example.org"]).await;
    faked.sweep().await;
    let before = faked.world.valid(id).await;
    assert!(is_near(before.next_attempt_at, Utc::now() + TimeDelta::days(1)), "{before:?}");
    faked.world.execute("UPDATE certificates SET renew_at = now() + interval '1 hour'").await;
    faked.world.pass_pauses().await;
    faked.sweep().await;
    assert_eq!(faked.world.valid(id).await.revision, 1, "not yet");
    faked.world.execute("UPDATE certificates SET renew_at = now() - interval '1 second'").await;
    faked.world.pass_pauses().await;
    faked.sweep().await;
    let after = faked.world.valid(id).await;
    assert!(after.revision == 2 && after.chain != before.chain);
    let delivery = faked.world.delivery(&[(&before, 1)]).await;
    ocim::certificates::pem::check_key(&delivery.changed[0].chain, &delivery.changed[0].key).unwrap();
    assert_eq!(faked.world.number("SELECT count(*) AS n FROM secrets WHERE certificate_id IS NOT NULL").await, 1);
    faked.world.end();
}

#[tokio::test]
async fn without_an_answer_the_time_at_two_thirds_stands() {
    let faked = Faked::at(World::new().await, super::DIRECTORY, 6, NO_PAUSE);
    let id = faked.world.instance(&["a.example.org"]).await;
    faked.sweep().await;
    let row = faked.world.valid(id).await;
    assert!(is_near(row.renew_at.unwrap(), Utc::now() + TimeDelta::days(4)), "{row:?}");
    faked.authority.fail_next(AuthorityError::Away { words: "away".into(), retry_at: None });
    faked.world.pass_pauses().await;
    faked.sweep().await;
    let after = faked.world.valid(id).await;
    assert_eq!((after.renew_at, after.attempts), (row.renew_at, 0), "that is no failure of the certificate");
    assert!(is_near(after.next_attempt_at, Utc::now() + TimeDelta::hours(1)), "{after:?}");
    faked.world.end();
}

#[tokio::test]
async fn a_renewal_on_request_is_ordered_at_once_and_ends_the_pause_after_failures() {
    let faked = Faked::new().await;
    let id = faked.world.instance(&["a.example.org"]).await;
    faked.authority.refuse("a.example.org", Some("nothing answers"));
    faked.sweep().await;
    faked.authority.refuse("a.example.org", None);
    faked.sweep().await;
    assert_eq!(faked.world.certificate(id).await.revision, 0, "the pause is not over");
    let renew = async || work::renew_now(&mut faked.world.db.conn().await.unwrap(), id).await.unwrap();
    assert!(renew().await);
    faked.sweep().await;
    assert_eq!(faked.world.valid(id).await.revision, 1);
    assert!(renew().await);
    faked.sweep().await;
    assert_eq!(faked.world.valid(id).await.revision, 2);
    faked.world.end();
}

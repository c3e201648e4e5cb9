//! Orders: names, keys, failures, delivery to gateways.

use chrono::{TimeDelta, Utc};
use ocim::certificates::Pace;
use ocim::certificates::authority::AuthorityError;
use ocim::certificates::pem;
use secrecy::ExposeSecret;
use shared_types::CertificateState;

use super::{Faked, NO_PAUSE, World, is_near};

#[tokio::test]
async fn one_certificate_has_all_names_of_an_instance_and_goes_out_with_its_key() {
    let faked = Faked::new().await;
    let id = faked.world.instance(&["b.example.org", "a.example.org"]).await;
    faked.sweep().await;
    let row = faked.world.valid(id).await;
    assert_eq!(row.names, ["a.example.org", "b.example.org"]);
    let (begin, end) = (row.not_before.unwrap(), row.not_after.unwrap());
    assert_eq!((end - begin).num_days(), 90);
    assert!(is_near(row.renew_at.unwrap(), begin + TimeDelta::days(60)), "{row:?}");
    let delivery = faked.world.delivery(&[]).await;
    assert_eq!(delivery.all, [(row.id, 1)].into());
    let [served] = delivery.changed.as_slice() else { panic!("{delivery:?}") };
    assert_eq!(pem::read(&served.chain).unwrap().names, row.names);
    pem::check_key(&served.chain, &served.key).unwrap();
    assert!(!format!("{delivery:?}").contains(served.key.expose_secret()), "the key is shown");
    assert!(faked.world.delivery(&[(&row, 1)]).await.changed.is_empty(), "the gateway has it");
    assert!(faked.challenges.published().is_empty(), "answers are left");
    let key = served.key.expose_secret();
    assert_eq!(faked.world.number("SELECT count(*) AS n FROM secrets WHERE acme_order_id IS NOT NULL").await, 0);
    let dump = format!("SELECT count(*) AS n FROM certificates AS c WHERE c::text LIKE '%{}%'", &key[30..60]);
    assert_eq!(faked.world.number(&dump).await, 0, "the key is in clear in the database");
    faked.world.end();
}

#[tokio::test]
async fn only_public_names_of_https_instances_want_certificates() {
    let faked = Faked::new().await;
    faked.world.instance_with("http", &["plain.example.org"]).await;
    faked.world.instance(&["demo.localhost"]).await;
    let archived = faked.world.instance(&["old.example.org"]).await;
    faked
        .world
        .execute(&format!("UPDATE instances SET archived_at = now(), archived_by = 'test' WHERE id = {archived}"))
        .await;
    let mixed = faked.world.instance(&["mixed.example.org", "mixed.localhost"]).await;
    faked.sweep().await;
    assert_eq!(faked.world.number("SELECT count(*) AS n FROM certificates").await, 1);
    assert_eq!(faked.world.valid(mixed).await.names, ["mixed.example.org"]);
    faked.world.end();
}

#[tokio::test]
async fn names_that_recur_find_their_certificate_without_an_order() {
    let faked = Faked::new().await;
    let first = faked.world.instance(&["pr-17.example.org"]).await;
    faked.sweep().await;
    let before = faked.world.valid(first).await;
    faked.world.archive(first).await;
    faked.sweep().await;
    assert!(faked.world.delivery(&[]).await.all.is_empty(), "no instance has its names");
    let second = faked.world.instance(&["pr-17.example.org"]).await;
    faked.sweep().await;
    let after = faked.world.valid(second).await;
    assert_eq!((after.id, after.chain), (before.id, before.chain));
    assert_eq!(faked.count("order"), 1);
    assert_eq!(faked.world.delivery(&[]).await.changed.len(), 1);
    faked.world.end();
}

#[tokio::test]
async fn a_certificate_is_served_until_the_one_with_the_new_names_is_there() {
    let faked = Faked::new().await;
    let id = faked.world.instance(&["a.example.org"]).await;
    faked.sweep().await;
    let old = faked.world.valid(id).await;
    faked.world.name(id, "https", &["a.example.org", "new.example.net"]).await;
    faked.authority.refuse("new.example.net", Some("no such name"));
    faked.sweep().await;
    let new = faked.world.certificate(id).await;
    assert_eq!(new.state, CertificateState::Failing);
    assert!(new.id != old.id && faked.world.delivery(&[]).await.all.contains_key(&old.id));
    faked.authority.refuse("new.example.net", None);
    faked.world.pass_pauses().await;
    faked.sweep().await;
    let new = faked.world.valid(id).await;
    assert_eq!(faked.world.delivery(&[]).await.all.into_keys().collect::<Vec<_>>(), [old.id, new.id]);
    faked.world.end();
}

#[tokio::test]
async fn a_name_that_is_refused_is_named_with_the_reason_and_tried_again_later() {
    let faked = Faked::new().await;
    let id = faked.world.instance(&["good.example.org", "bad.example.org"]).await;
    faked.authority.refuse("bad.example.org", Some("a CAA record forbids this authority to issue"));
    for failures in 1..=3 {
        faked.sweep().await;
        let row = faked.world.certificate(id).await;
        assert_eq!((row.state, row.attempts), (CertificateState::Failing, failures));
        let words = row.last_error.as_deref();
        assert_eq!(words, Some("bad.example.org: a CAA record forbids this authority to issue"));
        assert!(is_near(row.next_attempt_at, Utc::now() + TimeDelta::minutes(1 << (failures - 1))), "{row:?}");
        faked.world.pass_pauses().await;
    }
    assert!(faked.challenges.published().is_empty(), "answers are left");
    let since = faked.world.certificate(id).await.failing_since.unwrap();
    faked.authority.refuse("bad.example.org", None);
    faked.sweep().await;
    let row = faked.world.valid(id).await;
    assert_eq!((row.attempts, row.failing_since), (0, None));
    assert!(since < row.modified);
    faked.world.end();
}

#[tokio::test]
async fn what_the_authority_says_about_the_next_request_is_kept() {
    let faked = Faked::new().await;
    let id = faked.world.instance(&["a.example.org"]).await;
    let retry_at = Utc::now() + TimeDelta::hours(2);
    let limited = AuthorityError::Limited { words: "too many orders".into(), retry_at: Some(retry_at) };
    faked.authority.fail_next(limited);
    faked.sweep().await;
    let row = faked.world.certificate(id).await;
    assert_eq!((row.state, row.last_error.as_deref()), (CertificateState::Failing, Some("too many orders")));
    assert!(is_near(row.next_attempt_at, retry_at), "{row:?}");
    faked.sweep().await;
    assert_eq!(faked.authority.asked().len(), 1, "nothing is asked meanwhile");
    faked.world.end();
}

#[tokio::test]
async fn the_authority_is_told_only_when_every_gateway_has_the_answers() {
    let faked = Faked::new().await;
    let id = faked.world.instance(&["a.example.org"]).await;
    faked.challenges.be_behind(3);
    faked.sweep().await;
    faked.world.valid(id).await;
    assert_eq!((faked.count("answered"), faked.count("order")), (1, 1));
    let slow = Faked::at(World::new().await, super::DIRECTORY, 90, Pace { poll: TimeDelta::minutes(1), ..NO_PAUSE });
    let id = slow.world.instance(&["a.example.org"]).await;
    slow.challenges.be_behind(1);
    slow.sweep().await;
    let row = slow.world.certificate(id).await;
    assert_eq!((row.state, row.last_error.as_deref()), (CertificateState::Ordering, Some("gateway gw1 is behind")));
    assert_eq!(slow.count("answered"), 0);
    slow.world.end();
    faked.world.end();
}

#[tokio::test]
async fn an_order_that_does_not_end_is_given_up_and_says_what_it_waited_for() {
    let faked = Faked::new().await;
    let pace = Pace { poll: TimeDelta::minutes(1), ..NO_PAUSE };
    let slow = Faked::at(faked.world, super::DIRECTORY, 90, pace);
    let id = slow.world.instance(&["a.example.org"]).await;
    slow.challenges.be_behind(1000);
    slow.sweep().await;
    slow.world.execute("UPDATE acme_orders SET created = now() - interval '2 hours'").await;
    slow.world.pass_pauses().await;
    slow.sweep().await;
    let row = slow.world.certificate(id).await;
    let words = row.last_error.as_deref();
    assert_eq!(words, Some("the order did not end within 60 minutes: gateway gw1 is behind"));
    assert_eq!(slow.world.number("SELECT count(*) AS n FROM acme_orders WHERE state = 'open'").await, 0);
    slow.challenges.be_behind(0);
    for _ in 0..4 {
        slow.world.pass_pauses().await;
        slow.sweep().await;
    }
    slow.world.valid(id).await;
    slow.world.end();
}

#[tokio::test]
async fn another_authority_in_the_settings_issues_all_certificates_anew() {
    let staging = Faked::new().await;
    let id = staging.world.instance(&["a.example.org"]).await;
    staging.sweep().await;
    let old = staging.world.valid(id).await;
    let production = Faked::at(staging.world, "https://ca.example/production", 90, NO_PAUSE);
    production.sweep().await;
    let new = production.world.valid(id).await;
    assert_eq!(new.origin.as_deref(), Some("https://ca.example/production"));
    assert!(new.id == old.id && new.chain != old.chain && new.revision == 2);
    assert_eq!(production.world.delivery(&[(&old, 1)]).await.changed.len(), 1);
    assert_eq!(production.world.number("SELECT count(*) AS n FROM acme_accounts").await, 2);
    production.sweep().await;
    assert_eq!(production.count("order"), 1);
    production.world.end();
}

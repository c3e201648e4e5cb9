//! The limits of the authority: nothing is asked that it would refuse, and the words say until when.

use chrono::{TimeDelta, Utc};
use shared_types::CertificateState;

use super::Faked;

/// Orders that another instance's names have made, so many minutes ago.
async fn issued(faked: &Faked, count: usize, domain: &str, is_renewal: bool, minutes_ago: i64) {
    let statement = format!(
        "INSERT INTO acme_orders (account_id, names, domains, is_renewal, url, state, created, ended) \
         SELECT id, ARRAY['n' || number || '.{domain}'], ARRAY['{domain}'], {is_renewal}, 'u', 'issued', \
             now() - interval '{minutes_ago} minutes', now() - interval '{minutes_ago} minutes' \
         FROM acme_accounts, generate_series(1, {count}) AS number"
    );
    faked.world.execute(&statement).await;
}

/// A world whose account exists.
async fn with_account() -> Faked {
    let faked = Faked::new().await;
    let first = faked.world.instance(&["first.example.com"]).await;
    faked.sweep().await;
    faked.world.valid(first).await;
    faked
}

#[tokio::test]
async fn the_fifty_first_certificate_of_a_domain_waits_and_says_until_when() {
    let faked = with_account().await;
    issued(&faked, 49, "example.org", false, 60).await;
    issued(&faked, 20, "example.org", true, 60).await;
    let (one, two) = (faked.world.instance(&["a.example.org"]).await, faked.world.instance(&["b.example.org"]).await);
    let other = faked.world.instance(&["b.example.net"]).await;
    faked.sweep().await;
    faked.world.valid(other).await;
    let (one, two) = (faked.world.certificate(one).await, faked.world.certificate(two).await);
    let mut both = [one, two];
    both.sort_by_key(|row| row.state);
    let [waiting, valid] = &both;
    assert_eq!((waiting.state, valid.state), (CertificateState::Wanted, CertificateState::Valid));
    let words = waiting.last_error.as_deref().unwrap();
    assert!(
        words.starts_with("waiting until ") && words.contains(" UTC: 50 of 50 certificates for example.org"),
        "{words}"
    );
    let until = Utc::now() + TimeDelta::days(7) - TimeDelta::minutes(59);
    assert!((waiting.next_attempt_at - until).abs() < TimeDelta::minutes(1), "{waiting:?}");
    assert_eq!((waiting.attempts, waiting.failing_since), (0, None), "a wait is no failure");
    faked.world.execute("UPDATE acme_orders SET created = created - interval '7 days' WHERE url = 'u'").await;
    faked.world.pass_pauses().await;
    faked.sweep().await;
    assert_eq!(faked.world.number("SELECT count(*) AS n FROM certificates WHERE state = 'valid'").await, 4);
    faked.world.end();
}

#[tokio::test]
async fn a_renewal_does_not_wait_for_the_limit_of_its_domain() {
    let faked = with_account().await;
    let id = faked.world.instance(&["a.example.org"]).await;
    faked.sweep().await;
    let before = faked.world.valid(id).await;
    issued(&faked, 60, "example.org", false, 60).await;
    faked.world.execute("UPDATE certificates SET renew_at = now()").await;
    faked.world.pass_pauses().await;
    faked.sweep().await;
    assert_ne!(faked.world.valid(id).await.chain, before.chain);
    faked.world.end();
}

#[tokio::test]
async fn orders_of_the_account_within_three_hours_are_limited() {
    let faked = with_account().await;
    issued(&faked, 300, "example.net", true, 170).await;
    let id = faked.world.instance(&["a.example.org"]).await;
    faked.sweep().await;
    let words = faked.world.certificate(id).await.last_error.unwrap();
    assert!(words.ends_with(": 300 of 300 orders within 3 hours"), "{words}");
    faked.world.end();
}

#[tokio::test]
async fn five_certificates_with_the_same_names_are_enough_for_a_week() {
    let faked = with_account().await;
    let id = faked.world.instance(&["a.example.org"]).await;
    faked.sweep().await;
    for _ in 0..5 {
        faked.world.execute("UPDATE certificates SET renew_at = now() WHERE names = ARRAY['a.example.org']").await;
        faked.world.pass_pauses().await;
        faked.sweep().await;
    }
    let row = faked.world.certificate(id).await;
    assert_eq!((row.state, row.revision), (CertificateState::Valid, 5));
    let words = row.last_error.unwrap();
    assert!(words.ends_with(": 5 of 5 certificates with the same names this week"), "{words}");
    faked.world.end();
}

#[tokio::test]
async fn a_name_is_not_validated_a_sixth_time_within_an_hour() {
    let faked = with_account().await;
    let id = faked.world.instance(&["bad.example.org"]).await;
    faked.authority.refuse("bad.example.org", Some("nothing answers"));
    for _ in 0..7 {
        faked.world.pass_pauses().await;
        faked.sweep().await;
    }
    assert_eq!(faked.world.number("SELECT count(*) AS n FROM acme_failures").await, 5);
    let row = faked.world.certificate(id).await;
    let words = row.last_error.as_deref().unwrap();
    assert!(words.ends_with(": 5 of 5 failed validations of bad.example.org within an hour"), "{words}");
    assert_eq!((row.state, row.attempts), (CertificateState::Failing, 5));
    faked.world.end();
}

#[tokio::test]
async fn an_instance_with_too_many_names_says_how_many_are_possible() {
    let faked = Faked::new().await;
    let names: Vec<_> = (0..101)
        .map(|number| format!("a-long-label-of-a-site-{number}.department-of-long-names.example.org"))
        .collect();
    let id = faked.world.instance(&names.iter().map(String::as_str).collect::<Vec<_>>()).await;
    faked.sweep().await;
    let words = faked.world.certificate(id).await.last_error.unwrap();
    assert!(words.contains("101 host names") && words.contains("at most 100"), "{words}");
    assert!(faked.authority.asked().is_empty());
    faked.world.end();
}

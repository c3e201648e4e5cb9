//! Workers that end in the middle, two workers at once, and an authority that forgets.

use ocim::certificates::authority::AuthorityError;
use ocim::certificates::fake::Moment;
use shared_types::CertificateState;

use super::{Faked, NO_PAUSE};

#[tokio::test]
async fn a_worker_that_ends_at_any_request_leaves_an_order_that_others_continue_or_replace() {
    for request in ["register", "order", "look", "answered", "finalize", "certificate", "window"] {
        for moment in [Moment::Before, Moment::After] {
            let faked = Faked::new().await;
            let id = faked.world.instance(&["a.example.org", "b.example.org"]).await;
            faked.authority.halt_at(request, moment);
            faked.until_halted().await;
            faked.sweep().await;
            let orders = faked.count("order");
            faked.world.pass_claims().await;
            faked.sweep().await;
            let row = faked.world.valid(id).await;
            assert_eq!(row.revision, 1, "{request} {moment:?}");
            let repeated = usize::from(request == "order");
            let lost = usize::from(moment == Moment::After) * repeated;
            assert_eq!(faked.count("order"), 1 + lost, "{request} {moment:?}: {orders}");
            assert_eq!(faked.world.delivery(&[]).await.changed.len(), 1);
            assert_eq!(faked.world.number("SELECT count(*) AS n FROM acme_orders WHERE state = 'open'").await, 0);
            assert_eq!(faked.world.number("SELECT count(*) AS n FROM secrets WHERE certificate_id IS NULL").await, 1);
            faked.world.end();
        }
    }
}

#[tokio::test]
async fn two_workers_order_each_certificate_once() {
    let faked = Faked::new().await;
    let mut ids = Vec::new();
    for number in 0..12 {
        ids.push(faked.world.instance(&[&format!("n{number}.example.org")]).await);
    }
    let other = faked.world.certifier(faked.authority.clone(), faked.challenges.clone(), NO_PAUSE);
    // The rows are there when both begin.
    faked.want().await;
    let (one, two) = tokio::join!(faked.certifier.sweep(), other.sweep());
    one.unwrap();
    two.unwrap();
    for id in ids {
        assert_eq!(faked.world.valid(id).await.revision, 1);
    }
    assert_eq!(faked.count("order"), 12);
    assert_eq!(faked.world.number("SELECT count(*) AS n FROM acme_accounts").await, 1);
    faked.world.end();
}

#[tokio::test]
async fn a_worker_whose_claim_was_taken_over_writes_nothing() {
    let faked = Faked::new().await;
    let id = faked.world.instance(&["a.example.org"]).await;
    faked.authority.halt_at("register", Moment::Before);
    faked.until_halted().await;
    faked.world.pass_claims().await;
    let late = faked.certifier.claim().await.unwrap().unwrap();
    faked.world.pass_claims().await;
    faked.sweep().await;
    let row = faked.world.valid(id).await;
    faked.authority.fail_next(AuthorityError::Refused("too late".into()));
    faked.certifier.advance(&late).await.unwrap();
    assert_eq!(faked.world.valid(id).await.claim, row.claim);
    faked.world.end();
}

#[tokio::test]
async fn an_order_that_the_authority_forgot_is_replaced() {
    let faked = Faked::new().await;
    let id = faked.world.instance(&["a.example.org"]).await;
    faked.authority.halt_at("answered", Moment::Before);
    faked.until_halted().await;
    faked.authority.forget_orders();
    faked.world.pass_claims().await;
    faked.sweep().await;
    assert_eq!(faked.world.certificate(id).await.state, CertificateState::Failing);
    faked.world.pass_pauses().await;
    faked.sweep().await;
    faked.world.valid(id).await;
    assert_eq!(faked.count("order"), 2);
    faked.world.end();
}

#[tokio::test]
async fn an_account_that_the_authority_does_not_know_is_made_anew() {
    let faked = Faked::new().await;
    let first = faked.world.instance(&["a.example.org"]).await;
    faked.sweep().await;
    faked.world.valid(first).await;
    let second = faked.world.instance(&["b.example.org"]).await;
    faked.authority.fail_next(AuthorityError::NoAccount("there is no such account".into()));
    faked.sweep().await;
    assert_eq!(faked.world.certificate(second).await.state, CertificateState::Failing);
    faked.world.pass_pauses().await;
    faked.sweep().await;
    faked.world.valid(second).await;
    assert_eq!(faked.authority.accounts(), 2);
    faked.world.end();
}

#[tokio::test]
async fn an_authority_that_is_away_keeps_the_order_and_the_certificate_that_is_served() {
    let faked = Faked::new().await;
    let id = faked.world.instance(&["a.example.org"]).await;
    faked.sweep().await;
    let before = faked.world.valid(id).await;
    faked.world.execute("UPDATE certificates SET renew_at = now()").await;
    faked.world.pass_pauses().await;
    faked.authority.halt_at("finalize", Moment::Before);
    faked.until_halted().await;
    faked.world.pass_claims().await;
    faked.authority.fail_next(AuthorityError::Away { words: "it does not answer".into(), retry_at: None });
    faked.sweep().await;
    let row = faked.world.certificate(id).await;
    assert_eq!((row.state, row.chain), (CertificateState::Failing, before.chain.clone()));
    assert_eq!(faked.world.delivery(&[]).await.all, [(row.id, 1)].into());
    faked.world.pass_pauses().await;
    faked.sweep().await;
    assert_ne!(faked.world.valid(id).await.chain, before.chain);
    assert_eq!(faked.count("order"), 2, "the order was continued");
    faked.world.end();
}

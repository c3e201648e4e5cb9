//! Certificates from Pebble, a real server of ACME, on loopback. `make test-certificates`.

mod gateways;
mod pebble;

use std::sync::Arc;
use std::time::Duration;

use chrono::{TimeDelta, Utc};
use ocim::certificates::advance::{Answers, Parts};
use ocim::certificates::limits::Limits;
use ocim::certificates::store::wanted;
use ocim::certificates::{Certifier, Pace, pem};
use serde_json::json;
use shared_types::{CertificateState, InstanceId};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use self::pebble::{Gateway, Mood, Pebble, is_installed};
use crate::app::until_within;
use crate::flows::certificates::{NO_PAUSE, World};

const CALM: Mood = Mood { bad_nonces: 0, slow_seconds: 0 };
/// How long an order may take with a slow server.
const PATIENCE: Duration = Duration::from_secs(90);
const PACE: Pace = Pace { poll: TimeDelta::milliseconds(200), ..NO_PAUSE };

/// Does steps until the certificate of an instance is in this state.
async fn until_state(world: &World, certifier: &Certifier, id: InstanceId, state: CertificateState) {
    let mut said = None;
    until_within(PATIENCE, state.as_str(), async || {
        certifier.sweep().await.unwrap();
        let row = world.certificate(id).await;
        if said != row.last_error {
            println!("{}: {:?}", row.state.as_str(), row.last_error);
            said = row.last_error;
        }
        row.state == state
    })
    .await;
}

#[tokio::test]
#[ignore = "make test-certificates"]
async fn half_of_all_nonces_refused_and_slow_validation_only_delay_a_certificate() {
    if !is_installed() {
        return;
    }
    let world = World::new().await;
    let pebble = Pebble::start(Mood { bad_nonces: 50, slow_seconds: 3 }).await;
    let gateway = Gateway::start(pebble.http_port).await;
    let certifier = world.certifier(pebble.authority(None), Arc::new(gateway.clone()), PACE);
    let id = world.instance(&["a.example.test", "b.example.test", "c.other.test"]).await;
    until_state(&world, &certifier, id, CertificateState::Valid).await;
    let delivery = world.delivery(&[]).await;
    let served = &delivery.changed[0];
    assert_eq!(pem::read(&served.chain).unwrap().names, ["a.example.test", "b.example.test", "c.other.test"]);
    pem::check_key(&served.chain, &served.key).unwrap();
    assert!(served.chain.matches("BEGIN CERTIFICATE").count() >= 2, "the intermediate is missing");
    assert_eq!(gateway.count(), 0, "answers are left");
    world.end();
}

#[tokio::test]
#[ignore = "make test-certificates"]
async fn a_name_that_leads_nowhere_fails_with_its_reason_and_succeeds_once_it_leads_here() {
    if !is_installed() {
        return;
    }
    let world = World::new().await;
    let pebble = Pebble::start(CALM).await;
    let gateway = Gateway::start(pebble.http_port).await;
    let certifier = world.certifier(pebble.authority(None), Arc::new(gateway.clone()), PACE);
    pebble.tell("add-a", json!({ "host": "bad.example.test.", "addresses": ["127.0.0.9"] })).await;
    let id = world.instance(&["bad.example.test", "good.example.test"]).await;
    until_state(&world, &certifier, id, CertificateState::Failing).await;
    let row = world.certificate(id).await;
    let words = row.last_error.unwrap();
    assert!(words.starts_with("bad.example.test: the authority could not connect to the name ("), "{words}");
    assert!(!words.contains("good.example.test"), "{words}");
    assert_eq!(world.number("SELECT count(*) AS n FROM acme_failures").await, 1);
    assert_eq!(gateway.count(), 0, "answers are left");
    pebble.tell("clear-a", json!({ "host": "bad.example.test." })).await;
    world.pass_pauses().await;
    until_state(&world, &certifier, id, CertificateState::Valid).await;
    assert_eq!(world.number("SELECT count(*) AS n FROM acme_accounts").await, 1);
    world.end();
}

#[tokio::test]
#[ignore = "make test-certificates"]
async fn a_wrong_answer_is_told_apart_from_no_answer() {
    if !is_installed() {
        return;
    }
    let world = World::new().await;
    let pebble = Pebble::start(CALM).await;
    let _other = Gateway::start(pebble.http_port).await;
    let nowhere = Gateway::default();
    let certifier = world.certifier(pebble.authority(None), Arc::new(nowhere), PACE);
    let id = world.instance(&["a.example.test"]).await;
    until_state(&world, &certifier, id, CertificateState::Failing).await;
    let words = world.certificate(id).await.last_error.unwrap();
    assert!(words.contains("the authority got another answer than the gateways give"), "{words}");
    world.end();
}

#[tokio::test]
#[ignore = "make test-certificates"]
async fn a_worker_that_ends_between_steps_leaves_an_order_that_another_process_continues() {
    if !is_installed() {
        return;
    }
    let world = World::new().await;
    let pebble = Pebble::start(CALM).await;
    let gateway = Gateway::start(pebble.http_port).await;
    let id = world.instance(&["a.example.test"]).await;
    let mut steps = 0;
    // Each step by another process: a client without memory.
    until_within(PATIENCE, "the certificate is valid", async || {
        let certifier = world.certifier(pebble.authority(None), Arc::new(gateway.clone()), PACE);
        if steps == 0 {
            wanted::sync(&mut world.db.conn().await.unwrap(), certifier.authority.directory()).await.unwrap();
        } else if let Some(row) = certifier.claim().await.unwrap() {
            certifier.advance(&row).await.unwrap();
        }
        steps += 1;
        world.certificate(id).await.state == CertificateState::Valid
    })
    .await;
    assert_eq!(world.number("SELECT count(*) AS n FROM acme_accounts").await, 1);
    assert_eq!(world.number("SELECT count(*) AS n FROM acme_orders").await, 1);
    world.end();
}

#[tokio::test]
#[ignore = "make test-certificates"]
async fn names_are_validated_by_the_dns_and_the_record_is_removed() {
    if !is_installed() {
        return;
    }
    let world = World::new().await;
    let pebble = Pebble::start(CALM).await;
    let (db, keyring) = (world.db.clone(), crate::app::settings::keyring());
    let (authority, answers) = (pebble.authority(None), Answers::Dns(pebble.dns()));
    let certifier = Certifier::new(Parts { db, keyring, authority, answers, limits: Limits::UNKNOWN, pace: PACE });
    let id = world.instance(&["a.example.test", "b.example.test"]).await;
    until_state(&world, &certifier, id, CertificateState::Valid).await;
    world.end();
}

#[tokio::test]
#[ignore = "make test-certificates"]
async fn a_certificate_is_renewed_in_the_window_of_its_authority() {
    if !is_installed() {
        return;
    }
    let world = World::new().await;
    let pebble = Pebble::start(CALM).await;
    let gateway = Gateway::start(pebble.http_port).await;
    let front = front(pebble.read_directory().await.unwrap()).await;
    let certifier = world.certifier(pebble.authority(Some(front)), Arc::new(gateway.clone()), PACE);
    let id = world.instance(&["a.example.test"]).await;
    until_state(&world, &certifier, id, CertificateState::Valid).await;
    until_within(PATIENCE, "the window is asked for", async || {
        certifier.sweep().await.unwrap();
        world.certificate(id).await.renewal_checked_at.is_some()
    })
    .await;
    let row = world.certificate(id).await;
    let days = (row.renew_at.unwrap() - Utc::now()).num_hours() as f64 / 24.0;
    assert!((19.9..=21.1).contains(&days), "{days} days until {row:?}");
    world.execute("UPDATE certificates SET renew_at = now(), next_attempt_at = now()").await;
    until_within(PATIENCE, "the next one is issued", async || {
        certifier.sweep().await.unwrap();
        let row = world.certificate(id).await;
        row.revision == 2 && row.state == CertificateState::Valid
    })
    .await;
    assert_ne!(world.certificate(id).await.chain, row.chain);
    world.end();
}

/// A server of Pebble's directory with the extension that Pebble lacks: it suggests to renew every certificate in twenty days.
/// Returns the directory's URL.
async fn front(mut directory: serde_json::Value) -> String {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    directory["renewalInfo"] = json!(format!("{base}/renewal-info"));
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut head = vec![0; 4096];
            let read = stream.read(&mut head).await.unwrap_or_default();
            let head = String::from_utf8_lossy(&head[..read]).into_owned();
            let now = Utc::now();
            let body = match head.starts_with("GET /renewal-info/") {
                true => json!({ "suggestedWindow": {
                    "start": (now + TimeDelta::days(20)).to_rfc3339(), "end": (now + TimeDelta::days(21)).to_rfc3339(),
                }}),
                false => directory.clone(),
            }
            .to_string();
            let answer = format!(
                "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nretry-after: 21600\r\ncontent-length: {}\r\n\
                 connection: close\r\n\r\n{body}",
                body.len()
            );
            stream.write_all(answer.as_bytes()).await.unwrap_or_default();
        }
    });
    format!("{base}/dir")
}

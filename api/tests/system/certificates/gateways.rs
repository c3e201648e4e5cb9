//! The whole way: two gateways with agents answer Pebble and serve what it issues, and what it renews.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use ocim::instances::traffic::authority_answers::GatewayAnswers;
use ocim::routing::providers::agents::Agents;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use serde_json::json;
use shared_types::{CertificateState, InstanceId};

use super::pebble::{Pebble, is_installed};
use super::{CALM, PACE, until_state};
use crate::app::{Database, Setup, TestApp, http, ports, until};
use crate::flows::certificates::World;
use crate::system::gateways::{Host, until_ready};

const NAMES: [&str; 3] = ["a.example.test", "b.example.test", "c.other.test"];

/// The certificate that a gateway serves for a name, in DER; none: it has none.
async fn served(tls: SocketAddr, name: &str) -> Option<Vec<u8>> {
    let client = http().tls_danger_accept_invalid_certs(true).tls_info(true).timeout(Duration::from_secs(5));
    let client = client.resolve(name, tls).build().unwrap();
    let answer = client.get(format!("https://{name}:{}/", tls.port())).send().await.ok()?;
    let info = answer.extensions().get::<reqwest::tls::TlsInfo>()?;
    info.peer_certificate().map(<[u8]>::to_vec)
}

async fn until_both_serve(world: &World, id: InstanceId, hosts: [&Host; 2]) {
    let row = world.certificate(id).await;
    let wanted = CertificateDer::from_pem_slice(row.chain.as_deref().unwrap().as_bytes()).unwrap().to_vec();
    for host in hosts {
        for name in NAMES {
            until("the gateway serves it", async || served(host.tls.unwrap(), name).await.as_ref() == Some(&wanted))
                .await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "make test-certificates"]
async fn two_gateways_answer_an_authority_and_serve_its_certificates() {
    if !is_installed() {
        return;
    }
    let pebble = Pebble::start(CALM).await;
    let database = Database::migrated().await;
    let world = World::beside(database.open());
    let agents = Arc::new(Agents { db: database.open(), front: None });
    let app =
        TestApp::with(Setup { database: Some(database), gateway: Some(agents.clone()), ..Setup::default() }).await;
    let at = |last| SocketAddr::new(IpAddr::from([127, 0, 0, last]), pebble.http_port);
    let one = Host::at(&app, "one", at(2), Some(ports::reserved())).await;
    let two = Host::at(&app, "two", at(3), Some(ports::reserved())).await;
    until_ready(&app, "one").await;
    until_ready(&app, "two").await;
    for name in NAMES {
        let host = format!("{name}.");
        pebble.tell("add-a", json!({ "host": host, "addresses": ["127.0.0.2", "127.0.0.3"] })).await;
    }
    let answers = GatewayAnswers { db: world.db.clone(), traffic: agents };
    let certifier = world.certifier(pebble.authority(None), Arc::new(answers), PACE);
    let id = world.instance(&NAMES).await;
    until_state(&world, &certifier, id, CertificateState::Valid).await;
    until_both_serve(&world, id, [&one, &two]).await;
    assert_eq!(served(one.tls.unwrap(), "stranger.example.test").await, None);

    world.execute("UPDATE certificates SET renew_at = now(), next_attempt_at = now()").await;
    until("it is renewed", async || {
        certifier.sweep().await.unwrap();
        world.certificate(id).await.revision == 2
    })
    .await;
    until_both_serve(&world, id, [&one, &two]).await;
    assert_eq!(world.number("SELECT count(*) AS n FROM acme_challenges").await, 0);
    app.end().await;
}

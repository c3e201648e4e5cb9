//! Reading and renewing certificates.

use ocim::certificates::store::wanted;
use ocim::config::Settings;
use ocim::config::sections::CertificatesFrom;
use serde_json::{Value, json};

use crate::app::{Setup, TestApp};

const DIRECTORY: &str = "https://127.0.0.1:1/directory";

/// The program with an authority that does not answer, and without a worker.
async fn with_authority() -> TestApp {
    let settings = |settings: &mut Settings| {
        settings.certificates.ocim_certificates = CertificatesFrom::Acme;
        settings.certificates.ocim_acme_directory = DIRECTORY.into();
    };
    TestApp::with(Setup { works: false, settings: Box::new(settings), ..Setup::default() }).await
}

/// An instance with a public host name and the protocol https; gives its id.
async fn public(app: &TestApp, name: &str) -> i64 {
    let id = app.instance(name).await;
    let statement = format!(
        "UPDATE instance_hostnames SET protocol = 'https', hostname = replace(hostname, 'localhost', 'campus.example') \
         WHERE instance_id = {id}"
    );
    app.execute(&statement).await;
    wanted::sync(&mut *app.conn().await, DIRECTORY).await.unwrap();
    id
}

#[tokio::test]
async fn certificates_are_listed_page_by_page_without_chains_and_keys() {
    let app = with_authority().await;
    for name in ["one", "two", "three"] {
        public(&app, name).await;
    }
    app.execute(
        "UPDATE certificates SET state = 'valid', chain = 'CHAIN', origin = 'x', not_before = now(), revision = 1, \
         not_after = now() + interval '1 day' WHERE id = (SELECT min(id) FROM certificates)",
    )
    .await;
    let viewer = app.viewer().await;
    let first = viewer.get("/api/v1/certificates?limit=2").await.expect(200);
    let ids = |page: &Value| page["items"].as_array().unwrap().iter().map(|one| one["id"].clone()).collect::<Vec<_>>();
    assert_eq!(ids(&first).len(), 2);
    let next = format!("/api/v1/certificates?limit=2&cursor={}", first["next_cursor"].as_str().unwrap());
    let second = viewer.get(&next).await.expect(200);
    assert_eq!((ids(&second).len(), &second["next_cursor"]), (1, &Value::Null));
    assert!(!second.to_string().contains("CHAIN"), "{second}");
    let valid = viewer.get("/api/v1/certificates?state=valid").await.expect(200);
    assert_eq!(ids(&valid), ids(&second));
    viewer.get("/api/v1/certificates?state=broken").await.problem(400);
    app.end().await;
}

#[tokio::test]
async fn an_instance_says_which_certificate_it_has_or_why_it_has_none() {
    let app = with_authority().await;
    let (private, id) = (app.instance("private").await, public(&app, "demo").await);
    let read = async |id: i64| app.viewer().await.get(&format!("/api/v1/instances/{id}/certificate")).await.expect(200);
    let none = read(private).await;
    assert_eq!((&none["certificate"], &none["can_renew"]), (&Value::Null, &json!(false)));
    assert!(none["why_none"].as_str().unwrap().contains("https"), "{none}");
    let one = read(id).await;
    assert_eq!((&one["why_none"], &one["can_renew"]), (&Value::Null, &json!(true)));
    assert_eq!((&one["certificate"]["state"], &one["certificate"]["state_name"]), (&json!("wanted"), &json!("Wanted")));
    app.end().await;
    let without = TestApp::idle().await;
    let id = without.instance("demo").await;
    let none = without.viewer().await.get(&format!("/api/v1/instances/{id}/certificate")).await.expect(200);
    assert!(none["why_none"].as_str().unwrap().contains("OCIM_CERTIFICATES"), "{none}");
    without.end().await;
}

#[tokio::test]
async fn a_renewal_is_asked_for_at_once_and_refused_without_a_certificate() {
    let app = with_authority().await;
    let (private, id) = (app.instance("private").await, public(&app, "demo").await);
    app.execute("UPDATE certificates SET next_attempt_at = now() + interval '1 hour'").await;
    let operator = app.operator().await;
    let renewed = operator.post(&format!("/api/v1/instances/{id}/certificate/renew"), Value::Null).await.expect(202);
    assert_eq!(renewed["certificate"]["instance_id"], id);
    assert_eq!(app.number("SELECT count(*) AS n FROM certificates WHERE next_attempt_at <= now()").await, 1);
    let path = format!("/api/v1/instances/{private}/certificate/renew");
    let problem = operator.post(&path, Value::Null).await.problem(409);
    assert!(problem["detail"].as_str().unwrap().contains("nothing to renew"), "{problem}");
    app.end().await;
}

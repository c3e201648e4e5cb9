//! The names of instances, from their creation to their end, at a real server.

use std::sync::Arc;
use std::time::Duration;

use ocim::config::dns::Target;
use ocim::dns::port::Dns;
use ocim::dns::{Names, Resolver};
use ocim::instances::names::{adopt, sweep};
use serde_json::{Value, json};

use super::knot::Knot;
use super::{ZONE, key, provider, target};
use crate::app::{Setup, TestApp, until_within};

/// The program with these names, and without a worker: the test sweeps.
async fn program(names: Names) -> TestApp {
    TestApp::with(Setup { works: false, names, ..Setup::default() }).await
}

fn names(knot: &Knot) -> Names {
    let dns: Arc<dyn Dns> = Arc::new(provider(knot, &key(), &[ZONE]));
    Names { target: Some(target()), dns: Some(dns), resolver: knot.resolver() }
}

async fn create(app: &TestApp, sub_domain: &str, base_domain: &str) -> i64 {
    let body = json!({ "name": sub_domain, "sub_domain": sub_domain, "base_domain": base_domain });
    app.operator().await.post("/api/v1/instances", body).await.expect(201)["id"].as_i64().unwrap()
}

async fn read(app: &TestApp, id: i64) -> Value {
    app.viewer().await.get(&format!("/api/v1/instances/{id}/dns")).await.expect(200)
}

/// The state of each name, and whether ocim wrote it.
fn states(dns: &Value) -> Vec<(&str, bool)> {
    let names = dns["names"].as_array().unwrap();
    names.iter().map(|name| (name["state"].as_str().unwrap(), name["is_written"].as_bool().unwrap())).collect()
}

/// Makes every name due.
async fn due(app: &TestApp) {
    app.execute("UPDATE instance_names SET next_check = now()").await;
}

#[tokio::test]
async fn names_are_set_watched_healed_and_removed_with_their_instance() {
    let knot = Knot::start_both().await;
    let app = program(names(&knot)).await;
    let before = knot.records();
    let id = create(&app, "campus", ZONE).await;
    assert!(states(&read(&app, id).await).iter().all(|state| *state == ("unchecked", false)));
    sweep(&app.manager).await.unwrap();
    let dns = read(&app, id).await;
    assert!(states(&dns).len() > 1 && states(&dns).iter().all(|state| *state == ("late", true)), "{dns:#}");
    assert!(dns["names"][0]["words"].as_str().unwrap().contains("but not ns2.example.test"), "{dns:#}");
    knot.refresh().await;
    due(&app).await;
    let serial = knot.serial("primary");
    sweep(&app.manager).await.unwrap();
    let dns = read(&app, id).await;
    assert!(states(&dns).iter().all(|state| *state == ("right", true)), "{dns:#}");
    assert_eq!((dns["advice"].clone(), dns["provider"].as_str()), (Value::Null, Some("rfc2136")));
    assert_eq!(knot.serial("primary"), serial, "what is right is not written again");
    sweep(&app.manager).await.unwrap();
    let client = app.operator().await;
    client.delete(&format!("/api/v1/instances/{id}")).await.expect(200);
    sweep(&app.manager).await.unwrap();
    assert_eq!(knot.records(), before);
    assert_eq!(app.number("SELECT count(*) AS n FROM instance_names").await, 0);
    client.post(&format!("/api/v1/instances/{id}/restore"), json!({})).await.expect(200);
    sweep(&app.manager).await.unwrap();
    assert!(knot.records().len() > before.len(), "the names of a restored instance are set again");
    app.end().await;
}

#[tokio::test]
async fn a_renamed_instance_leaves_no_record_behind_and_another_one_may_take_the_name() {
    let knot = Knot::primary_only().await;
    let app = program(names(&knot)).await;
    let id = create(&app, "before", ZONE).await;
    sweep(&app.manager).await.unwrap();
    let client = app.operator().await;
    let path = format!("/api/v1/instances/{id}");
    let tag = client.get(&path).await.header("etag").to_owned();
    client.patch(&path, &tag, json!({ "sub_domain": "after" })).await.expect(200);
    let other = create(&app, "before", ZONE).await;
    sweep(&app.manager).await.unwrap();
    due(&app).await;
    sweep(&app.manager).await.unwrap();
    let records = knot.records().join("\n");
    assert!(
        records.contains("] after.example.test. 60 A ") && records.contains("] before.example.test. 60 A "),
        "{records}"
    );
    let texts = records.lines().filter(|line| line.contains("_ocim.before.example.test."));
    let texts: Vec<_> = texts.filter(|line| line.contains("TXT")).collect();
    assert!(texts.len() == 1 && texts[0].contains(&format!("instance={other}")), "{texts:?}");
    assert_eq!(app.number("SELECT count(*) AS n FROM instance_names WHERE NOT is_wanted").await, 0);
    app.end().await;
}

#[tokio::test]
async fn records_that_the_database_does_not_know_are_found_and_removed_if_no_instance_wants_them() {
    let knot = Knot::primary_only().await;
    let app = program(names(&knot)).await;
    let before = knot.records();
    let id = create(&app, "campus", ZONE).await;
    sweep(&app.manager).await.unwrap();
    let wanted = knot.records();
    let left = ocim::dns::owner::Owner {
        installation: app.db.installation().await.unwrap(),
        instance: shared_types::InstanceId(id),
    };
    provider(&knot, &key(), &[ZONE]).set("left.example.test", &target(), &left).await.unwrap();
    app.execute("DELETE FROM instance_names").await;
    adopt(&app.manager).await.unwrap();
    sweep(&app.manager).await.unwrap();
    assert_eq!(knot.records(), wanted, "the record that was left is gone, and those of others stay");
    app.operator().await.delete(&format!("/api/v1/instances/{id}")).await.expect(200);
    sweep(&app.manager).await.unwrap();
    assert_eq!(knot.records(), before, "the other ones are known again");
    app.end().await;
}

#[tokio::test]
async fn a_wildcard_is_enough_and_records_of_others_stay() {
    let knot = Knot::start_both().await;
    let app = program(names(&knot)).await;
    let before = knot.records();
    let id = create(&app, "pr17", "wild.example.test").await;
    let foreign = create(&app, "foreign", ZONE).await;
    sweep(&app.manager).await.unwrap();
    let dns = read(&app, id).await;
    assert!(states(&dns).iter().all(|state| *state == ("right", false)), "{dns:#}");
    assert!(dns["names"][0]["words"].as_str().unwrap().contains("Nothing is to be set"), "{dns:#}");
    let dns = read(&app, foreign).await;
    let all = dns["names"].as_array().unwrap();
    let name = all.iter().find(|name| name["name"] == "foreign.example.test").unwrap();
    assert_eq!((name["state"].as_str(), name["is_written"].as_bool()), (Some("elsewhere"), Some(false)));
    assert!(name["last_error"].as_str().unwrap().contains("ocim has not written"), "{name:#}");
    app.operator().await.delete(&format!("/api/v1/instances/{foreign}")).await.expect(200);
    sweep(&app.manager).await.unwrap();
    assert_eq!(knot.records(), before);
    app.end().await;
}

#[tokio::test]
async fn without_rights_the_records_are_shown_and_nothing_is_written() {
    let knot = Knot::start_both().await;
    let resolver = knot.resolver();
    let app = program(Names { target: Some(target()), dns: None, resolver }).await;
    let before = knot.records();
    let id = create(&app, "campus", ZONE).await;
    let path = format!("/api/v1/instances/{id}/dns/check");
    let dns = app.operator().await.post(&path, json!({})).await.expect(200);
    assert!(states(&dns).iter().all(|state| *state == ("absent", false)), "{dns:#}");
    assert_eq!(
        dns["records"],
        json!([{ "kind": "A", "value": "192.0.2.1" }, { "kind": "AAAA", "value": "2001:db8::1" }])
    );
    assert!(dns["advice"].as_str().unwrap().contains("OCIM_DNS=none"), "{dns:#}");
    assert_eq!(dns, read(&app, id).await);
    assert_eq!(knot.records(), before);
    app.end().await;
}

#[tokio::test]
async fn a_refusal_is_kept_with_the_name_and_tried_again_later() {
    let knot = Knot::start_both().await;
    let wrong = super::tsig("ocim", ocim::config::dns::KeyAlgorithm::HmacSha256, b"wrong");
    let dns: Arc<dyn Dns> = Arc::new(provider(&knot, &wrong, &[ZONE]));
    let app = program(Names { target: Some(target()), dns: Some(dns), resolver: knot.resolver() }).await;
    let id = create(&app, "campus", ZONE).await;
    sweep(&app.manager).await.unwrap();
    let dns = read(&app, id).await;
    assert!(states(&dns).iter().all(|state| *state == ("absent", false)), "{dns:#}");
    assert!(dns["names"][0]["last_error"].as_str().unwrap().contains("OCIM_DNS_KEY_SECRET"), "{dns:#}");
    let system = app.viewer().await.get("/api/v1/system").await.expect(200);
    let parts = system["checks"].as_array().unwrap();
    let part = parts.iter().find(|part| part["name"] == "dns").unwrap();
    assert_eq!(part["is_ok"], false, "{part:#}");
    assert!(part["last_error"].as_str().unwrap().contains("BADSIG"), "{part:#}");
    let count = "SELECT count(*) AS n FROM instance_names WHERE failures = 1 AND next_check > now()";
    assert_eq!(app.number(count).await, i64::try_from(states(&dns).len()).unwrap());
    app.end().await;
}

#[tokio::test]
async fn an_activation_changes_no_record_and_a_worker_sets_names_by_itself() {
    let knot = Knot::primary_only().await;
    let app = TestApp::with(Setup { names: names(&knot), ..Setup::default() }).await;
    let id = create(&app, "campus", ZONE).await;
    let all = "SELECT count(*) AS n FROM instance_names WHERE is_written AND state = 'late'";
    let count = format!("SELECT count(*) AS n FROM instance_hostnames WHERE instance_id = {id}");
    let count = app.number(&count).await;
    until_within(Duration::from_secs(60), "all names are set", async || app.number(all).await == count).await;
    let serial = knot.serial("primary");
    let built = app.built(id).await;
    let path = format!("/api/v1/app-servers/{}/activate", built["id"]);
    app.operator().await.post(&path, json!({})).await.expect(202);
    due(&app).await;
    sweep(&app.manager).await.unwrap();
    assert_eq!(knot.serial("primary"), serial);
    app.end().await;
}

#[tokio::test]
async fn two_processes_sweep_at_once_and_each_name_is_worked_on_once() {
    let knot = Knot::primary_only().await;
    let app = program(names(&knot)).await;
    for n in 0..5 {
        create(&app, &format!("n{n}"), ZONE).await;
    }
    let count = app.number("SELECT count(*) AS n FROM instance_hostnames").await;
    let (one, other) = tokio::join!(sweep(&app.manager), sweep(&app.manager));
    one.and(other).unwrap();
    let tended = "SELECT count(*) AS n FROM instance_names WHERE failures = 1 AND is_written";
    assert_eq!(app.number(tended).await, count);
    app.end().await;
}

#[tokio::test]
async fn without_addresses_nothing_is_asked() {
    let resolver = Arc::new(Resolver::new(Some(crate::app::ports::reserved())));
    let app = program(Names { target: None, dns: None, resolver }).await;
    let id = create(&app, "campus", ZONE).await;
    sweep(&app.manager).await.unwrap();
    let dns = app.operator().await.post(&format!("/api/v1/instances/{id}/dns/check"), json!({})).await.expect(200);
    assert!(dns["advice"].as_str().unwrap().contains("OCIM_GATEWAY_ADDRESSES"), "{dns:#}");
    assert!(states(&dns).iter().all(|state| *state == ("unchecked", false)), "{dns:#}");
    assert_eq!(app.number("SELECT count(*) AS n FROM instance_names").await, 0);
    app.end().await;
}

#[tokio::test]
async fn an_alias_of_the_gateways_name_is_set_too() {
    let knot = Knot::primary_only().await;
    let mut names = names(&knot);
    names.target = Some(Target::Name("gw.example.net".to_owned()));
    let app = program(names).await;
    create(&app, "campus", ZONE).await;
    sweep(&app.manager).await.unwrap();
    assert!(
        knot.records().join("\n").contains("campus.example.test. 60 CNAME gw.example.net."),
        "{:?}",
        knot.records()
    );
    app.end().await;
}

//! Gateways with agents: what they are told, what they say, and when a switch is done. The agents here are requests of the
//! test; `system::gateways` has real ones.

use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use ocim::certificates::challenges::{Challenges, Http01};
use ocim::instances::traffic::authority_answers::GatewayAnswers;
use ocim::instances::traffic::{apply_routing, served_certificates};
use ocim::platform::vault::{self, Owner};
use ocim::routing::providers::agents::Agents;
use ocim::routing::traffic::Traffic;
use secrecy::SecretString;
use serde_json::{Value, json};
use shared_types::{CertificateId, InstanceId};

use crate::app::{Answer, Client, Credentials, Database, Setup, TestApp, settings, until};

/// The program with gateways that have agents.
async fn start() -> (TestApp, Agents) {
    let database = Database::migrated().await;
    let agents = Agents { db: database.open(), front: None };
    let setup =
        Setup { database: Some(database), works: false, gateway: Some(Arc::new(agents.clone())), ..Setup::default() };
    (TestApp::with(setup).await, agents)
}

/// A gateway's agent.
struct Agent<'a> {
    app: &'a TestApp,
    name: &'static str,
    client: Client,
    host: &'static str,
    has: i64,
    counts: Value,
}

impl<'a> Agent<'a> {
    async fn add(app: &'a TestApp, name: &'static str) -> Self {
        let admin = app.person(shared_types::Role::Admin).await;
        let added = admin.post("/api/v1/gateways", json!({ "name": name })).await.expect(201);
        assert_eq!(added["name"], name);
        Self::with(app, name, added["token"].as_str().unwrap(), name)
    }

    /// The agent of this gateway on a host.
    fn with(app: &'a TestApp, name: &'static str, token: &str, host: &'static str) -> Self {
        let client = app.anonymous().with(Credentials::Token(token.to_owned()));
        Self { app, name, client, host, has: 0, counts: json!([]) }
    }

    async fn say(&mut self, error: Option<&str>) -> Answer {
        self.saying(error).await
    }

    /// The answer to a report; it comes after seconds if there is nothing new.
    fn saying(&mut self, error: Option<&str>) -> impl Future<Output = Answer> + Send + 'static {
        let counts = std::mem::replace(&mut self.counts, json!([]));
        let report = json!({
            "agent": self.host, "hostname": self.host, "version": "9.9.9", "revision": self.has, "error": error,
            "counts": counts,
        });
        let client = self.client.clone();
        async move { client.post("/api/v1/gateway/exchange", report).await }
    }

    /// Reports what it has, and gives what it is told.
    async fn ask(&mut self) -> Value {
        self.say(None).await.expect(200)
    }

    /// Takes what it is told, and gives it.
    async fn take(&mut self) -> Value {
        let update = self.ask().await;
        self.has = update["revision"].as_i64().unwrap();
        update
    }

    /// Takes what it is told, and says that it has it.
    async fn follow(&mut self) -> Value {
        let update = self.take().await;
        self.acknowledge().await;
        update
    }

    /// Says that it has what it took. The request waits for what comes next; the answer is not of interest.
    async fn acknowledge(&mut self) {
        let seen = self.seen().await;
        tokio::spawn(self.saying(None));
        until("the report is kept", async || self.seen().await > seen).await;
    }

    /// When the gateway was last seen, in microseconds.
    async fn seen(&self) -> i64 {
        let seen =
            "SELECT coalesce((extract(epoch FROM max(seen)) * 1000000)::bigint, 0) AS n FROM gateways WHERE name =";
        self.app.number(&format!("{seen} '{}'", self.name)).await
    }
}

fn hosts(update: &Value) -> Vec<&str> {
    let mut hosts: Vec<_> =
        update["routes"].as_array().unwrap().iter().map(|route| route["hostname"].as_str().unwrap()).collect();
    hosts.sort_unstable();
    hosts
}

async fn states(app: &TestApp) -> Vec<(String, String)> {
    let list = app.viewer().await.get("/api/v1/gateways").await.expect(200);
    let pair = |item: &Value| (item["name"].as_str().unwrap().into(), item["state"].as_str().unwrap().into());
    list["items"].as_array().unwrap().iter().map(pair).collect()
}

fn pairs(wanted: &[(&str, &str)]) -> Vec<(String, String)> {
    wanted.iter().map(|(name, state)| ((*name).to_owned(), (*state).to_owned())).collect()
}

#[tokio::test]
async fn a_switch_is_done_when_every_live_gateway_has_it() {
    let (app, _) = start().await;
    let instance = app.instance("demo").await;
    let id = app.running(instance).await;
    let (mut one, mut two) = (Agent::add(&app, "one").await, Agent::add(&app, "two").await);
    let nowhere = apply_routing::apply_behind(&app.manager).await.unwrap_err().to_string();
    assert!(nowhere.contains("no gateway is there") && nowhere.contains("ocim gateway"), "{nowhere}");
    for agent in [&mut one, &mut two] {
        let all = agent.follow().await;
        assert_eq!((&all["is_whole"], hosts(&all)), (&json!(true), vec!["demo.localhost", "studio.demo.localhost"]));
    }
    apply_routing::apply_behind(&app.manager).await.unwrap();

    app.operator().await.post(&format!("/api/v1/app-servers/{id}/activate"), json!({})).await.expect(202);
    let manager = app.manager.clone();
    let switch = tokio::spawn(async move { apply_routing::apply_routing(&manager, InstanceId(instance)).await });
    let told = one.take().await;
    let target = app.sites[0].address.to_string();
    assert_eq!((&told["is_whole"], &told["routes"][0]["target"]), (&json!(false), &json!(target)));
    one.acknowledge().await;
    assert!(!switch.is_finished(), "the other gateway does not have it");
    assert_eq!(states(&app).await, pairs(&[("one", "ready"), ("two", "late")]));
    let is_applied = async || app.viewer().await.get(&format!("/api/v1/instances/{instance}/activations")).await;
    assert_eq!(is_applied().await.expect(200)["items"][0]["applied_at"], Value::Null);
    two.follow().await;
    switch.await.unwrap().unwrap();
    assert_ne!(is_applied().await.expect(200)["items"][0]["applied_at"], Value::Null);
    assert_eq!(states(&app).await, pairs(&[("one", "ready"), ("two", "ready")]));
    app.end().await;
}

#[tokio::test]
async fn a_gateway_that_does_not_take_a_switch_is_named_and_a_silent_one_is_not_waited_for() {
    let (app, agents) = start().await;
    let instance = app.instance("demo").await;
    let (mut one, mut two) = (Agent::add(&app, "one").await, Agent::add(&app, "two").await);
    one.follow().await;
    two.follow().await;
    two.say(Some("HAProxy is away")).await.expect(200);
    let error = apply_routing::apply_routing(&app.manager, InstanceId(instance)).await.unwrap_err().to_string();
    assert_eq!(error, "the gateway does not take it: two: HAProxy is away");
    one.follow().await;
    assert_eq!(states(&app).await, pairs(&[("one", "ready"), ("two", "failing")]));
    assert_eq!(agents.answers().await, Ok(()), "visitors can come through the other one");

    two.say(None).await.expect(200);
    let began = Instant::now();
    let error = apply_routing::apply_routing(&app.manager, InstanceId(instance)).await.unwrap_err().to_string();
    assert!(error.ends_with("the gateway two has not answered within 5 s"), "{error}");
    assert!(began.elapsed() >= Duration::from_secs(5));

    app.execute("UPDATE gateways SET seen = now() - interval '16 seconds' WHERE name = 'two'").await;
    apply_routing::apply_routing(&app.manager, InstanceId(instance)).await.unwrap();
    assert_eq!(states(&app).await, pairs(&[("one", "ready"), ("two", "silent")]));
    app.end().await;
}

#[tokio::test]
async fn a_gateway_gets_what_has_changed_and_all_if_that_is_not_known() {
    let (app, _) = start().await;
    let first = app.instance("a").await;
    app.instance("b").await;
    let mut agent = Agent::add(&app, "one").await;
    assert!(apply_routing::apply_all(&app.manager).await.is_err());
    assert_eq!(hosts(&agent.follow().await).len(), 4);

    app.operator().await.delete(&format!("/api/v1/instances/{first}")).await.expect(200);
    let manager = app.manager.clone();
    let removal = tokio::spawn(async move { apply_routing::apply_all(&manager).await });
    let update = agent.take().await;
    agent.acknowledge().await;
    removal.await.unwrap().unwrap();
    let gone: Vec<_> = update["routes"].as_array().unwrap().iter().map(|route| &route["is_gone"]).collect();
    assert_eq!((hosts(&update), gone), (vec!["a.localhost", "studio.a.localhost"], vec![&json!(true); 2]));

    // The next comparison forgets what every live gateway knows; one that was away gets the whole table.
    apply_routing::apply_all(&app.manager).await.unwrap();
    assert_eq!(app.number("SELECT count(*) AS n FROM gateway_routes").await, 2);
    let revision = agent.has;
    for never_sent in [revision - 1, revision + 7, 0] {
        agent.has = never_sent;
        let update = agent.take().await;
        assert_eq!((&update["is_whole"], &update["revision"]), (&json!(true), &json!(revision)), "{never_sent}");
        assert_eq!(hosts(&update), ["b.localhost", "studio.b.localhost"]);
    }
    app.end().await;
}

#[tokio::test]
async fn nothing_changes_where_nothing_differs() {
    let (app, _) = start().await;
    app.instance("a").await;
    let mut agent = Agent::add(&app, "one").await;
    assert!(apply_routing::apply_all(&app.manager).await.is_err());
    agent.follow().await;
    let revision = "SELECT revision AS n FROM gateway_revision";
    let before = app.number(revision).await;
    apply_routing::apply_all(&app.manager).await.unwrap();
    apply_routing::apply_behind(&app.manager).await.unwrap();
    assert_eq!(app.number(revision).await, before);
    app.end().await;
}

#[tokio::test]
async fn open_requests_are_the_sum_of_all_live_gateways() {
    let (app, agents) = start().await;
    let target = app.sites[0].address;
    let (mut one, mut two) = (Agent::add(&app, "one").await, Agent::add(&app, "two").await);
    assert!(agents.open_connections(target).await.is_err(), "no gateway has asked yet");
    one.follow().await;
    two.follow().await;
    let asked = tokio::spawn(async move { agents.open_connections(target).await });
    for (agent, requests) in [(&mut one, 2), (&mut two, 5)] {
        let update = agent.ask().await;
        let question = &update["questions"][0];
        assert_eq!(question["target"], target.to_string());
        let asked: DateTime<Utc> = question["asked"].as_str().unwrap().parse().unwrap();
        agent.counts = json!([{ "target": target.to_string(), "asked": asked, "requests": requests }]);
        agent.acknowledge().await;
    }
    assert_eq!(asked.await.unwrap(), Ok(7));
    app.end().await;
}

#[tokio::test]
async fn a_waiting_agent_is_told_at_once() {
    let (app, _) = start().await;
    app.instance("a").await;
    let mut agent = Agent::add(&app, "one").await;
    agent.follow().await;
    let seen = agent.seen().await;
    let answer = agent.saying(None);
    let waiting = tokio::spawn(async move { (answer.await.expect(200), Instant::now()) });
    until("the agent waits", async || agent.seen().await > seen).await;
    let began = Instant::now();
    // Ends when the test does not take it: that is not of interest here.
    let _ = tokio::time::timeout(Duration::from_millis(500), apply_routing::apply_all(&app.manager)).await;
    let (update, told) = waiting.await.unwrap();
    assert_eq!(hosts(&update), ["a.localhost", "studio.a.localhost"]);
    assert!(told - began < Duration::from_secs(3), "without being told it would wait for 5 s: {:?}", told - began);
    app.end().await;
}

#[tokio::test]
async fn a_token_is_for_one_gateway_on_one_host() {
    let (app, _) = start().await;
    let mut agent = Agent::add(&app, "one").await;
    agent.take().await;
    // Another host with the same token.
    let token = agent.client.token().to_owned();
    let mut other = Agent::with(&app, "one", &token, "elsewhere");
    let refused = other.say(None).await.problem(409)["detail"].to_string();
    assert!(refused.contains("another host") && refused.contains("add-gateway"), "{refused}");
    // The same host, started again.
    let mut again = Agent::with(&app, "one", &token, "one");
    assert_eq!(again.take().await["is_whole"], true);
    app.execute("UPDATE gateways SET seen = now() - interval '16 seconds'").await;
    other.say(None).await.expect(200);

    let admin = app.person(shared_types::Role::Admin).await;
    let renewed = admin.post("/api/v1/gateways/one/token", json!({})).await.expect(201);
    let refused = again.say(None).await.problem(401)["detail"].to_string();
    assert!(refused.contains("OCIM_GATEWAY_TOKEN"), "{refused}");
    Agent::with(&app, "one", renewed["token"].as_str().unwrap(), "elsewhere").say(None).await.expect(200);
    admin.post("/api/v1/gateways", json!({ "name": "one" })).await.problem(409);
    let error = admin.post("/api/v1/gateways", json!({ "name": "One.Two" })).await.field_error("/name");
    assert!(error.contains("lower-case"), "{error}");
    admin.delete("/api/v1/gateways/one").await.expect(204);
    admin.delete("/api/v1/gateways/one").await.problem(404);
    admin.post("/api/v1/gateways/one/token", json!({})).await.problem(404);
    assert_eq!(states(&app).await, []);
    app.end().await;
}

#[tokio::test]
async fn a_report_that_makes_no_sense_is_refused() {
    let (app, _) = start().await;
    let agent = Agent::add(&app, "one").await;
    let good = json!({ "agent": "a", "hostname": "h", "version": "1", "revision": 0, "error": null, "counts": [] });
    for (field, wrong) in [
        ("agent", json!("")),
        ("agent", json!("a".repeat(65))),
        ("hostname", json!("a\nb")),
        ("version", json!("v".repeat(65))),
        ("revision", json!(-1)),
        ("error", json!("e".repeat(2001))),
        ("error", json!("a\u{0}b")),
        ("counts", json!([{ "target": "t", "asked": "2026-11-30T00:00:00Z", "requests": -1 }])),
    ] {
        let mut report = good.clone();
        report[field] = wrong;
        agent.client.post("/api/v1/gateway/exchange", report).await.problem(400);
    }
    agent.client.post("/api/v1/gateway/exchange", good).await.expect(200);
    app.end().await;
}

#[tokio::test]
async fn agents_get_answers_to_authorities_and_certificates_with_their_keys() {
    let (app, _) = start().await;
    let mut agent = Agent::add(&app, "one").await;
    agent.follow().await;
    let stored = "INSERT INTO certificates (source, names, names_digest, state, chain, origin, not_before, not_after, \
         revision) VALUES ('files', '{a.example}', md5('a.example'), 'valid', 'the chain', 'a.pem', now(), \
         now() + interval '1 day', 3)";
    app.execute(stored).await;
    let db = &app.manager.db;
    let key = SecretString::from("the key");
    let owner = Owner::Certificate(CertificateId(1));
    let keyring = settings::keyring();
    vault::keep_owned(&keyring, &mut db.conn().await.unwrap(), owner, &key).await.unwrap();
    served_certificates::serve(&app.manager).await.unwrap();
    let told = agent.follow().await;
    assert_eq!(told["certificates"], json!([{ "id": 1, "revision": 3 }]));
    let given = agent.client.post("/api/v1/gateway/certificates", json!({ "ids": [1, 2] })).await.expect(200);
    let all = json!([{ "id": 1, "revision": 3, "names": ["a.example"], "chain": "the chain", "key": "the key" }]);
    assert_eq!(given["items"], all);
    let many: Vec<i64> = (1..=51).collect();
    agent.client.post("/api/v1/gateway/certificates", json!({ "ids": many })).await.problem(400);
    app.operator().await.post("/api/v1/gateway/certificates", json!({ "ids": [1] })).await.problem(401);

    // The answers are published when the gateway has them.
    let port = GatewayAnswers { db: db.clone(), traffic: app.manager.traffic.clone() };
    let answer = Http01 { hostname: "a.example".into(), token: "t-1".into(), key_authorization: "t-1.k_2".into() };
    let (put, told) = tokio::join!(port.put(std::slice::from_ref(&answer)), agent.follow());
    put.unwrap();
    assert_eq!(told["challenges"], json!([{ "token": "t-1", "answer": "t-1.k_2" }]));
    port.remove(&[answer]).await.unwrap();
    assert_eq!(agent.take().await["challenges"], json!([]));
    app.end().await;
}

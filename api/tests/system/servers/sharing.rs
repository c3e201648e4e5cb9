//! What two servers share while both live: sessions, limits, keys, streams, users, webhooks, and decisions about traffic.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{Pair, post_keyed};
use crate::app::github::{FakeGithub, PullSpec};
use crate::app::{Answer, Client, Credentials, Stream, until};

const ME: &str = "/api/v1/auth/me";
/// Requests of one user per minute.
const RATE: u32 = 900;
const FORK: &str = "acme/edx-platform";

#[tokio::test(flavor = "multi_thread")]
async fn sessions_users_and_wrong_passwords_are_the_same_at_both_servers() {
    let pair = Pair::start(|_| {}).await;
    let here = pair.user("ada", "operator", 0).await;
    let there = pair.at(1, &here);
    assert_eq!(here.get(ME).await.expect(200), there.get(ME).await.expect(200));
    there.post("/api/v1/auth/logout", json!({})).await.expect(204);
    assert_eq!(
        (here.get(ME).await.status, there.get(ME).await.status),
        (401.try_into().unwrap(), 401.try_into().unwrap())
    );

    // A user who is disabled at one server is out at the other at once, with streams that are open there.
    let here = pair.user("grace", "operator", 0).await;
    let there = pair.at(1, &here);
    let mut streams =
        [Stream::open(&here, "/api/v1/events", None).await, Stream::open(&there, "/api/v1/events", None).await];
    let path = format!("/api/v1/users/{}", there.get(ME).await.expect(200)["id"]);
    let began = Instant::now();
    pair.at(0, &pair.admin).patch(&path, "\"1\"", json!({ "is_disabled": true })).await.expect(200);
    assert_eq!(there.get(ME).await.status, 401);
    for stream in &mut streams {
        while stream.next().await.is_some() {}
    }
    println!("out at both, with streams, after {:?}", began.elapsed());
    assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());

    // Wrong passwords are counted together.
    let anonymous = here.with(Credentials::None);
    let mut statuses = Vec::new();
    for n in 0..8 {
        let wrong = json!({ "username": "somebody", "password": format!("wrong {n}") });
        statuses.push(pair.at(n % 2, &anonymous).post("/api/v1/auth/login", wrong).await.status.as_u16());
    }
    assert_eq!(statuses[..5], [401; 5], "{statuses:?}");
    assert!(statuses[5..].contains(&429), "{statuses:?}");
    pair.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_limit_counts_the_requests_of_both_servers() {
    let pair = Pair::start(|command| {
        command.env("OCIM_PRINCIPAL_RATE", RATE.to_string());
    })
    .await;
    let user = pair.user("ada", "viewer", 0).await;
    let clients = [pair.at(0, &user), pair.at(1, &user)];
    // Each has said that it lives, so that it knows of the other.
    until("both servers are known", async || pair.number("SELECT count(*) AS n FROM server_processes").await == 2)
        .await;
    tokio::time::sleep(ocim::platform::jobs::workers::HEARTBEAT).await;
    let (began, mut accepted, mut refused) = (Instant::now(), [0u32; 2], 0u32);
    // Until both refuse, and for two more seconds.
    let mut since = None;
    while since.is_none_or(|since: Instant| since.elapsed() < Duration::from_secs(2)) {
        assert!(began.elapsed() < Duration::from_secs(60), "never refused: {accepted:?}");
        let (one, other) = tokio::join!(clients[0].get(ME), clients[1].get(ME));
        for (server, answer) in [one, other].into_iter().enumerate() {
            match answer.status.as_u16() {
                200 => accepted[server] += 1,
                429 => {
                    refused += 1;
                    since = since.or(Some(Instant::now()));
                }
                other => panic!("{other}: {}", answer.body),
            }
        }
    }
    let (took, all) = (began.elapsed().as_secs_f64(), accepted[0] + accepted[1]);
    let share = f64::from(all) - took * f64::from(RATE) / 60.0;
    println!(
        "{accepted:?} accepted within {took:.1} s, {refused} refused; {share:.0} of {RATE} besides what was refilled"
    );
    // Each would accept all of them alone. What one accepts within a second before it hears of the other is too much.
    assert!(share > f64::from(RATE) * 0.5 && share < f64::from(RATE) * 1.5, "{share}");
    pair.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_idempotency_key_at_both_servers_makes_one_instance() {
    let pair = Pair::start(|_| {}).await;
    let (here, there) = (pair.at(0, &pair.admin), pair.at(1, &pair.admin));
    for n in 0..10 {
        let (key, name) = (format!("key {n}"), format!("once-{n}"));
        let body = json!({ "name": name, "sub_domain": name });
        let send = async |client: &Client| post_keyed(client, "/api/v1/instances", &key, &body).await;
        let (one, other) = tokio::join!(send(&here), send(&there));
        let made: Vec<&Answer> = [&one, &other].into_iter().filter(|answer| answer.status == 201).collect();
        assert!(!made.is_empty(), "{} {}", one.body, other.body);
        for answer in [&one, &other] {
            assert!([201, 409].contains(&answer.status.as_u16()), "{}", answer.body);
        }
        // The one that was told to wait gets the same answer.
        for client in [&here, &there] {
            let again = send(client).await;
            assert_eq!((again.status.as_u16(), again.json()), (201, made[0].json()));
            assert_eq!(again.header("idempotency-replayed"), "true");
        }
    }
    assert_eq!(pair.number("SELECT count(*) AS n FROM instances").await, 10);
    pair.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_that_is_cut_at_one_server_continues_at_the_other() {
    let pair = Pair::start(|_| {}).await;
    let (here, there) = (pair.at(0, &pair.admin), pair.at(1, &pair.admin));
    let mut seen = BTreeSet::new();
    let mut last = Some(0);
    for n in 0..6 {
        let server = if n % 2 == 0 { &here } else { &there };
        let mut stream = Stream::open(server, "/api/v1/events", last).await;
        let instance = pair.instance(&format!("story-{n}")).await;
        loop {
            let message = stream.next().await.expect("the stream ended");
            assert_ne!(message.event, "gap");
            if let Some(id) = message.id {
                last = Some(id);
                seen.insert(id);
            }
            if message.event == "InstanceCreated" && message.data["instance_id"] == instance {
                break;
            }
        }
        drop(stream);
        // While no stream is open.
        pair.instance(&format!("unseen-{n}")).await;
    }
    let mut stream = Stream::open(&here, "/api/v1/events", last).await;
    let end = pair.instance("end").await;
    loop {
        let message = stream.next().await.expect("the stream ended");
        seen.extend(message.id);
        if message.event == "InstanceCreated" && message.data["instance_id"] == end {
            break;
        }
    }
    let ids = pair
        .text("SELECT string_agg(id::text, ' ' ORDER BY id) AS text FROM events WHERE kind = 'InstanceCreated'")
        .await;
    let ids: Vec<i64> = ids.unwrap().split(' ').map(|id| id.parse().unwrap()).collect();
    assert_eq!(ids.len(), 13);
    let missed: Vec<_> = ids.iter().filter(|id| !seen.contains(id)).collect();
    assert!(missed.is_empty(), "missed: {missed:?}");
    pair.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_at_both_servers_is_handled_once() {
    let github = FakeGithub::start().await;
    github.repository(FORK);
    github.set_team("acme", "owners", &["ada", "grace"]);
    github.set_secret("what GitHub signs with");
    let base = github.base.clone();
    let pair = Pair::start(|command| {
        command.env("GITHUB_API_URL", &base).env("GITHUB_ACCESS_TOKEN", "any");
        command.env("WATCH_FORK", FORK).env("WATCH_ORGANIZATION", "acme").env("WATCH_INTERVAL", "3600");
        command.env("WATCH_REPORT", "nothing").env("GITHUB_WEBHOOK_SECRETS", "what GitHub signs with");
    })
    .await;
    let seen = "SELECT count(*) AS n FROM watched_repositories WHERE swept_whole_at IS NOT NULL";
    until("the first sweep is over", async || pair.number(seen).await == 1).await;
    let swept = github.asked().iter().filter(|asked| asked.path.contains("/pulls?")).count();
    assert_eq!(swept, 1, "two servers sweep once");
    let number = github.open_pull(FORK, PullSpec::default());
    let delivery = github.payload(FORK, number, "opened");
    let deliver = async |server: usize| {
        let client = pair.at(server, &pair.admin).with(Credentials::None);
        let mut request = client.request(reqwest::Method::POST, "/api/v1/webhooks/github");
        for (name, value) in &delivery.headers {
            request = request.header(name, value);
        }
        Answer::to(request.body(delivery.body.clone())).await
    };
    let (one, other) = tokio::join!(deliver(0), deliver(1));
    assert_eq!((one.status.as_u16(), other.status.as_u16()), (200, 200), "{} {}", one.body, other.body);
    assert_eq!(pair.number("SELECT count(*) AS n FROM webhook_deliveries").await, 1);
    let active = "SELECT count(*) AS n FROM instances WHERE active_app_server_id IS NOT NULL";
    until("its app server is active", async || pair.number(active).await == 1).await;
    assert_eq!(pair.number("SELECT count(*) AS n FROM instances").await, 1);
    assert_eq!(pair.number("SELECT count(*) AS n FROM app_servers").await, 1, "launched once");
    pair.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn activations_at_both_servers_end_with_one_active_app_server_and_one_route() {
    let pair = Pair::start(|_| {}).await;
    let instance = pair.instance("demo").await;
    let (first, second) = (pair.launched(instance).await, pair.launched(instance).await);
    pair.until_running(first).await;
    pair.until_running(second).await;
    for round in 0..10 {
        let (here, there) = (pair.at(round % 2, &pair.admin), pair.at((round + 1) % 2, &pair.admin));
        let activate = async |client: &Client, id: i64| {
            client.post(&format!("/api/v1/app-servers/{id}/activate"), json!({ "drain_limit_seconds": 1 })).await
        };
        let (one, other) = tokio::join!(activate(&here, first), activate(&there, second));
        for answer in [&one, &other] {
            assert!([200, 202, 409].contains(&answer.status.as_u16()), "{}", answer.body);
        }
        assert!(one.status != 409 || other.status != 409, "{} {}", one.body, other.body);
        let applied = format!(
            "SELECT count(*) AS n FROM instances WHERE id = {instance} AND routing_applied_generation = routing_generation"
        );
        until("the decision is applied", async || pair.number(&applied).await == 1).await;
        let active =
            pair.number(&format!("SELECT active_app_server_id AS n FROM instances WHERE id = {instance}")).await;
        assert!([first, second].contains(&active));
        // The history of decisions has the active one last, and each once.
        let history = pair.admin.get(&format!("/api/v1/instances/{instance}/activations")).await.expect(200);
        assert_eq!(history["items"][0]["app_server_id"], active, "{history:#}");
        let generations = "SELECT count(*) - count(DISTINCT generation) AS n FROM activations";
        assert_eq!(pair.number(generations).await, 0);
    }
    let published = "SELECT count(*) AS n FROM gateway_routes WHERE hostname = 'demo.localhost' AND NOT is_gone";
    assert_eq!(pair.number(published).await, 1);
    let target = pair.text("SELECT target AS text FROM gateway_routes WHERE hostname = 'demo.localhost'").await;
    assert_eq!(target.as_deref(), Some(pair.site.address.to_string().as_str()));
    until("the gateway has it", async || pair.agent.route("demo.localhost")["target"] == Value::from(target.clone()))
        .await;
    pair.end().await;
}

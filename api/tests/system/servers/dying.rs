//! A server that is killed: its builds end at the other one, its leases move, and streams continue.

use std::time::{Duration, Instant};

use ocim::platform::jobs::workers::{HEARTBEAT, LEASE};

use super::{LONG, Pair};
use crate::app::{Stream, until, until_within};

const DUTIES: &str =
    "SELECT string_agg(name || '=' || holder, ',' ORDER BY name) AS text FROM duties WHERE until > now()";

/// The holder of a duty; none: no process does it.
async fn holder(pair: &Pair, name: &str) -> Option<String> {
    pair.text(&format!("SELECT max(holder) AS text FROM duties WHERE name = '{name}' AND until > now()")).await
}

/// The process of a server within the names of holders.
fn is_of(holder: &str, pid: u32) -> bool {
    holder.split('/').nth(2) == Some(pid.to_string().as_str())
}

#[tokio::test(flavor = "multi_thread")]
async fn builds_duties_and_streams_of_a_killed_server_go_on_at_the_other() {
    let mut pair = Pair::start(|command| {
        command.env("OCIM_FAKE_LINES", "400").env("OCIM_FAKE_PACE_MS", "25").env("OCIM_BUILD_SLOTS", "2");
    })
    .await;
    until("both duties have a holder", async || {
        holder(&pair, "visitors").await.is_some() && holder(&pair, "old records").await.is_some()
    })
    .await;
    let holders = pair.text(DUTIES).await;
    let visitors = holder(&pair, "visitors").await.unwrap();
    let pids = [0, 1].map(|server| pair.servers[server].process.id().unwrap());
    let dying = pids.iter().position(|pid| is_of(&visitors, *pid)).unwrap();
    let left = 1 - dying;
    println!("servers {pids:?}; duties {holders:?}; {} is killed", pids[dying]);

    // An active app server, whose sites are checked every five seconds: by one process.
    let instance = pair.instance("demo").await;
    let active = pair.launched(instance).await;
    pair.until_running(active).await;
    pair.admin.post(&format!("/api/v1/app-servers/{active}/activate"), serde_json::json!({})).await;
    let applied = "SELECT count(*) AS n FROM instances WHERE routing_applied_generation = routing_generation \
        AND active_app_server_id IS NOT NULL";
    until("it is active", async || pair.number(applied).await == 1).await;
    let checked = || {
        pair.site
            .asked()
            .iter()
            .filter(|asked| asked.starts_with("demo.localhost") && asked.ends_with("/heartbeat"))
            .count()
    };
    let before = checked();
    tokio::time::sleep(Duration::from_secs(15)).await;
    let checks = checked() - before;
    println!("{checks} checks in 15 s");
    assert!((1..=4).contains(&checks), "{checks} checks of one site in 15 s, one each 5 s");

    // Builds at both servers.
    let mut builds = Vec::new();
    for n in 0..4 {
        let instance = pair.instance(&format!("build-{n}")).await;
        builds.push(pair.launched(instance).await);
    }
    let at_work = |pid: u32| {
        format!("SELECT count(*) AS n FROM builds WHERE lease_holder LIKE '%/{pid}/%' AND step = 'playbooks'")
    };
    until("both build", async || pair.number(&at_work(pids[0])).await > 0 && pair.number(&at_work(pids[1])).await > 0)
        .await;
    let orphan = pair
        .number(&format!("SELECT max(app_server_id) AS n FROM builds WHERE lease_holder LIKE '%/{}/%'", pids[dying]))
        .await;
    let path = format!("/api/v1/app-servers/{orphan}/logs/stream");
    let mut stream = Stream::open(&pair.at(dying, &pair.admin), &path, None).await;
    let (mut seqs, mut last) = (Vec::new(), None);
    while seqs.len() < 20 {
        let message = stream.next().await.expect("the stream ended");
        last = message.id;
        seqs.extend(message.id);
    }

    pair.servers[dying].kill().await;
    let killed = Instant::now();
    while let Some(message) = stream.next().await {
        last = message.id;
        seqs.extend(message.id);
    }
    let mut stream = Stream::open(&pair.at(left, &pair.admin), &path, last).await;
    // No other process may do a duty before its lease has ended or its holder is known to be dead; within one lease and one
    // heartbeat, the other does all of them.
    until_within(LEASE + 2 * HEARTBEAT, "the other server does all duties", async || {
        let held = pair.text(DUTIES).await.unwrap_or_default();
        !held.is_empty()
            && held.split(',').all(|one| is_of(one.split_once('=').unwrap().1, pids[left]))
            && held.contains("visitors=")
    })
    .await;
    println!("all duties moved after {:?}", killed.elapsed());
    for id in &builds {
        pair.until_running(*id).await;
    }
    println!("all builds have ended {:?} after the kill", killed.elapsed());
    let end = pair.number(&format!("SELECT last_seq AS n FROM log_counters WHERE app_server_id = {orphan}")).await;
    while seqs.last() != Some(&end) {
        let message = stream.next().await.expect("the stream ended");
        seqs.extend(message.id);
    }
    let all: Vec<i64> = (1..=end).collect();
    assert_eq!(seqs, all, "each line once, without a gap");
    // Each line that was printed is in the log; the run that was cut off was begun again.
    let app_server = pair.app_server(orphan).await;
    assert_eq!(app_server["status"], "running", "{app_server:#}");

    // The balancer and the API have noticed nothing.
    for _ in 0..4 {
        pair.admin.get("/api/v1/auth/me").await.expect(200);
    }
    until_within(LONG, "the row of the killed server is not live", async || {
        pair.number("SELECT count(*) AS n FROM server_processes WHERE seen > now() - interval '15 seconds'").await == 1
    })
    .await;
    let before = pair.site.asked().len();
    until("the other server checks the sites", async || pair.site.asked().len() > before).await;
    pair.end().await;
}

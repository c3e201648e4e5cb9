//! Workers that stop in the middle of a build, and others that take over.

use std::sync::Arc;

use diesel_async::AsyncConnection;
use ocim::ansible::fake::FakeEnd;
use ocim::ansible::port::SpoolLine;
use ocim::instances::builds::Builder;
use ocim::instances::builds::lease;
use ocim::worker::{Duties, Worker};
use shared_types::{AppServerId, LogLevel};
use tokio_util::sync::CancellationToken;

use crate::app::{TestApp, until};

/// A builder that can be stopped by itself.
fn builder(app: &TestApp) -> (Builder, CancellationToken) {
    let stop = CancellationToken::new();
    (Builder::new(Arc::clone(&app.manager), 1, stop.clone()), stop)
}

#[tokio::test]
async fn another_worker_ends_the_orphan_and_runs_the_playbook_again() {
    let app = TestApp::idle().await;
    let instance = app.instance("demo").await;
    let id = app.launched(instance).await;
    app.ansible.next_run(FakeEnd::Blocks);
    let (first, stop) = builder(&app);
    let work = tokio::spawn(async move { first.advance(AppServerId(id)).await });
    until("the playbook runs", async || app.read_app_server(id).await["progress"]["tasks_done"] == 3).await;
    stop.cancel();
    work.await.unwrap().unwrap();
    let left = app.read_app_server(id).await;
    assert_eq!((&left["status"], &left["progress"]["step"]), (&"configuring".into(), &"playbooks".into()));

    let printed = SpoolLine {
        at: chrono::Utc::now(),
        level: LogLevel::Info,
        text: "the orphan's last words".to_owned(),
        task: None,
        progress: None,
    };
    app.ansible.next_recover(vec![printed]);
    let (second, _stop) = builder(&app);
    second.advance(AppServerId(id)).await.unwrap();
    let built = app.read_app_server(id).await;
    assert_eq!(built["status"], "running", "{built:#}");
    assert_eq!(built["progress"]["tasks_done"], 3, "tasks of the first run do not count twice");
    let calls = app.ansible.calls();
    assert_eq!((calls.recover, calls.run), (1, 2));
    assert_eq!(app.provider.calls().create, 1, "one machine");
    assert_eq!(app.provider.calls().replace_key, 1, "the orphan is kept away from it");
    let dirs: Vec<String> =
        app.ansible.specs().iter().map(|spec| spec.dir.file_name().unwrap().display().to_string()).collect();
    assert_eq!(dirs, ["0-1", "0-2"]);
    let log = app.log(id).await;
    let place =
        |words: &str| log.iter().position(|line| line.contains(words)).unwrap_or_else(|| panic!("{words}: {log:#?}"));
    assert!(place("the orphan's last words") < place("the playbook runs again, as run 2"));
    app.end().await;
}

#[tokio::test]
async fn lines_that_the_database_refuses_do_not_hold_a_build_or_its_stop() {
    let app = TestApp::idle().await;
    let instance = app.instance("demo").await;
    for is_stopped in [false, true] {
        let id = app.launched(instance).await;
        app.ansible.next_run(FakeEnd::Blocks);
        let (first, stop) = builder(&app);
        let work = tokio::spawn(async move { first.advance(AppServerId(id)).await });
        until("the playbook runs", async || app.read_app_server(id).await["progress"]["tasks_done"] == 3).await;
        stop.cancel();
        work.await.unwrap().unwrap();
        // Before the first year that Postgres knows.
        let at = chrono::DateTime::<chrono::Utc>::MIN_UTC;
        let poison = SpoolLine { at, level: LogLevel::Info, text: "x".to_owned(), task: None, progress: None };
        app.ansible.next_recover(vec![poison]);
        if is_stopped {
            let stop = format!("/api/v1/app-servers/{id}/stop");
            app.operator().await.post(&stop, serde_json::json!({})).await.expect(202);
        }
        let (second, _stop) = builder(&app);
        second.advance(AppServerId(id)).await.unwrap();
        let end = if is_stopped { "stopped" } else { "running" };
        assert_eq!(app.read_app_server(id).await["status"], end);
        let log = app.log(id).await;
        assert!(log.iter().any(|line| line == "(output that cannot be stored)"), "{log:#?}");
    }
    app.end().await;
}

#[tokio::test]
async fn a_build_that_was_interrupted_at_each_step_ends_as_if_it_was_not() {
    let app = TestApp::idle().await;
    let instance = app.instance("demo").await;
    let id = app.launched(instance).await;
    // Each worker is stopped as soon as the build has reached the next step.
    for step in ["checkout", "server", "playbooks", "checks"] {
        app.ansible.set_silent_checkouts(step == "checkout");
        app.provider.set_answers_ssh(step != "server");
        app.sites[0].set_healthy(step != "checks");
        if step == "playbooks" {
            app.ansible.next_run(FakeEnd::Blocks);
        }
        let (worker, stop) = builder(&app);
        let work = tokio::spawn(async move { worker.advance(AppServerId(id)).await });
        until(step, async || app.read_app_server(id).await["progress"]["step"] == step).await;
        if step == "playbooks" {
            // Otherwise the run that blocks would be the next worker's.
            until("the playbook runs", async || app.ansible.calls().run == 1).await;
        }
        stop.cancel();
        work.await.unwrap().unwrap();
        assert_eq!(
            app.number("SELECT count(*) AS n FROM builds WHERE lease_until IS NULL").await,
            1,
            "given back at {step}"
        );
    }
    app.sites[0].set_healthy(true);
    app.builder().advance(AppServerId(id)).await.unwrap();
    assert_eq!(app.read_app_server(id).await["status"], "running");
    assert_eq!(app.provider.calls().create, 1);
    app.end().await;
}

#[tokio::test]
async fn two_workers_do_not_run_the_same_build() {
    let app = TestApp::idle().await;
    let instance = app.instance("demo").await;
    let id = app.launched(instance).await;
    app.ansible.next_run(FakeEnd::Blocks);
    let (first, stop) = builder(&app);
    let work = tokio::spawn(async move { first.advance(AppServerId(id)).await });
    until("the playbook runs", async || app.ansible.calls().run == 1).await;
    let (second, _stop) = builder(&app);
    second.advance(AppServerId(id)).await.unwrap();
    let calls = app.ansible.calls();
    assert_eq!((calls.run, calls.recover), (1, 0), "the second one left it alone");
    assert_eq!(app.read_app_server(id).await["status"], "configuring");
    stop.cancel();
    work.await.unwrap().unwrap();
    second.advance(AppServerId(id)).await.unwrap();
    assert_eq!(app.read_app_server(id).await["status"], "running");
    app.end().await;
}

#[tokio::test]
async fn a_stale_fencing_token_is_refused() {
    let app = TestApp::idle().await;
    let instance = app.instance("demo").await;
    let id = AppServerId(app.launched(instance).await);
    let mut conn = app.conn().await;
    let old = lease::acquire(&mut conn, id, CancellationToken::new()).await.unwrap().unwrap();
    assert!(lease::acquire(&mut conn, id, CancellationToken::new()).await.unwrap().is_none(), "it is held");
    assert_eq!(lease::fence(&mut conn, &old).await.unwrap(), Ok(()));
    let run_out = diesel::sql_query("UPDATE builds SET lease_until = now() - interval '1 second'");
    diesel_async::RunQueryDsl::execute(run_out, &mut conn).await.unwrap();
    let new = lease::acquire(&mut conn, id, CancellationToken::new()).await.unwrap().unwrap();
    assert_eq!(lease::fence(&mut conn, &old).await.unwrap(), Err(lease::Lost));
    assert_eq!(lease::fence(&mut conn, &new).await.unwrap(), Ok(()));
    // The earlier holder cannot release the new holder's lease.
    lease::release(&mut conn, &old).await.unwrap();
    assert_eq!(lease::fence(&mut conn, &new).await.unwrap(), Ok(()));
    lease::release(&mut conn, &new).await.unwrap();
    assert_eq!(lease::fence(&mut conn, &new).await.unwrap(), Err(lease::Lost));
    app.end().await;
}

#[tokio::test]
async fn one_statement_renews_all_leases_and_waits_for_none_that_is_locked() {
    let app = TestApp::idle().await;
    let mut conn = app.conn().await;
    let mut leases = Vec::new();
    for name in ["one", "two", "three"] {
        let instance = app.instance(name).await;
        let id = AppServerId(app.launched(instance).await);
        leases.push(lease::acquire(&mut conn, id, CancellationToken::new()).await.unwrap().unwrap());
    }
    let due: Vec<_> = leases.iter().map(|lease| (lease.app_server, lease.token)).collect();
    let (first, second, third) = (due[0].0, due[1].0, due[2].0);
    // One lease is stolen; the row of another is locked by its own work.
    let stolen = "UPDATE builds SET lease_token = lease_token + 1 WHERE app_server_id = $1";
    let stolen = diesel::sql_query(stolen).bind::<diesel::sql_types::BigInt, _>(third);
    diesel_async::RunQueryDsl::execute(stolen, &mut conn).await.unwrap();
    let mut work = app.conn().await;
    let renewals = work
        .transaction(async |work| {
            assert_eq!(lease::fence(work, &leases[1]).await?, Ok(()));
            lease::renew(&mut conn, &due).await
        })
        .await
        .unwrap();
    assert!(renewals[&first].is_renewed && !renewals[&first].is_to_stop);
    assert!(!renewals[&second].is_renewed);
    assert!(!renewals.contains_key(&third));
    app.operator().await.post(&format!("/api/v1/app-servers/{second}/stop"), serde_json::json!({})).await.expect(202);
    let renewals = lease::renew(&mut conn, &due).await.unwrap();
    assert!(renewals[&second].is_renewed && renewals[&second].is_to_stop);
    let given_back = diesel::sql_query("UPDATE builds SET lease_holder = NULL, lease_until = NULL");
    diesel_async::RunQueryDsl::execute(given_back, &mut conn).await.unwrap();
    app.end().await;
}

#[tokio::test]
async fn a_worker_whose_lease_was_taken_ends_its_playbook_and_writes_nothing_more() {
    let app = TestApp::idle().await;
    let instance = app.instance("demo").await;
    let id = app.launched(instance).await;
    app.ansible.next_run(FakeEnd::Blocks);
    let (worker, _stop) = builder(&app);
    let work = tokio::spawn(async move { worker.advance(AppServerId(id)).await });
    until("the playbook runs", async || app.ansible.calls().run == 1).await;
    // Another worker takes the lease, as it would if this one was presumed dead.
    let mut conn = app.conn().await;
    let stolen = diesel::sql_query("UPDATE builds SET lease_token = lease_token + 1, lease_holder = 'elsewhere/1/1'");
    diesel_async::RunQueryDsl::execute(stolen, &mut conn).await.unwrap();
    work.await.unwrap().unwrap();
    assert_eq!(app.read_app_server(id).await["status"], "configuring");
    assert_eq!(app.number("SELECT count(*) AS n FROM builds WHERE lease_holder = 'elsewhere/1/1'").await, 1);
    let given_back = diesel::sql_query("UPDATE builds SET lease_holder = NULL, lease_until = NULL");
    diesel_async::RunQueryDsl::execute(given_back, &mut conn).await.unwrap();
    app.end().await;
}

#[tokio::test]
async fn a_build_whose_worker_is_known_to_be_dead_is_taken_up_at_once() {
    let app = TestApp::idle().await;
    let instance = app.instance("demo").await;
    let id = AppServerId(app.launched(instance).await);
    let mut conn = app.conn().await;
    lease::acquire(&mut conn, id, CancellationToken::new()).await.unwrap().unwrap();
    // A process id on this host that no process has.
    let died = diesel::sql_query(
        "UPDATE builds SET lease_holder = regexp_replace(lease_holder, '/[0-9]+/[0-9]+$', '/999999999/1')",
    );
    diesel_async::RunQueryDsl::execute(died, &mut conn).await.unwrap();
    let worker = app.builder();
    worker.dispatch().await.unwrap();
    worker.advance(id).await.unwrap();
    assert_eq!(app.read_app_server(id.0).await["status"], "running");
    app.end().await;
}

#[tokio::test]
async fn a_build_whose_worker_died_on_another_machine_is_taken_up_within_half_a_minute() {
    let app = TestApp::idle().await;
    let instance = app.instance("demo").await;
    let id = AppServerId(app.launched(instance).await);
    let mut conn = app.conn().await;
    lease::acquire(&mut conn, id, CancellationToken::new()).await.unwrap().unwrap();
    // Whether processes of another host run cannot be seen from here; only the lease's expiry counts.
    app.execute("UPDATE builds SET lease_holder = 'elsewhere/1/1'").await;
    let died = std::time::Instant::now();
    let duties = Duties { slots: 1, tells_gateway: true };
    let worker = Worker::start(app.watch.clone(), &app.bus, duties, app.stop.clone()).await.unwrap();
    until("the build has ended", async || app.read_app_server(id.0).await["status"] == "running").await;
    println!("running {:?} after its worker's last sign of life", died.elapsed());
    assert!(died.elapsed() < std::time::Duration::from_secs(30), "{:?}", died.elapsed());
    app.end().await;
    worker.ended().await;
}

#[tokio::test]
async fn a_worker_takes_no_build_after_a_newer_program_has_migrated_the_database() {
    let app = TestApp::idle().await;
    let instance = app.instance("demo").await;
    let id = AppServerId(app.launched(instance).await);
    app.execute("INSERT INTO __diesel_schema_migrations (version) VALUES ('29990101000000')").await;
    let mut conn = app.conn().await;
    assert!(lease::acquire(&mut conn, id, CancellationToken::new()).await.unwrap().is_none());
    ocim::worker::disk::watch(&app.manager).await;
    let words = "a newer version of ocim has migrated the database: update this program, and start it again";
    assert_eq!(app.manager.trouble.now().as_deref(), Some(words));
    app.builder().advance(id).await.unwrap();
    assert_eq!(app.number("SELECT count(*) AS n FROM builds WHERE begun_at IS NOT NULL OR lease_token > 0").await, 0);
    app.execute("DELETE FROM __diesel_schema_migrations WHERE version = '29990101000000'").await;
    ocim::worker::disk::watch(&app.manager).await;
    assert_eq!(app.manager.trouble.now(), None);
    let lease = lease::acquire(&mut conn, id, CancellationToken::new()).await.unwrap().unwrap();
    lease::release(&mut conn, &lease).await.unwrap();
    app.end().await;
}

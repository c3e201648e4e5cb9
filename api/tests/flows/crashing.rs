//! Processes that are killed before or after each of their effects, in every step of a build, a stop, a termination and
//! a switch: the process that takes over finishes the work as if there had been no crash.

use ocim::instances::builds::Builder;
use serde_json::json;
use shared_types::{AppServerId, InstanceId, Role};

use super::{buckets, resources};
use crate::app::{TestApp, crash::End};
use crate::routes::auth::ssh_keys::KEY;

/// Asserts a successful build, independent of how often it was taken over.
async fn assert_built(app: &TestApp, id: i64, at: &str) {
    let built = app.read_app_server(id).await;
    assert_eq!(built["status"], "running", "killed {at}: {built:#}");
    assert!(built["steps"].as_array().unwrap().iter().all(|step| step["outcome"] == "done"), "killed {at}: {built:#}");
    assert_eq!(built["progress"]["tasks_done"], 3, "killed {at}");
    assert_eq!(built["server"]["status"], "ready", "killed {at}");
}

/// Asserts that a process was killed before and after each of these effects.
fn assert_died_around(effects: &[&str], died: &[String]) {
    for effect in effects {
        for when in ["before", "after"] {
            assert!(died.contains(&format!("{when} {effect}")), "no crash {when} {effect}: {died:?}");
        }
    }
}

/// Kills the builds of new instances at each of their points in turn, until one survives. `check` gets the number of the instances,
/// the last one, and where its build was killed. Gives all those points.
async fn kill_builds_of_new_instances(
    app: &TestApp,
    new_instance: impl AsyncFn(String) -> i64,
    check: impl AsyncFn(usize, i64, &str),
) -> Vec<String> {
    let mut died = Vec::new();
    for point in 1.. {
        let instance = new_instance(format!("crash{point}")).await;
        let id = app.launched(instance).await;
        let ended = app.advance_elsewhere(id, point).await;
        app.outlive_leases().await;
        app.builder().advance(AppServerId(id)).await.unwrap();
        let End::Died(at) = ended else { break };
        assert_built(app, id, &at).await;
        check(point, instance, &at).await;
        died.push(at);
    }
    died
}

/// Asserts that there are `count` machines, one per app server.
fn assert_machines(app: &TestApp, count: usize, at: &str) {
    assert_eq!(app.provider.machines().len(), count, "machines after it was killed {at}");
}

#[tokio::test]
async fn a_build_survives_a_crash_at_every_point() {
    let app = TestApp::idle().await;
    let key = json!({ "public_key": KEY });
    app.session(Role::Operator).await.post("/api/v1/auth/ssh-keys", key).await.expect(201);
    let instance = app.instance("demo").await;
    let mut died = Vec::new();
    for point in 1.. {
        let id = app.launched(instance).await;
        match app.advance_elsewhere(id, point).await {
            End::Done(points) => {
                assert_eq!(points.len(), died.len(), "every point was died at");
                break;
            }
            End::Died(at) => {
                app.outlive_leases().await;
                app.builder().advance(AppServerId(id)).await.unwrap();
                // Runs the finished build once more: a job may be delivered twice.
                app.builder().advance(AppServerId(id)).await.unwrap();
                assert_built(&app, id, &at).await;
                assert_machines(&app, point, &at);
                died.push(at);
            }
        }
    }
    assert_died_around(
        &["resolve", "create", "find", "ssh", "prepare", "install people", "run", "reboot", "boot marker"],
        &died,
    );
    app.end().await;
}

#[tokio::test]
async fn a_build_with_databases_survives_a_crash_at_every_point() {
    let (app, server) = resources::with_mysql([]).await;
    let new_instance = async |name: String| resources::stored(&app, &name).await;
    let died = kill_builds_of_new_instances(&app, new_instance, async |count, instance, at| {
        let own = format!("SELECT count(*) AS n FROM resources WHERE instance_id = {instance} AND state = 'present'");
        assert_eq!(app.number(&own).await, 3, "killed {at}");
        assert_eq!((server.accounts().len(), server.databases().len()), (count, 2 * count), "killed {at}");
    })
    .await;
    assert_died_around(&["look for a name", "make an account", "make a database"], &died);
    app.end().await;
}

#[tokio::test]
async fn a_build_with_buckets_survives_a_crash_at_every_point() {
    let (app, store) = buckets::with_s3().await;
    let new_instance = async |name: String| buckets::filed(&app, &name).await;
    let died = kill_builds_of_new_instances(&app, new_instance, async |count, _, at| {
        // Each has two, which were opened to its pages; all log in with one account.
        let made = (store.accounts().len(), store.databases().len(), store.admitted().len());
        assert_eq!(made, (1, 2 * count, 2 * count), "killed {at}");
    })
    .await;
    assert_died_around(&["look for a name", "make an account", "make a database", "open a bucket"], &died);
    app.end().await;
}

#[tokio::test]
async fn a_deletion_of_databases_survives_a_crash_at_every_point() {
    let (app, server) = resources::with_mysql([]).await;
    let mut died = Vec::new();
    for point in 1.. {
        let instance = resources::stored(&app, &format!("crash{point}")).await;
        app.built(instance).await;
        app.execute(&format!("UPDATE resources SET state = 'deleting' WHERE instance_id = {instance}")).await;
        let sweep = |builder: Builder| async move { builder.manager().works().sweep().await.unwrap() };
        let ended = app.elsewhere(point, sweep).await;
        app.outlive_leases().await;
        app.manager.works().sweep().await.unwrap();
        assert!(server.accounts().is_empty() && server.databases().is_empty(), "{ended:?}");
        let left = "SELECT count(*) AS n FROM resources WHERE state <> 'deleted' OR secret <> '{}'";
        assert_eq!(app.number(left).await, 0, "{ended:?}");
        let End::Died(at) = ended else { break };
        died.push(at);
    }
    assert_died_around(&["delete a database", "delete an account"], &died);
    app.end().await;
}

#[tokio::test]
async fn a_build_survives_a_second_crash_after_take_over() {
    let app = TestApp::idle().await;
    let instance = app.instance("demo").await;
    // Every third crash point of the first process, with every fifth of the one that takes over.
    let mut machines = 0;
    for first in (1..).step_by(3) {
        let mut is_over = false;
        for second in (1..).step_by(5) {
            let id = app.launched(instance).await;
            machines += 1;
            let End::Died(at) = app.advance_elsewhere(id, first).await else {
                is_over = true;
                break;
            };
            app.outlive_leases().await;
            let ended = app.advance_elsewhere(id, second).await;
            app.outlive_leases().await;
            app.builder().advance(AppServerId(id)).await.unwrap();
            assert_built(&app, id, &at).await;
            assert_machines(&app, machines, &at);
            if matches!(ended, End::Done(_)) {
                break;
            }
        }
        if is_over {
            break;
        }
    }
    app.end().await;
}

#[tokio::test]
async fn a_stop_survives_a_crash_at_every_point() {
    let app = TestApp::idle().await;
    let instance = app.instance("demo").await;
    let operator = app.operator().await;
    for point in 1.. {
        let id = app.launched(instance).await;
        let End::Died(at) = app.advance_elsewhere(id, point).await else { break };
        operator.post(&format!("/api/v1/app-servers/{id}/stop"), json!({})).await.expect(202);
        app.outlive_leases().await;
        // The process that stops the build dies too, at each point of the stop in turn.
        for of_stop in 1.. {
            let ended = app.advance_elsewhere(id, of_stop).await;
            app.outlive_leases().await;
            if matches!(ended, End::Done(_)) {
                break;
            }
        }
        let stopped = app.read_app_server(id).await;
        assert_eq!(stopped["status"], "stopped", "killed {at}");
        assert_eq!(stopped["server"]["status"], "terminated", "killed {at}");
        assert_machines(&app, 0, &at);
    }
    app.end().await;
}

#[tokio::test]
async fn a_termination_survives_a_crash_at_every_point() {
    let app = TestApp::idle().await;
    let instance = app.instance("demo").await;
    let id = app.running(instance).await;
    ocim::instances::traffic::apply_routing::apply_all(&app.manager).await.unwrap();
    app.operator().await.post(&format!("/api/v1/app-servers/{id}/terminate"), json!({})).await.expect(202);
    let mut died = Vec::new();
    for point in 1.. {
        let remove = move |builder: ocim::instances::builds::Builder| async move {
            ocim::instances::builds::terminate::remove(builder.manager(), AppServerId(id)).await.unwrap();
        };
        match app.elsewhere(point, remove).await {
            End::Died(at) => died.push(at),
            End::Done(_) => break,
        }
    }
    assert_eq!(died, ["before terminate", "after terminate"]);
    assert_eq!(app.read_app_server(id).await["server"]["status"], "terminated");
    assert_machines(&app, 0, "in the end");
    app.end().await;
}

#[tokio::test]
async fn a_switch_reaches_the_gateway_after_a_crash_at_every_point() {
    let app = TestApp::idle().await;
    let instance = app.instance("demo").await;
    let (first, second) = (app.running(instance).await, app.running(instance).await);
    for (id, site) in [(first, 0), (second, 1), (first, 0)] {
        app.operator().await.post(&format!("/api/v1/app-servers/{id}/activate"), json!({})).await.expect(202);
        for point in 1.. {
            let tell = move |builder: ocim::instances::builds::Builder| async move {
                ocim::instances::traffic::apply_routing::apply_routing(builder.manager(), InstanceId(instance))
                    .await
                    .unwrap();
            };
            if matches!(app.elsewhere(point, tell).await, End::Done(_)) {
                break;
            }
        }
        assert_eq!(app.traffic.table()["demo.localhost"], Some(app.sites[site].address));
        let behind = "SELECT count(*) AS n FROM instances WHERE routing_applied_generation < routing_generation";
        assert_eq!(app.number(behind).await, 0);
    }
    app.end().await;
}

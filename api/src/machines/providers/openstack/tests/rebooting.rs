//! Restarts.

use rstest::rstest;
use serde_json::json;

use super::cloud::{Cloud, ONE, SERVERS, active, nova_error, permanent, reference, server, transient, with};
use super::http::Reply;
use crate::machines::provider::Provider;

fn action() -> String {
    format!("{SERVERS}/{ONE}/action")
}

fn conflict(state: &str) -> Reply {
    let message = format!("Cannot 'reboot' instance {ONE} while it is in {state}");
    nova_error("conflictingRequest", 409, &message)
}

async fn cloud(status: &str) -> Cloud {
    let cloud = Cloud::start(&[server(ONE, 7, status)]).await;
    cloud.http.on("POST", &action(), [Reply::empty(202)]);
    cloud
}

fn kinds(cloud: &Cloud) -> Vec<String> {
    let requests = cloud.http.requests("POST", &action());
    requests.iter().map(|request| request.body["reboot"]["type"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_restart_is_soft() {
    let cloud = cloud("ACTIVE").await;
    cloud.provider().reboot(&reference(7, Some(ONE))).await.unwrap();
    assert_eq!(kinds(&cloud), ["SOFT"]);
}

#[rstest]
#[case("REBOOT")]
#[case("HARD_REBOOT")]
#[tokio::test]
async fn a_restart_that_is_under_way_is_enough(#[case] status: &str) {
    let cloud = cloud(status).await;
    cloud.http.on("POST", &action(), [conflict("task_state rebooting")]);
    cloud.provider().reboot(&reference(7, Some(ONE))).await.unwrap();
    assert_eq!(kinds(&cloud), ["SOFT"]);
}

#[rstest]
#[case("SHUTOFF")]
#[case("ERROR")]
#[tokio::test]
async fn a_server_that_does_not_run_is_restarted_hard(#[case] status: &str) {
    let cloud = cloud(status).await;
    cloud.http.on("POST", &action(), [conflict("vm_state stopped"), Reply::empty(202)]);
    cloud.provider().reboot(&reference(7, Some(ONE))).await.unwrap();
    assert_eq!(kinds(&cloud), ["SOFT", "HARD"]);
}

#[tokio::test]
async fn a_restart_during_the_build_is_tried_later() {
    let cloud = cloud("BUILD").await;
    cloud.http.on("POST", &action(), [conflict("vm_state building")]);
    let words = transient(cloud.provider().reboot(&reference(7, Some(ONE))).await);
    assert!(words.contains("Nova answers 409: Cannot 'reboot' instance"), "{words}");
}

#[tokio::test]
async fn a_server_that_is_being_deleted_is_not_restarted() {
    let cloud = cloud("ACTIVE").await;
    cloud.serve(&[with(active(ONE, 7, "10.0.0.5"), &json!({ "OS-EXT-STS:task_state": "deleting" }))]);
    cloud.http.on("POST", &action(), [conflict("task_state deleting")]);
    let words = permanent(cloud.provider().reboot(&reference(7, Some(ONE))).await);
    assert!(words.contains("while it is in task_state deleting"), "{words}");
}

#[tokio::test]
async fn a_strangers_server_is_not_restarted() {
    let cloud = cloud("ACTIVE").await;
    cloud.serve(&[with(active(ONE, 7, "10.0.0.5"), &json!({ "metadata": { "ocim_server_id": "7" } }))]);
    let words = permanent(cloud.provider().reboot(&reference(7, Some(ONE))).await);
    assert_eq!(words, "the cloud has no server 7 of this installation to reboot");
    assert_eq!(cloud.changes(), Vec::<String>::new());
}

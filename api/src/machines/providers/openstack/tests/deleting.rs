//! Deletions, verified.

use serde_json::{Value, json};

use super::cloud::{
    Cloud, INSTALLATION, ONE, OTHER, SERVERS, active, nova_error, permanent, reference, server, transient, with,
};
use super::http::Reply;
use crate::machines::provider::Provider;

fn one() -> String {
    format!("{SERVERS}/{ONE}")
}

fn gone() -> Reply {
    nova_error("itemNotFound", 404, &format!("Instance {ONE} could not be found."))
}

fn shown(server: &Value) -> Reply {
    Reply::json(200, &json!({ "server": server }))
}

fn deleting(server: Value) -> Value {
    with(server, &json!({ "OS-EXT-STS:task_state": "deleting" }))
}

/// A cloud with one server of ours, which then is shown like this, reply by reply.
async fn cloud(replies: impl IntoIterator<Item = Reply>) -> Cloud {
    let cloud = Cloud::start(&[active(ONE, 7, "10.0.0.5")]).await;
    cloud.http.on("DELETE", &one(), [Reply::empty(204)]);
    cloud.http.on("GET", &one(), replies);
    cloud
}

fn deletes(cloud: &Cloud) -> usize {
    cloud.http.requests("DELETE", &one()).len()
}

#[tokio::test]
async fn a_deletion_returns_when_nova_no_longer_knows_the_server() {
    let cloud =
        cloud([shown(&deleting(active(ONE, 7, "10.0.0.5"))), shown(&deleting(active(ONE, 7, "10.0.0.5"))), gone()])
            .await;
    cloud.provider().terminate(&reference(7, Some(ONE))).await.unwrap();
    assert_eq!((deletes(&cloud), cloud.http.requests("GET", &one()).len()), (1, 3));
}

#[tokio::test]
async fn deleted_is_gone_and_active_without_an_address_is_not() {
    // Deleted while it was spawned, a server is ACTIVE for a moment.
    let cloud = cloud([shown(&server(ONE, 7, "ACTIVE")), shown(&server(ONE, 7, "DELETED"))]).await;
    cloud.provider().terminate(&reference(7, Some(ONE))).await.unwrap();
    assert_eq!((deletes(&cloud), cloud.http.requests("GET", &one()).len()), (1, 2));
}

#[tokio::test]
async fn gone_already_is_success() {
    let cloud = Cloud::start(&[]).await;
    cloud.http.on("GET", &one(), [gone()]);
    cloud.provider().terminate(&reference(7, Some(ONE))).await.unwrap();
    cloud.provider().terminate(&reference(7, None)).await.unwrap();
    assert_eq!(cloud.changes(), Vec::<String>::new());
    // Listed, and deleted by others before our request.
    cloud.serve(&[active(ONE, 7, "10.0.0.5")]);
    cloud.http.on("DELETE", &one(), [gone()]);
    cloud.http.on("GET", &one(), [gone()]);
    cloud.provider().terminate(&reference(7, Some(ONE))).await.unwrap();
}

#[tokio::test]
async fn a_deletion_that_ends_in_an_error_is_tried_again() {
    let fault = json!({ "fault": { "code": 500, "message": "ostb_destroy_error asked for it" } });
    let failed = with(server(ONE, 7, "ERROR"), &fault);
    let cloud = cloud([shown(&failed), shown(&deleting(failed.clone())), gone()]).await;
    cloud.provider().terminate(&reference(7, Some(ONE))).await.unwrap();
    assert_eq!(deletes(&cloud), 2);
    cloud.http.on("GET", &one(), [shown(&failed)]);
    let words = transient(cloud.provider().terminate(&reference(7, Some(ONE))).await);
    assert!(words.ends_with("ostb_destroy_error asked for it"), "{words}");
    assert_eq!(deletes(&cloud), 2 + 3, "tried three times, then left to the caller");
}

#[tokio::test]
async fn a_server_in_error_is_deleted_once() {
    // It keeps its status until it is gone.
    let cloud = cloud([shown(&deleting(server(ONE, 7, "ERROR"))), gone()]).await;
    cloud.serve(&[]);
    cloud.serve(&[server(OTHER, 8, "ERROR")]);
    cloud.http.on("GET", &one(), [shown(&server(ONE, 7, "ERROR")), shown(&deleting(server(ONE, 7, "ERROR"))), gone()]);
    cloud.provider().terminate(&reference(7, Some(ONE))).await.unwrap();
    assert_eq!(cloud.changes(), [format!("DELETE {}", one())]);
}

#[tokio::test]
async fn a_deletion_that_does_not_end_is_given_back_to_the_caller() {
    let cloud = cloud([shown(&deleting(active(ONE, 7, "10.0.0.5")))]).await;
    let words = transient(cloud.impatient().terminate(&reference(7, Some(ONE))).await);
    assert_eq!(words, format!("Delete server {ONE}: it is still there after 400ms, with status ACTIVE, task deleting"));
    assert_eq!(deletes(&cloud), 1);
}

#[tokio::test]
async fn a_locked_server_is_refused_in_novas_words() {
    let cloud = cloud([gone()]).await;
    cloud.http.on("DELETE", &one(), [nova_error("conflictingRequest", 409, &format!("Instance {ONE} is locked"))]);
    let words = permanent(cloud.provider().terminate(&reference(7, Some(ONE))).await);
    assert_eq!(words, format!("Delete server {ONE}: Nova answers 409: Instance {ONE} is locked"));
}

#[tokio::test]
async fn both_servers_of_one_id_are_deleted_and_no_others() {
    let strangers = [
        with(server("s1", 7, "ACTIVE"), &json!({ "metadata": { "ocim_installation": "x", "ocim_server_id": "7" } })),
        with(server("s2", 7, "ACTIVE"), &json!({ "metadata": { "ocim_server_id": "7" } })),
        with(server("s3", 7, "ACTIVE"), &json!({ "metadata": { "ocim_installation": INSTALLATION } })),
        with(server("s4", 7, "ACTIVE"), &json!({ "metadata": {}, "name": "demo-7" })),
        server("o1", 77, "ACTIVE"),
    ];
    let mut servers = vec![active(ONE, 7, "10.0.0.5"), active(OTHER, 7, "10.0.0.6")];
    servers.extend(strangers);
    let cloud = Cloud::start(&servers).await;
    for id in [ONE, OTHER] {
        let path = format!("{SERVERS}/{id}");
        cloud.http.on("DELETE", &path, [Reply::empty(204)]);
        cloud.http.on("GET", &path, [gone()]);
    }
    // Even if the database names a stranger.
    cloud.provider().terminate(&reference(7, Some("s1"))).await.unwrap();
    let mut changes = cloud.changes();
    changes.sort();
    assert_eq!(changes, [format!("DELETE {SERVERS}/{OTHER}"), format!("DELETE {SERVERS}/{ONE}")]);
}

#[tokio::test]
async fn a_server_that_the_list_leaves_out_is_deleted_or_said_to_be_away() {
    // Nova's list leaves out the servers of a cell that does not answer.
    let cloud = cloud([nova_error("computeFault", 500, "Unexpected API Error.")]).await;
    cloud.serve(&[]);
    transient(cloud.provider().terminate(&reference(7, Some(ONE))).await);
    cloud.http.on("GET", &one(), [shown(&active(ONE, 7, "10.0.0.5")), gone()]);
    cloud.provider().terminate(&reference(7, Some(ONE))).await.unwrap();
    assert_eq!(deletes(&cloud), 1);
}

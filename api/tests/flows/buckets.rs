//! Buckets and containers: opened to the pages of an application, emptied in parts, one store for each instance. The stores are in
//! memory and fail on request; real ones are in `system::resources`.

use std::collections::BTreeSet;
use std::sync::Arc;

use ocim::resources::providers::fake::{FakeCall, FakeServer};
use ocim::resources::registry::{Named, Servers};
use ocim::resources::server::ServerError;
use serde_json::{Value, json};
use shared_types::{ResourceKind, Role};

use super::resources::named;
use crate::app::{Setup, TestApp};

const PATH: &str = "/api/v1/instances";

/// The program with these stores. Builds run only when the test advances them.
async fn with(stores: impl IntoIterator<Item = Named>) -> TestApp {
    TestApp::with(Setup { works: false, resources: Servers::new(stores), ..Setup::default() }).await
}

/// The program with a store of S3.
pub(super) async fn with_s3() -> (TestApp, Arc<FakeServer>) {
    let s3 = store(ResourceKind::S3);
    (with([named("files", &s3)]).await, s3)
}

fn store(kind: ResourceKind) -> Arc<FakeServer> {
    Arc::new(FakeServer::new(kind))
}

/// Creates a notebook whose edition has files; gives its id.
pub(super) async fn filed(app: &TestApp, address: &str) -> i64 {
    let body = json!({
        "name": address, "instance_type": "notebook", "address": format!("{address}.campus.example"), "edition": "filed",
        "max_builds": 4,
    });
    app.operator().await.post(PATH, body).await.expect(201)["id"].as_i64().unwrap()
}

async fn list(app: &TestApp, id: i64) -> Vec<Value> {
    app.viewer().await.get(&format!("{PATH}/{id}/resources")).await.expect(200)["items"].as_array().unwrap().clone()
}

/// Archives and purges an instance without machines; gives the answer.
async fn purge(app: &TestApp, id: i64) -> Value {
    app.operator().await.delete(&format!("{PATH}/{id}?terminate=true")).await.expect(200);
    app.execute("UPDATE servers SET status = 'terminated' WHERE status <> 'terminated'").await;
    let domain = app.read_instance(id).await["domain"].clone();
    app.person(Role::Admin).await.post(&format!("{PATH}/{id}/purge"), json!({ "confirm": domain })).await.expect(200)
}

#[tokio::test]
async fn a_build_makes_buckets_and_opens_them_to_the_pages_of_the_application() {
    let (app, s3) = with_s3().await;
    let id = filed(&app, "one").await;
    let built = app.built(id).await;
    assert_eq!(built["status"], "running", "{built:#}");
    let rows = list(&app, id).await;
    let shown: Vec<_> = rows.iter().map(|row| format!("{} {}", row["name"], row["state"])).collect();
    assert_eq!(shown, ["\"account\" \"present\"", "\"files\" \"present\"", "\"public\" \"present\""]);
    assert_eq!((&rows[0]["remote_name"], &rows[0]["is_shared"]), (&json!("shared"), &json!(true)));
    let name = |row: usize| rows[row]["remote_name"].as_str().unwrap().to_owned();
    assert!(name(1).starts_with("ocim-") && name(1).contains(&format!("-{id}-")), "{}", name(1));
    let admitted = s3.admitted();
    let pages = vec!["https://one.campus.example".to_owned()];
    assert_eq!((&admitted[&name(1)], &admitted[&name(2)]), (&(false, pages.clone()), &(true, pages)));
    let variables = json!(app.ansible.specs().pop().unwrap().variables);
    assert_eq!(variables["store_s3"]["databases"], json!({ "files": name(1), "public": name(2) }));
    assert!(
        variables["store_s3"]["password"].to_string().contains("the-keys-secret") && variables["store_swift"].is_null()
    );
    app.end().await;
}

#[tokio::test]
async fn instances_share_the_key_of_the_settings_and_each_has_buckets_of_its_own() {
    let (app, s3) = with_s3().await;
    let (one, other) = (filed(&app, "one").await, filed(&app, "two").await);
    for id in [one, other] {
        assert_eq!(app.built(id).await["status"], "running");
    }
    assert_eq!((s3.databases().len(), s3.accounts().len()), (4, 1));
    let administrator = app.person(Role::Admin).await;
    let problem = administrator
        .post(&format!("{PATH}/{one}/resources/s3/rotate"), json!({ "cuts_off": true }))
        .await
        .problem(409);
    assert!(problem["detail"].as_str().unwrap().contains("which other instances use"), "{problem}");
    let shown = administrator.post(&format!("{PATH}/{one}/resources/s3/credentials"), json!({})).await.expect(200);
    assert_eq!((&shown["password"], shown["databases"].as_object().unwrap().len()), (&json!("the-keys-secret"), 2));
    let deleted = purge(&app, one).await["deleted"].to_string();
    assert!(deleted.contains("S3 bucket files") && !deleted.contains("account"), "other instances use it: {deleted}");
    app.manager.works().sweep().await.unwrap();
    assert!(list(&app, one).await.is_empty());
    let kept: Vec<_> =
        list(&app, other).await[1..].iter().map(|row| row["remote_name"].as_str().unwrap().to_owned()).collect();
    assert_eq!(s3.databases().into_keys().collect::<BTreeSet<_>>(), BTreeSet::from_iter(kept));
    assert_eq!(app.built(other).await["status"], "running");
    app.end().await;
}

#[tokio::test]
async fn a_large_bucket_is_deleted_in_parts_by_one_sweep_after_another() {
    let (app, s3) = with_s3().await;
    let id = filed(&app, "one").await;
    app.built(id).await;
    purge(&app, id).await;
    for _ in 0..3 {
        s3.next_call(FakeCall::Fails(ServerError::Unfinished(
            "20000 objects were deleted, and it has more".to_owned(),
        )));
    }
    // The first bucket does not keep the second one from its part.
    app.manager.works().sweep().await.unwrap();
    let rows = list(&app, id).await;
    assert!(rows.len() == 3 && rows[1]["trouble"].as_str().unwrap().contains("20000 objects were deleted"), "{rows:?}");
    let delayed = "SELECT count(*) AS n FROM resources WHERE next_try IS NOT NULL OR failures > 0";
    assert_eq!(app.number(delayed).await, 0, "the next sweep goes on at once");
    app.manager.works().sweep().await.unwrap();
    assert_eq!(list(&app, id).await.len(), 2, "one bucket is left, and its account");
    app.manager.works().sweep().await.unwrap();
    assert!(list(&app, id).await.is_empty() && s3.databases().is_empty());
    app.end().await;
}

#[tokio::test]
async fn a_store_without_cors_is_used_and_the_log_says_what_it_does_not_have() {
    let (app, s3) = with_s3().await;
    s3.refuse_origins();
    let id = filed(&app, "one").await;
    let built = app.built(id).await;
    assert_eq!(built["status"], "running", "{built:#}");
    assert!(app.log_says(built["id"].as_i64().unwrap(), "the store has no CORS").await);
    let rows = list(&app, id).await;
    assert_eq!(rows[1]["state"], "present");
    assert!(rows[1]["trouble"].as_str().unwrap().contains("has no CORS") && rows[0]["trouble"].is_null(), "{rows:?}");
    app.end().await;
}

#[tokio::test]
async fn an_instance_has_one_store_and_keeps_the_one_that_it_chose() {
    let (s3, swift) = (store(ResourceKind::S3), store(ResourceKind::Swift));
    let app = with([named("files", &s3), named("objects", &swift)]).await;
    let (first, second) = (filed(&app, "one").await, filed(&app, "two").await);
    app.operator()
        .await
        .put(&format!("{PATH}/{second}/resources/swift"), json!({ "server": "objects" }))
        .await
        .expect(200);
    for id in [first, second] {
        assert_eq!(app.built(id).await["status"], "running");
    }
    assert_eq!((s3.databases().len(), swift.databases().len()), (2, 1));
    assert!(list(&app, first).await.iter().all(|row| row["kind"] == "s3"));
    assert!(list(&app, second).await.iter().all(|row| row["kind"] == "swift"));
    app.end().await;
}

#[tokio::test]
async fn a_bucket_that_others_have_got_meanwhile_is_renamed_and_not_touched() {
    let (app, s3) = with_s3().await;
    let id = filed(&app, "one").await;
    let first = app.launched(id).await;
    let name = list(&app, id).await[1]["remote_name"].as_str().unwrap().to_owned();
    s3.add_stranger(&name);
    app.builder().advance(shared_types::AppServerId(first)).await.unwrap();
    let failed = app.read_app_server(first).await;
    assert!(
        failed["failure"].as_str().unwrap().contains("S3 bucket files") && failed["status"] == "error",
        "{failed:#}"
    );
    assert_eq!(app.built(id).await["status"], "running");
    assert!(s3.databases()[&name].contains("stranger") && !s3.admitted().contains_key(&name));
    app.end().await;
}

#[tokio::test]
async fn an_entered_bucket_is_used_with_its_key_and_its_options() {
    let app = with([]).await;
    let id = filed(&app, "one").await;
    let given = json!({ "given": {
        "host": "s3.eu-west-1.amazonaws.com", "username": "AKIA1", "password": "otters-juggle",
        "databases": { "files": "campus-files", "public": "campus-public" }, "options": { "region": "eu-west-1" },
    }});
    app.operator().await.put(&format!("{PATH}/{id}/resources/s3"), given).await.expect(200);
    assert_eq!(app.built(id).await["status"], "running");
    let variables = json!(app.ansible.specs().pop().unwrap().variables);
    assert_eq!(
        (&variables["store_s3"]["user"], &variables["store_s3"]["databases"]["files"]),
        (&json!("AKIA1"), &json!("campus-files"))
    );
    assert!(list(&app, id).await.iter().all(|row| row["is_shared"] == false && row["class"] == "given"));
    app.end().await;
}

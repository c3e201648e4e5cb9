//! What every store of objects must do: the port's contract, on the real ones.

use std::time::Duration;

use ocim::resources::providers::s3::{Addressing, S3};
use ocim::resources::providers::swift::TempAuth;
use ocim::resources::providers::{Emptying, ObjectStore, swift};
use ocim::resources::server::{Account, Admitted, Attempt, Endpoint, ResourceServer, ServerError};
use ocim::resources::tls::Tls;
use serde_json::json;
use shared_types::resource::ResourcePart::{Account as AccountPart, Database};
use shared_types::{AppServerId, Role};

use super::moto::Moto;
use super::strangers::{built_twice, create, purge};
use super::swift::Swift;
use super::{only, servers};
use crate::app::{Setup, TestApp, until};

/// Fills a bucket with so many objects of ten bytes.
trait Fill {
    async fn fill(&self, bucket: &str, count: usize);
}

impl Fill for Swift {
    async fn fill(&self, bucket: &str, count: usize) {
        Swift::fill(self, bucket, count).await;
    }
}

impl Fill for Moto {
    async fn fill(&self, bucket: &str, count: usize) {
        Moto::fill(self, bucket, count).await;
    }
}

/// Goes through the life of two buckets, each call twice.
async fn keeps_the_contract(server: &dyn ResourceServer, store: &impl Fill) {
    let shared = server.shared_account().unwrap();
    assert!(!server.is_used(AccountPart, "shared").await.unwrap());
    server.make_account(&shared, Attempt::First).await.unwrap();
    server.make_account(&shared, Attempt::Again).await.unwrap();
    assert!(server.has(AccountPart, "shared").await.unwrap());
    for name in ["ocim-1f2e3d4c-7-abcdefgh", "ocim-1f2e3d4c-7-ijklmnop"] {
        assert!(!server.is_used(Database, name).await.unwrap() && !server.has(Database, name).await.unwrap());
        server.make_database(name, "shared", Attempt::First).await.unwrap();
        server.make_database(name, "shared", Attempt::Again).await.unwrap();
        assert!(server.is_used(Database, name).await.unwrap() && server.has(Database, name).await.unwrap());
        assert_eq!(server.names(Database, "ocim-1f2e3d4c-").await, Ok(vec![name.to_owned()]));
        assert_eq!(server.names(Database, "ocim-00000000-").await, Ok(Vec::new()));
        assert_eq!(server.size(name).await, Ok(Some(0)));
        store.fill(name, 3).await;
        assert_eq!(server.size(name).await, Ok(Some(30)));
        server.delete_database(name).await.unwrap();
        server.delete_database(name).await.unwrap();
        assert!(!server.is_used(Database, name).await.unwrap() && !server.has(Database, name).await.unwrap());
        assert_eq!(server.size(name).await, Ok(None));
    }
    server.delete_account("shared").await.unwrap();
    assert!(server.has(AccountPart, "shared").await.unwrap(), "other instances use it");
    // After a crash between two calls: the second attempt makes what the first one did not.
    server.make_database("ocim-1f2e3d4c-7-abcdefgh", "shared", Attempt::Again).await.unwrap();
    server.delete_database("ocim-1f2e3d4c-7-abcdefgh").await.unwrap();
}

#[tokio::test]
#[ignore = "needs Swift and moto: make test-resources"]
async fn every_store_keeps_the_contract_and_is_left_as_it_was() {
    let (swift, moto) = (Swift::start().await, Moto::start().await);
    let before = (swift.listing().await, moto.listing().await);
    keeps_the_contract(only(&servers(&swift.table())).as_ref(), &swift).await;
    keeps_the_contract(only(&servers(&swift.s3_table())).as_ref(), &swift).await;
    keeps_the_contract(only(&servers(&moto.table())).as_ref(), &moto).await;
    assert_eq!((swift.listing().await, moto.listing().await), before);
}

/// A bucket is emptied in parts, each of which leaves the rest to the next call.
async fn is_emptied_in_parts(server: &dyn ResourceServer, store: &impl Fill) {
    server.make_database("ocim-1-a", "shared", Attempt::First).await.unwrap();
    store.fill("ocim-1-a", 9).await;
    let first = server.delete_database("ocim-1-a").await.unwrap_err();
    assert!(matches!(&first, ServerError::Unfinished(words) if words.contains("it has more")), "{first:?}");
    let left = server.size("ocim-1-a").await.unwrap().unwrap();
    assert!((10..90).contains(&left), "{left} bytes are left");
    let mut calls = 1;
    while let Err(error) = server.delete_database("ocim-1-a").await {
        assert!(matches!(error, ServerError::Unfinished(_)), "{error:?}");
        calls += 1;
        assert!(calls < 9, "it does not come to an end");
    }
    assert!(!server.is_used(Database, "ocim-1-a").await.unwrap());
}

fn at(port: u16, path: &str, user: &str, key: &str) -> ObjectStore {
    let _ = rustls::crypto::ring::default_provider().install_default();
    ObjectStore {
        url: format!("http://127.0.0.1:{port}{path}").parse().unwrap(),
        account: Account { username: user.to_owned(), password: key.to_owned().into() },
        tls: Tls::Off,
        endpoint: Endpoint { host: "127.0.0.1".to_owned(), port, has_tls: false },
        emptying: Emptying { objects: 4, time: Duration::from_secs(20) },
    }
}

#[tokio::test]
#[ignore = "needs Swift and moto: make test-resources"]
async fn a_large_bucket_is_deleted_by_several_calls() {
    let (swift, moto) = (Swift::start().await, Moto::start().await);
    let own = at(swift.port, "/auth/v1.0", "ocim:admin", "k/ey-1");
    let login = TempAuth::new(own.url.clone(), own.account.clone(), &own.tls).unwrap();
    let server = swift::Swift::new(own, std::sync::Arc::new(login), std::collections::BTreeMap::new()).unwrap();
    is_emptied_in_parts(&server, &swift).await;
    let s3 = |port, user, key| S3::new(at(port, "", user, key), None, Addressing::Path).unwrap();
    is_emptied_in_parts(&s3(swift.port, "ocim:admin", "k/ey-1"), &swift).await;
    is_emptied_in_parts(&s3(moto.port, "k", "s"), &moto).await;
}

#[tokio::test]
#[ignore = "needs Swift: make test-resources"]
async fn a_store_that_is_away_in_mid_deletion_is_emptied_when_it_is_back() {
    let mut swift = Swift::start().await;
    let resources = servers(&swift.table());
    let app = TestApp::with(Setup { works: false, resources, ..Setup::default() }).await;
    let id = create(&app, "one", json!([{ "kind": "swift", "name": "files" }])).await;
    let app_server = app.launched(id).await;
    swift.stop();
    let builder = app.builder();
    let building = tokio::spawn(async move { builder.advance(AppServerId(app_server)).await.unwrap() });
    until("the log says so", async || app.log_says(app_server, "(trying again)").await).await;
    assert!(app.provider.machines().is_empty());
    swift.resume().await;
    building.await.unwrap();
    assert_eq!(app.until_built(app_server).await["status"], "running");
    let administrator = app.person(Role::Admin).await;
    let listed =
        async || administrator.get(&format!("/api/v1/instances/{id}/resources")).await.expect(200)["items"].clone();
    let name = listed().await[1]["remote_name"].as_str().unwrap().to_owned();
    swift.fill(&name, 5).await;
    purge(&app, &[id]).await;
    swift.stop();
    app.manager.works().sweep().await.unwrap();
    assert!(listed().await.as_array().unwrap().iter().all(|one| one["state"] == "deleting"));
    swift.resume().await;
    // A part was deleted before: the rest follows.
    swift.ask(Some("ocim"), reqwest::Method::DELETE, &format!("{name}/a/0"), "").await;
    app.execute("UPDATE resources SET next_try = now()").await;
    app.manager.works().sweep().await.unwrap();
    assert_eq!((listed().await, swift.listing().await), (json!([]), Vec::<String>::new()));
    app.end().await;
}

#[tokio::test]
#[ignore = "needs Swift: make test-resources"]
async fn a_purge_of_twenty_instances_touches_no_bucket_of_twenty_strangers() {
    const COUNT: usize = 20;
    let swift = Swift::start().await;
    for number in 0..COUNT {
        // Of the same account and of another one; every second one is almost one of ours.
        let name = if number.is_multiple_of(2) {
            format!("wordpress-{number}")
        } else {
            format!("ocim-00000000-{number}-abcdefgh")
        };
        for user in ["ocim", "strangers"] {
            swift.ask(Some(user), reqwest::Method::PUT, &name, "").await;
            swift.ask(Some(user), reqwest::Method::PUT, &format!("{name}/theirs"), "x").await;
        }
    }
    let before = swift.listing().await;
    let tables = [swift.table(), swift.s3_table()].concat();
    let app = TestApp::with(Setup { works: false, resources: servers(&tables), ..Setup::default() }).await;
    let wanted = json!([{ "kind": "swift", "name": "public" }, { "kind": "s3", "name": "files" }]);
    let mut ids = Vec::new();
    for number in 0..COUNT {
        ids.push(built_twice(&app, &format!("site{number}"), wanted.clone()).await);
    }
    assert_eq!(swift.listing().await.len() - before.len(), 2 * COUNT);
    let names = "SELECT string_agg(remote_name, ' ') AS text FROM resources WHERE part = 'database'";
    for name in app.text(names).await.split(' ') {
        swift.fill(name, 1).await;
    }
    purge(&app, &ids).await;
    while app.number("SELECT count(*) AS n FROM resources WHERE state = 'deleting' AND failures = 0").await > 0 {
        app.manager.works().sweep().await.unwrap();
    }
    assert_eq!(app.number("SELECT count(*) AS n FROM resources WHERE state <> 'deleted'").await, 0);
    assert_eq!(swift.listing().await, before);
    app.end().await;
}

#[tokio::test]
#[ignore = "needs Swift and moto: make test-resources"]
async fn a_name_that_is_taken_is_not_touched() {
    let (swift, moto) = (Swift::start().await, Moto::start().await);
    swift.ask(Some("ocim"), reqwest::Method::PUT, "ocim-1-a", "").await;
    swift.fill("ocim-1-a", 1).await;
    moto.put_bucket("ocim-1-a", None).await;
    let before = (swift.listing().await, moto.listing().await);
    for table in [swift.table(), swift.s3_table(), moto.table()] {
        let server = only(&servers(&table));
        assert!(server.is_used(Database, "ocim-1-a").await.unwrap(), "{table}");
    }
    for table in [swift.table(), swift.s3_table()] {
        let taken = only(&servers(&table)).make_database("ocim-1-a", "shared", Attempt::First).await;
        assert_eq!(taken, Err(ServerError::Taken), "{table}");
    }
    assert_eq!((swift.listing().await, moto.listing().await), before);
    let refused = only(&servers(&swift.s3_table()))
        .admit("ocim-1-a", &Admitted { is_public: true, origins: &["https://one.example".to_owned()] })
        .await
        .unwrap();
    assert_eq!(refused.len(), 2, "Swift's interface of S3 has neither policy nor CORS: {refused:?}");
    assert!(refused[0].contains("publicly readable") && refused[1].contains("CORS"), "{refused:?}");
}

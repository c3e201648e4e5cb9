//! Verifications: a backup is loaded into databases made for this, which are deleted in any case.

use ocim::backups::BackupError;
use ocim::backups::fake::FakeOperation;
use ocim::resources::names;
use ocim::resources::providers::fake::FakeCall;
use ocim::resources::server::ServerError;
use serde_json::{Value, json};
use shared_types::ResourceKind;

use super::{NEW, OLD, World};

#[tokio::test]
async fn a_verification_loads_every_file_and_leaves_the_databases_as_they_are() {
    let world = World::new().await;
    let [pages, readers] = world.names().await;
    world.backups.set_database(&pages, OLD);
    let id = world.complete().await;
    let (before, changes) = (world.server.databases(), world.server.changes());
    let asked = world.asks(id, "verify").await;
    assert_eq!((&asked["work"], &asked["verified"]), (&json!("verify"), &Value::Null));
    world.app.operator().await.post(&world.path(), json!({})).await.problem(409);
    world.work().await;
    let verified = world.newest().await;
    assert_eq!(
        (verified["verified"].is_string(), &verified["trouble"], &verified["work"]),
        (true, &Value::Null, &Value::Null)
    );
    assert_eq!((world.server.databases(), world.backups.count(FakeOperation::Load)), (before, 2));
    assert_eq!(world.server.changes(), changes + 6, "each was deleted, made, and deleted");
    assert!(world.hold(&[pages], OLD) && world.hold(&[readers], ""));
    assert_eq!(world.lines("is verified").await, 1);
    world.app.end().await;
}

#[tokio::test]
async fn what_cannot_be_loaded_is_said_and_nothing_of_the_trial_is_left() {
    let world = World::new().await;
    let id = world.complete().await;
    let before = world.server.databases();
    world.backups.next_fails(FakeOperation::Load, BackupError::Damaged("the file is cut off".to_owned()));
    world.asks(id, "verify").await;
    world.work().await;
    let failed = world.newest().await;
    assert_eq!(
        (&failed["verified"], &failed["state"], &failed["work"]),
        (&Value::Null, &json!("complete"), &Value::Null)
    );
    assert_eq!(failed["trouble"], "MySQL database pages: the file is cut off");
    assert_eq!(world.server.databases(), before);
    let installation = world.app.db.installation().await.unwrap();
    let trial = names::trial(ResourceKind::Mysql, &installation, world.instance, "pages");
    // The program counts other tables than the backup had.
    let [pages, _] = world.names().await;
    world.backups.set_database(&pages, NEW);
    let second = world.complete().await;
    world.backups.hold(FakeOperation::Tables);
    world.asks(second, "verify").await;
    let meanwhile = async {
        crate::app::until("it is loaded", async || world.backups.count(FakeOperation::Tables) > 0).await;
        assert!(world.server.databases().contains_key(&trial), "it is there while it is looked at");
        world.backups.set_database(&trial, OLD);
        world.backups.release(FakeOperation::Tables);
    };
    tokio::join!(world.work(), meanwhile);
    let words = "it has 3 tables after it was loaded, and had 4 when the backup was written";
    assert_eq!(world.newest().await["trouble"], format!("MySQL database pages: {words}"));
    assert_eq!(world.server.databases(), before);
    world.app.end().await;
}

#[tokio::test]
async fn a_server_that_is_away_delays_a_verification_and_a_leftover_is_deleted_first() {
    let world = World::new().await;
    let id = world.complete().await;
    let before = world.server.databases();
    world.server.next_call(FakeCall::AnswerLost);
    world.server.next_call(FakeCall::Fails(ServerError::Away("the server restarts".to_owned())));
    world.asks(id, "verify").await;
    world.work().await;
    assert!(world.newest().await["trouble"].as_str().unwrap().contains("the answer was lost"));
    world.server.set_away(true);
    world.hurry().await;
    world.work().await;
    assert!(world.newest().await["trouble"].as_str().unwrap().contains("does not answer"));
    world.server.set_away(false);
    let installation = world.app.db.installation().await.unwrap();
    world.server.add_stranger(&names::trial(ResourceKind::Mysql, &installation, world.instance, "pages"));
    world.hurry().await;
    world.work().await;
    assert!(world.newest().await["trouble"].as_str().unwrap().contains("the server restarts"));
    world.hurry().await;
    world.work().await;
    assert!(world.newest().await["verified"].is_string());
    assert_eq!(world.server.databases(), before);
    world.app.end().await;
}

#[tokio::test]
async fn without_the_key_backups_are_made_and_none_is_read() {
    let world = World::new().await;
    world.backups.set_no_restore(Some("There is no key: set OCIM_BACKUP_IDENTITY_FILE."));
    let id = world.complete().await;
    assert!(world.shown().await["why_no_restore"].as_str().unwrap().contains("OCIM_BACKUP_IDENTITY_FILE"));
    for verb in ["verify", "restore"] {
        let path = format!("{}/{id}/{verb}", world.path());
        let body = if verb == "restore" { json!({ "confirm": "one" }) } else { json!({}) };
        let problem = world.app.person(shared_types::Role::Admin).await.post(&path, body).await.problem(409);
        assert!(problem["detail"].as_str().unwrap().contains("There is no key"), "{problem}");
    }
    world.app.end().await;
}

//! Restores: behind the maintenance page, and only from files that are whole.

use ocim::backups::BackupError;
use ocim::backups::fake::FakeOperation;
use ocim::instances::backups::RESTORING;
use ocim::resources::providers::fake::FakeCall;
use ocim::resources::server::ServerError;
use serde_json::{Value, json};
use shared_types::Role;

use super::{NEW, OLD, PATH, World};
use crate::app::until;

/// A world whose databases hold something else than its one backup; gives its id, and the names of the databases.
async fn changed() -> (World, i64, [String; 2]) {
    let world = World::new().await;
    let names = world.names().await;
    names.iter().for_each(|name| world.backups.set_database(name, OLD));
    let id = world.complete().await;
    names.iter().for_each(|name| world.backups.set_database(name, NEW));
    (world, id, names)
}

async fn page(world: &World) -> Value {
    world.app.read_instance(world.instance).await["maintenance"]["text"].clone()
}

#[tokio::test]
async fn a_restore_brings_old_contents_back_behind_the_page() {
    let (world, id, names) = changed().await;
    let changes = world.server.changes();
    world.app.traffic.set_away(true);
    let asked = world.asks(id, "restore").await;
    assert_eq!(asked["work"], "restore");
    tokio::select! {
        () = world.work() => panic!("it must wait for the gateway"),
        () = async {
            until("the page is decided", async || page(&world).await == RESTORING).await;
            // Several rounds of its wait.
            tokio::time::sleep(std::time::Duration::from_millis(200)).await;
        } => {}
    }
    assert_eq!(
        (world.server.changes(), world.notice()),
        (changes, None),
        "nothing is deleted before visitors get the page"
    );
    assert!(world.hold(&names, NEW));
    world.app.traffic.set_away(false);
    world.outlive_claims().await;
    world.backups.hold(FakeOperation::Load);
    let meanwhile = async {
        until("it is loaded", async || world.backups.count(FakeOperation::Load) > 0).await;
        assert_eq!((world.notice().as_deref(), world.server.changes()), (Some(RESTORING), changes + 2));
        world.backups.release(FakeOperation::Load);
    };
    tokio::join!(world.work(), meanwhile);
    world.work().await;
    let restored = world.newest().await;
    assert_eq!((restored["restored"].is_string(), &restored["trouble"]), (true, &Value::Null));
    assert!(world.hold(&names, OLD));
    assert_eq!((world.server.changes(), world.server.databases().len()), (changes + 4, 2), "each was deleted and made");
    assert_eq!((page(&world).await, world.notice()), (Value::Null, None));
    assert_eq!(world.lines("is restored").await, 1);
    let entries = "SELECT count(*) AS n FROM audit_log WHERE action IN ('restore_backup', 'begin_maintenance', 'end_maintenance')";
    assert_eq!(world.app.number(entries).await, 3);
    world.app.end().await;
}

#[tokio::test]
async fn the_page_of_a_person_stays() {
    let (world, id, names) = changed().await;
    let operator = world.app.operator().await;
    let path = format!("{PATH}/{}/maintenance", world.instance);
    operator.put(&path, json!({ "text": "Back at 5." })).await.expect(200);
    world.asks(id, "restore").await;
    world.work().await;
    assert!(world.hold(&names, OLD));
    assert_eq!((page(&world).await, world.notice().as_deref()), (json!("Back at 5."), Some("Back at 5.")));
    operator.delete(&path).await.expect(200);
    // One who changes the text of the restore's page keeps it up.
    world.backups.hold(FakeOperation::Load);
    world.asks(id, "restore").await;
    let meanwhile = async {
        until("the page is up", async || world.notice().as_deref() == Some(RESTORING)).await;
        operator.put(&path, json!({ "text": "Back at 6." })).await.expect(200);
        world.backups.release(FakeOperation::Load);
    };
    tokio::join!(world.work(), meanwhile);
    assert_eq!(page(&world).await, "Back at 6.");
    world.app.end().await;
}

#[tokio::test]
async fn a_restore_that_fails_after_a_deletion_keeps_the_page_until_another_one_succeeds() {
    let (world, id, names) = changed().await;
    world.backups.next_fails(FakeOperation::Load, BackupError::Permanent("unknown collation".to_owned()));
    world.asks(id, "restore").await;
    world.work().await;
    let failed = world.newest().await;
    let words = failed["trouble"].as_str().unwrap();
    assert!(words.contains("are incomplete") && words.contains("MySQL database pages: unknown collation"), "{words}");
    assert!(words.contains("Restore this backup again"), "{words}");
    assert_eq!((&failed["work"], &failed["restored"]), (&Value::Null, &Value::Null));
    assert_eq!((page(&world).await, world.notice().as_deref()), (json!(RESTORING), Some(RESTORING)));
    // A later one that fails before it deletes does not take the page down either.
    world.backups.next_fails(FakeOperation::Check, BackupError::Damaged("the file is cut off".to_owned()));
    world.asks(id, "restore").await;
    world.work().await;
    assert_eq!(world.newest().await["trouble"], "MySQL database pages: the file is cut off. Nothing was deleted.");
    assert_eq!(page(&world).await, RESTORING);
    world.asks(id, "restore").await;
    world.work().await;
    assert_eq!((&world.newest().await["trouble"], page(&world).await), (&Value::Null, Value::Null));
    assert!(world.hold(&names, OLD));
    world.app.end().await;
}

#[tokio::test]
async fn of_a_damaged_backup_nothing_is_restored_and_no_page_is_put_up() {
    let (world, id, names) = changed().await;
    world.backups.damage(&format!("{}/{id}", world.instance));
    let changes = world.server.changes();
    world.asks(id, "restore").await;
    world.work().await;
    let words = format!(
        "MySQL database pages: the file of pages in {}/{id} is not what was written. Nothing was deleted.",
        world.instance
    );
    assert_eq!(world.newest().await["trouble"], words);
    assert_eq!((world.server.changes(), page(&world).await), (changes, Value::Null));
    assert!(world.hold(&names, NEW));
    let put = "SELECT count(*) AS n FROM audit_log WHERE action = 'begin_maintenance'";
    assert_eq!(world.app.number(put).await, 0);
    world.app.end().await;
}

#[tokio::test]
async fn a_server_that_goes_away_delays_a_restore_behind_the_page() {
    let (world, id, names) = changed().await;
    world.server.next_call(FakeCall::AnswerLost);
    world.server.next_call(FakeCall::Fails(ServerError::Away("the server restarts".to_owned())));
    world.asks(id, "restore").await;
    for words in ["the answer was lost", "the server restarts"] {
        world.work().await;
        let waiting = world.newest().await;
        assert_eq!((&waiting["work"], page(&world).await), (&json!("restore"), json!(RESTORING)));
        assert!(waiting["trouble"].as_str().unwrap().contains(words), "{waiting:#}");
        world.hurry().await;
    }
    world.work().await;
    assert_eq!((&world.newest().await["trouble"], page(&world).await), (&Value::Null, Value::Null));
    assert!(world.hold(&names, OLD));
    assert_eq!(world.server.databases().len(), 2);
    world.app.end().await;
}

#[tokio::test]
async fn a_restore_is_refused_where_it_could_not_end_well() {
    let world = World::new().await;
    let id = world.complete().await;
    let (app, instance) = (&world.app, world.instance);
    let (administrator, operator) = (app.person(Role::Admin).await, app.operator().await);
    let path = format!("{}/{id}/restore", world.path());
    let ask = async |confirm: &str| administrator.post(&path, json!({ "confirm": confirm })).await;
    for confirm in ["", "One", "one.campus.example"] {
        assert!(ask(confirm).await.field_error("/confirm").contains("Type the instance's name, one,"), "{confirm}");
    }
    let refused = async |words: &str| {
        let problem = ask("one").await.problem(409);
        assert!(problem["detail"].as_str().unwrap().contains(words), "{words}: {problem}");
    };
    let building = app.launched(instance).await;
    refused("is being built with the databases").await;
    app.builder().advance(shared_types::AppServerId(building)).await.unwrap();
    let [pages, _] = world.names().await;
    app.execute(&format!("UPDATE resources SET state = 'deleting' WHERE remote_name = '{pages}'")).await;
    refused("The MySQL database pages is deleting").await;
    app.execute(&format!("UPDATE resources SET state = 'deleted' WHERE remote_name = '{pages}'")).await;
    refused("Launch an app server, which makes it").await;
    assert_eq!(app.built(instance).await["status"], "running");
    operator.delete(&format!("{PATH}/{instance}?terminate=true")).await.expect(200);
    refused("is archived").await;
    operator.post(&format!("{PATH}/{instance}/restore"), json!({})).await.expect(200);
    ask("one").await.expect(202);
    refused("is being restored").await;
    // What would disturb it waits.
    let problem = operator.post(&format!("{PATH}/{instance}/app-servers"), json!({})).await.problem(409);
    assert!(problem["detail"].as_str().unwrap().contains("are being replaced by those of backup"), "{problem}");
    operator.delete(&format!("{PATH}/{instance}?terminate=true")).await.problem(409);
    let rotate = format!("{PATH}/{instance}/resources/mysql/rotate");
    administrator.post(&rotate, json!({ "cuts_off": true })).await.problem(409);
    world.work().await;
    assert!(world.newest().await["restored"].is_string());
    assert_eq!(app.built(instance).await["status"], "running");
    world.app.end().await;
}

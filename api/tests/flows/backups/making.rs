//! Requests for backups, and how they are written.

use std::sync::Arc;

use ocim::backups::BackupError;
use ocim::backups::fake::FakeOperation;
use ocim::resources::providers::fake::FakeServer;
use serde_json::{Value, json};
use shared_types::{ResourceKind, Role};

use super::super::resources::{named, stored, with_mysql};
use super::{NEW, OLD, PATH, World};
use crate::app::TestApp;

#[tokio::test]
async fn a_request_becomes_a_complete_backup_of_all_databases() {
    let world = World::new().await;
    let shown = world.shown().await;
    assert_eq!(shown["contents"], json!(["MySQL database pages", "MySQL database readers"]));
    assert_eq!((&shown["items"], &shown["left_out"], &shown["why_none"]), (&json!([]), &json!([]), &Value::Null));
    assert_eq!(
        (&shown["why_no_restore"], &shown["every_hours"], &shown["keep"]),
        (&Value::Null, &Value::Null, &json!(7))
    );
    let [pages, readers] = world.names().await;
    world.backups.set_database(&pages, OLD);
    world.backups.set_database(&readers, NEW);
    let id = world.requested().await;
    let writing = world.newest().await;
    assert_eq!(
        (&writing["state"], &writing["work"], &writing["pieces"]),
        (&json!("writing"), &json!("write"), &json!([]))
    );
    world.work().await;
    let complete = world.newest().await;
    assert_eq!(
        (&complete["id"], &complete["state"], &complete["work"]),
        (&json!(id), &json!("complete"), &Value::Null)
    );
    assert_eq!(
        (&complete["reason"], &complete["trouble"], complete["ended"].is_string()),
        (&json!("requested"), &Value::Null, true)
    );
    let pieces = json!([
        { "kind": "mysql", "name": "pages", "bytes": OLD.len(), "objects": null, "copied": null },
        { "kind": "mysql", "name": "readers", "bytes": NEW.len(), "objects": null, "copied": null },
    ]);
    assert_eq!(complete["pieces"], pieces);
    let files = world.backups.files(&format!("{}/{id}", world.instance));
    let names: Vec<_> = files.iter().map(|(_, name, content)| (name.as_str(), content.as_str())).collect();
    assert_eq!(names, [("pages", OLD), ("readers", NEW)]);
    for words in ["was asked for by operator", "is being written", "is complete: MySQL database pages (3 tables"] {
        assert_eq!(world.lines(words).await, 1, "{words}");
    }
    let entries = "SELECT count(*) AS n FROM audit_log WHERE action = 'create_backup' AND outcome = 'done'";
    assert_eq!(world.app.number(entries).await, 1);
    world.app.end().await;
}

#[tokio::test]
async fn a_second_request_is_refused_while_a_backup_is_written() {
    let world = World::new().await;
    let (app, path) = (&world.app, world.path());
    let id = world.requested().await;
    let operator = app.operator().await;
    let problem = operator.post(&path, json!({})).await.problem(409);
    assert!(problem["detail"].as_str().unwrap().starts_with(&format!("Backup {id} of instance")), "{problem}");
    operator.post(&format!("{path}/{id}/verify"), json!({})).await.problem(409);
    let administrator = app.person(Role::Admin).await;
    administrator.delete(&format!("{path}/{id}")).await.problem(409);
    world.work().await;
    operator.post(&path, json!({})).await.expect(202);
    let (one, other) = tokio::join!(operator.post(&path, json!({})), operator.post(&path, json!({})));
    assert_eq!([one.status.as_u16(), other.status.as_u16()], [409, 409]);
    assert_eq!(app.number("SELECT count(*) AS n FROM backups").await, 2);
    world.app.end().await;
}

#[tokio::test]
async fn what_may_pass_is_tried_again_later_and_the_rest_ends_the_backup() {
    let world = World::new().await;
    world.backups.next_fails(FakeOperation::Dump, BackupError::Transient("the server does not answer".to_owned()));
    world.requested().await;
    world.work().await;
    let waiting = world.newest().await;
    assert_eq!(
        (&waiting["state"], &waiting["trouble"]),
        (&json!("writing"), &json!("MySQL database pages: the server does not answer"))
    );
    world.work().await;
    assert_eq!(world.backups.count(FakeOperation::Dump), 1, "not before the pause is over");
    world.hurry().await;
    world.work().await;
    let complete = world.newest().await;
    assert_eq!((&complete["state"], &complete["trouble"]), (&json!("complete"), &Value::Null));
    world.backups.next_fails(FakeOperation::Dump, BackupError::Permanent("access denied".to_owned()));
    let id = world.requested().await;
    world.work().await;
    let failed = world.newest().await;
    assert_eq!((&failed["state"], &failed["work"]), (&json!("failed"), &Value::Null));
    assert_eq!(failed["trouble"], "MySQL database pages: access denied");
    assert_eq!((world.places().await, world.lines("could not be written").await), (1, 1), "nothing of it is left");
    world.app.operator().await.post(&format!("{}/{id}/verify", world.path()), json!({})).await.problem(409);
    world.app.end().await;
}

#[tokio::test]
async fn ten_attempts_are_the_most_and_their_words_are_logged_once() {
    let world = World::new().await;
    world.requested().await;
    for attempt in 1..=10 {
        assert_eq!(world.newest().await["state"], "writing", "before attempt {attempt}");
        world.backups.next_fails(FakeOperation::Dump, BackupError::Transient("the disk is full".to_owned()));
        world.hurry().await;
        world.work().await;
    }
    let failed = world.newest().await;
    assert_eq!(failed["state"], "failed");
    assert!(failed["trouble"].as_str().unwrap().ends_with("the disk is full (after 10 attempts)"), "{failed:#}");
    assert_eq!((world.lines("trying again").await, world.lines("is being written").await), (1, 1));
    world.complete().await;
    world.app.end().await;
}

#[tokio::test]
async fn a_database_that_an_operator_entered_is_in_a_backup_too() {
    let world = World::new().await;
    let app = &world.app;
    let id = stored(app, "two").await;
    let given = json!({ "given": { "host": "rds.example", "username": "campus", "password": "otters-juggle",
        "databases": { "pages": "campus", "readers": "campus_readers" } } });
    app.operator().await.put(&format!("{PATH}/{id}/resources/mysql"), given).await.expect(200);
    let path = format!("{PATH}/{id}/backups");
    let backup = app.operator().await.post(&path, json!({})).await.expect(202)["id"].as_i64().unwrap();
    world.work().await;
    assert_eq!(app.viewer().await.get(&path).await.expect(200)["items"][0]["state"], "complete");
    let call = world.backups.calls().pop().unwrap();
    assert_eq!((call.operation, call.database.as_deref()), (FakeOperation::Dump, Some("campus_readers")));
    let administrator = app.person(Role::Admin).await;
    for (verb, body) in [("verify", json!({})), ("restore", json!({ "confirm": "two" }))] {
        let problem = administrator.post(&format!("{path}/{backup}/{verb}"), body).await.problem(409);
        let words = problem["detail"].as_str().unwrap();
        assert!(words.contains("was entered by an operator") && words.contains("by hand"), "{words}");
    }
    world.app.end().await;
}

#[tokio::test]
async fn what_is_in_no_backup_is_said_with_what_to_do() {
    let redis = Arc::new(FakeServer::new(ResourceKind::Redis));
    let (app, _) = with_mysql([named("cache", &redis)]).await;
    let id = stored(&app, "one").await;
    let shown = async |app: &TestApp, id| app.viewer().await.get(&format!("{PATH}/{id}/backups")).await.expect(200);
    app.built(id).await;
    let listed = shown(&app, id).await;
    assert_eq!(listed["left_out"], json!(["Redis database cache: ocim makes no backups of Redis"]));
    for field in ["why_none", "why_no_restore"] {
        assert!(listed[field].as_str().unwrap().contains("set OCIM_BACKUP_DIR"), "{listed:#}");
    }
    let problem = app.operator().await.post(&format!("{PATH}/{id}/backups"), json!({})).await.problem(409);
    assert_eq!(problem["detail"], listed["why_none"]);
    app.end().await;
    let world = World::new().await;
    let plain = world.app.instance("demo").await;
    let listed = shown(&world.app, plain).await;
    assert!(listed["why_none"].as_str().unwrap().contains("no databases outside its machines"), "{listed:#}");
    let wanted = stored(&world.app, "two").await;
    world.app.launched(wanted).await;
    let listed = shown(&world.app, wanted).await;
    assert!(listed["why_none"].as_str().unwrap().contains("MySQL database pages: it is not made yet"), "{listed:#}");
    world.app.end().await;
}

#[tokio::test]
async fn viewers_see_backups_and_operators_make_them_and_administrators_do_the_rest() {
    let world = World::new().await;
    let id = world.complete().await;
    let (app, path) = (&world.app, world.path());
    let viewer = app.viewer().await;
    viewer.get(&path).await.expect(200);
    viewer.post(&path, json!({})).await.problem(403);
    viewer.post(&format!("{path}/{id}/verify"), json!({})).await.problem(403);
    let operator = app.operator().await;
    operator.post(&format!("{path}/{id}/restore"), json!({ "confirm": "one" })).await.problem(403);
    operator.delete(&format!("{path}/{id}")).await.problem(403);
    assert_eq!(app.number("SELECT count(*) AS n FROM backups WHERE work IS NOT NULL").await, 0);
    let other = stored(app, "two").await;
    let administrator = app.person(Role::Admin).await;
    administrator.delete(&format!("{PATH}/{other}/backups/{id}")).await.problem(404);
    let deleted = administrator.delete(&format!("{path}/{id}")).await.expect(202);
    assert_eq!(deleted["work"], "delete");
    administrator.delete(&format!("{path}/{id}")).await.expect(202);
    world.backups.next_fails(FakeOperation::Delete, BackupError::Permanent("permission denied".to_owned()));
    world.work().await;
    assert_eq!(world.newest().await["trouble"], "permission denied");
    world.hurry().await;
    world.work().await;
    assert_eq!((&world.shown().await["items"], world.places().await), (&json!([]), 0));
    assert_eq!(world.lines("is deleted").await, 1);
    world.app.end().await;
}

#[tokio::test]
async fn a_purge_waits_for_the_work_and_leaves_backups() {
    let world = World::new().await;
    let id = world.complete().await;
    let (app, instance) = (&world.app, world.instance);
    app.operator().await.delete(&format!("{PATH}/{instance}?terminate=true")).await.expect(200);
    app.execute("UPDATE servers SET status = 'terminated' WHERE status <> 'terminated'").await;
    world.requested().await;
    let (administrator, confirm) = (app.person(Role::Admin).await, json!({ "confirm": "one.campus.example" }));
    let purge = format!("{PATH}/{instance}/purge");
    let problem = administrator.post(&purge, confirm.clone()).await.problem(409);
    assert!(problem["detail"].as_str().unwrap().contains("is being written"), "{problem}");
    world.work().await;
    administrator.post(&purge, confirm).await.expect(200);
    app.manager.works().sweep().await.unwrap();
    assert!(world.server.databases().is_empty());
    let shown = world.shown().await;
    assert_eq!(shown["items"].as_array().unwrap().len(), 2);
    assert!(shown["why_none"].as_str().unwrap().contains("no databases outside its machines"), "{shown:#}");
    let problem = administrator.post(&format!("{}/{id}/verify", world.path()), json!({})).await.problem(409);
    assert!(problem["detail"].as_str().unwrap().contains("no account of MySQL any more"), "{problem}");
    administrator.delete(&format!("{}/{id}", world.path())).await.expect(202);
    world.work().await;
    assert_eq!(world.shown().await["items"].as_array().unwrap().len(), 1);
    world.app.end().await;
}

#[tokio::test]
async fn no_password_is_stored_or_logged() {
    let world = World::new().await;
    let id = world.complete().await;
    for verb in ["verify", "restore"] {
        world.asks(id, verb).await;
        world.work().await;
    }
    assert!(world.newest().await["restored"].is_string());
    let (_, password) = world.server.accounts().pop_first().unwrap();
    assert!(world.backups.count(FakeOperation::Load) > 3);
    for table in ["backups", "audit_log", "log_entries", "events", "instances"] {
        let clear = format!("SELECT count(*) AS n FROM {table} AS t WHERE to_jsonb(t)::text LIKE '%{password}%'");
        assert_eq!(world.app.number(&clear).await, 0, "{table}");
    }
    assert!(!world.shown().await.to_string().contains(&password));
    world.app.end().await;
}

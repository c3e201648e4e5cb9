//! What is copied of a bucket: what has changed since the last backup.

use ocim::backups::fake::FakeOperation;
use ocim::instances::store::backups::schedule;
use serde_json::{Value, json};
use shared_types::InstanceId;

use super::super::PATH;
use super::{Store, create};

#[tokio::test]
async fn objects_that_have_not_changed_are_not_read_again() {
    let store = Store::filled(25, 100).await;
    let shown = store.world.shown().await;
    let contents = ["MySQL database pages", "MySQL database readers", "S3 bucket files", "S3 bucket public"];
    assert_eq!((&shown["contents"], &shown["left_out"]), (&json!(contents), &json!([])));
    store.world.complete().await;
    assert_eq!((store.objects.take_reads().len(), store.pool().len()), (25, 25));
    let bytes = store.all().values().map(String::len).sum::<usize>();
    assert_eq!(store.pieces().await, json!([["files", 25, 25, bytes], ["public", 0, 0, 0]]));
    assert_eq!(store.world.lines("S3 bucket files (25 objects, 25 copied anew").await, 1);
    // Another content, the same content once more, a new one, and one that is gone.
    store.put("o/03", "other");
    store.put("o/04", &store.all()["o/04"]);
    store.put("été/☃ ..", "");
    store.objects.remove(&store.files, "o/05");
    store.world.complete().await;
    assert_eq!(store.objects.take_reads(), ["o/03", "o/04", "été/☃ .."]);
    let pieces = store.pieces().await;
    assert_eq!((&pieces[0][1], &pieces[0][2], store.pool().len()), (&json!(25), &json!(3), 28));
    store.world.complete().await;
    assert_eq!((store.objects.take_reads(), store.pool().len()), (Vec::new(), 28));
    store.world.app.end().await;
}

#[tokio::test]
async fn copies_are_encrypted_and_names_are_in_no_list_that_is_not() {
    let store = Store::new().await;
    store.put("grades of zoe", "secret-1 secret-1 secret-1");
    let id = store.world.complete().await;
    let files = store.everything();
    let instance = store.world.instance;
    let ends = |end: &str| files.iter().filter(|file| file.to_str().unwrap().ends_with(end)).count();
    assert_eq!((ends(&format!("{instance}/{id}/s3-files.objects.zst.age")), ends("/s3-files.used")), (1, 1));
    for file in files {
        let content = std::fs::read(&file).unwrap();
        let has = |text: &str| content.windows(text.len()).any(|window| window == text.as_bytes());
        assert!(!has("secret-1") && !has("zoe"), "{}", file.display());
    }
    store.world.app.end().await;
}

#[tokio::test]
async fn databases_are_dumped_before_objects_are_copied() {
    let store = Store::filled(1, 10).await;
    store.objects.hold();
    store.world.requested().await;
    let meanwhile = async {
        crate::app::until("an object is read", async || store.objects.calls() > 0).await;
        assert_eq!(store.world.backups.count(FakeOperation::Dump), 2);
        store.objects.release();
    };
    tokio::join!(store.world.work(), meanwhile);
    assert_eq!(store.world.newest().await["state"], "complete");
    store.world.app.end().await;
}

#[tokio::test]
async fn a_snapshot_from_before_a_migration_has_databases_only() {
    let store = Store::filled(1, 10).await;
    store.world.requested().await;
    store.world.alter("UPDATE backups SET reason = 'migration'").await;
    store.world.work().await;
    let newest = store.world.newest().await;
    assert_eq!((&newest["state"], newest["pieces"].as_array().unwrap().len()), (&json!("complete"), 2));
    assert_eq!((store.objects.take_reads(), store.everything()), (Vec::new(), Vec::new()));
    store.world.app.end().await;
}

#[tokio::test]
async fn an_instance_with_a_bucket_only_has_backups_by_schedule_too() {
    let store = Store::new().await;
    let app = &store.world.app;
    let id = create(app, "two", "filed").await;
    assert_eq!(app.built(id).await["status"], "running");
    let ids = schedule::due(&mut app.db.conn().await.unwrap(), Some(InstanceId(id)), 1, 10).await.unwrap();
    assert_eq!(ids, [InstanceId(id)]);
    let path = format!("{PATH}/{id}/backups");
    let shown = async || app.viewer().await.get(&path).await.expect(200);
    let possible = shown().await;
    let contents = json!(["S3 bucket files", "S3 bucket public"]);
    assert_eq!((&possible["contents"], &possible["why_none"]), (&contents, &Value::Null));
    app.operator().await.post(&path, json!({})).await.expect(202);
    store.world.work().await;
    let backup = shown().await["items"][0].clone();
    assert_eq!((&backup["state"], backup["pieces"].as_array().unwrap().len()), (&json!("complete"), 2));
    app.operator().await.post(&format!("{path}/{}/verify", backup["id"]), json!({})).await.expect(202);
    store.world.work().await;
    assert!(shown().await["items"][0]["verified"].is_string());
    store.world.app.end().await;
}

#[tokio::test]
async fn what_no_address_names_is_left_out_and_said() {
    let store = Store::filled(2, 10).await;
    store.put("..", "x");
    store.world.complete().await;
    assert_eq!(store.pieces().await[0][1], 2);
    assert_eq!(store.world.lines("1 left out because no address names them").await, 1);
    store.world.app.end().await;
}

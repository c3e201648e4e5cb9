//! Buckets that an operator entered: read where their account may list them, and never written.

use ocim::resources::server::ServerError;
use serde_json::{Value, json};
use shared_types::Role;

use super::super::PATH;
use super::{Store, create};

/// A second instance, whose bucket `files` an operator entered; gives the path of its backups.
async fn entered(store: &Store) -> (i64, String) {
    let app = &store.world.app;
    let id = create(app, "two", "stored and filed").await;
    let given = json!({ "given": { "host": "s3.example", "username": "campus", "password": "otters-juggle",
        "databases": { "files": "campus-files", "public": "campus-public" } } });
    app.operator().await.put(&format!("{PATH}/{id}/resources/s3"), given).await.expect(200);
    assert_eq!(app.built(id).await["status"], "running");
    store.objects.put("campus-files", "a", "1");
    (id, format!("{PATH}/{id}/backups"))
}

async fn newest(store: &Store, path: &str) -> Value {
    store.world.app.viewer().await.get(path).await.expect(200)["items"][0].clone()
}

async fn backed_up(store: &Store, path: &str) -> Value {
    store.world.app.operator().await.post(path, json!({})).await.expect(202);
    store.world.work().await;
    newest(store, path).await
}

#[tokio::test]
async fn an_entered_bucket_is_copied_and_a_restore_leaves_it_as_it_is() {
    let store = Store::new().await;
    let (_, path) = entered(&store).await;
    let backup = backed_up(&store, &path).await;
    assert_eq!((&backup["state"], &backup["pieces"][2]["objects"]), (&json!("complete"), &json!(1)), "{backup:#}");
    store.objects.put("campus-files", "a", "2");
    let administrator = store.world.app.person(Role::Admin).await;
    let restore = format!("{path}/{}/restore", backup["id"]);
    administrator.post(&restore, json!({ "confirm": "two" })).await.expect(202);
    store.world.work().await;
    let restored = newest(&store, &path).await;
    assert_eq!((restored["restored"].is_string(), &restored["trouble"]), (true, &Value::Null));
    assert_eq!((store.objects.take_writes(), store.objects.all("campus-files")["a"].as_str()), (Vec::new(), "2"));
    assert_eq!(store.world.lines("buckets that an operator entered stay as they are").await, 1);
    // With nothing else in it, there is nothing to restore.
    store.world.alter(&format!("UPDATE backups SET pieces = pieces - 0 - 0 WHERE id = {}", backup["id"])).await;
    let problem = administrator.post(&restore, json!({ "confirm": "two" })).await.problem(409);
    assert!(problem["detail"].as_str().unwrap().contains("by hand"), "{problem}");
    store.world.app.end().await;
}

#[tokio::test]
async fn an_account_that_may_not_list_its_bucket_keeps_no_database_out_of_the_backup() {
    let store = Store::new().await;
    let (id, path) = entered(&store).await;
    store.objects.set_unlisted(Some(ServerError::Refused("Access Denied.".to_owned())));
    let backup = backed_up(&store, &path).await;
    assert_eq!((&backup["state"], backup["pieces"].as_array().unwrap().len()), (&json!("complete"), 2));
    let shown = store.world.app.viewer().await.get(&path).await.expect(200);
    let left_out = shown["left_out"][0].as_str().unwrap();
    assert!(left_out.starts_with("S3 bucket files: the account that was entered could not list it"), "{left_out}");
    assert!(left_out.contains("Access Denied.") && shown["contents"].as_array().unwrap().len() == 2, "{shown:#}");
    assert_eq!(store.world.lines("S3 bucket files is not in backup").await, 1);
    store.objects.set_unlisted(None);
    let backup = backed_up(&store, &path).await;
    assert_eq!(backup["pieces"].as_array().unwrap().len(), 4, "it is tried again each time");
    let shown = store.world.app.viewer().await.get(&path).await.expect(200);
    assert_eq!(shown["left_out"], json!([]));
    // A bucket that ocim has made must be listed.
    store.objects.set_unlisted(Some(ServerError::Refused("Access Denied.".to_owned())));
    store.world.requested().await;
    store.world.work().await;
    assert_eq!(store.trouble().await, "S3 bucket files: Access Denied.");
    assert_ne!(id, store.world.instance);
    store.world.app.end().await;
}

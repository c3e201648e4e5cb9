use serde_json::json;
use shared_types::Role;

use crate::app::{Client, TestApp};

const PATH: &str = "/api/v1/users";

async fn names(admin: &Client, query: &str) -> Vec<String> {
    let page = admin.get(&format!("{PATH}?{query}")).await.expect(200);
    page["items"].as_array().unwrap().iter().map(|one| one["username"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn users_are_paged_and_filtered_by_name_and_role() {
    let app = TestApp::idle().await;
    let admin = app.session(Role::Admin).await;
    for (name, role) in [("eve", "viewer"), ("ada", "operator"), ("bob_1", "viewer"), ("bobx1", "viewer")] {
        admin.post(PATH, json!({ "username": name, "role": role })).await.expect(201);
    }
    assert_eq!(names(&admin, "role=viewer").await, ["bob_1", "bobx1", "eve"]);
    assert_eq!(names(&admin, "q=B_1").await, ["bob_1"]);
    assert_eq!(names(&admin, "role=operator").await, ["ada"]);
    let (mut all, mut query) = (Vec::new(), "limit=2".to_owned());
    loop {
        let page = admin.get(&format!("{PATH}?{query}")).await.expect(200);
        all.extend(page["items"].as_array().unwrap().iter().map(|one| one["username"].as_str().unwrap().to_owned()));
        assert!(!page.to_string().contains("argon2"), "password hashes are never shown");
        let Some(cursor) = page["next_cursor"].as_str() else {
            break;
        };
        query = format!("limit=2&cursor={cursor}");
    }
    assert_eq!(all.len(), 5);
    assert_eq!(all, names(&admin, "limit=500").await);
    admin.get(&format!("{PATH}?role=king")).await.problem(400);
    app.end().await;
}

use serde_json::{Value, json};

use crate::app::TestApp;

#[tokio::test]
async fn app_servers_of_an_instance_are_paged_newest_first() {
    let app = TestApp::idle().await;
    let (instance, other) = (app.instance("demo").await, app.instance("other").await);
    for _ in 0..3 {
        app.launched(instance).await;
        app.launched(other).await;
    }
    let viewer = app.viewer().await;
    let path = format!("/api/v1/instances/{instance}/app-servers?limit=2");
    let first = viewer.get(&path).await.expect(200);
    let next = first["next_cursor"].as_str().unwrap();
    let second = viewer.get(&format!("{path}&cursor={next}")).await.expect(200);
    let names =
        |page: &Value| page["items"].as_array().unwrap().iter().map(|one| one["name"].clone()).collect::<Vec<_>>();
    assert_eq!(names(&first), [json!("AppServer 3"), json!("AppServer 2")]);
    assert_eq!(names(&second), [json!("AppServer 1")]);
    assert_eq!(second["next_cursor"], Value::Null);
    app.end().await;
}

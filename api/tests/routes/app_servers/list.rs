use serde_json::Value;

use crate::app::TestApp;

const PATH: &str = "/api/v1/app-servers";

fn ids(page: &Value) -> Vec<i64> {
    page["items"].as_array().unwrap().iter().map(|one| one["id"].as_i64().unwrap()).collect()
}

#[tokio::test]
async fn app_servers_are_listed_by_instance_status_and_text() {
    let app = TestApp::idle().await;
    let (one, other) = (app.instance("one").await, app.instance("other").await);
    let first = app.running(one).await;
    let rest = [app.launched(one).await, app.launched(other).await];
    let viewer = app.viewer().await;
    let list = async |query: &str| ids(&viewer.get(&format!("{PATH}?{query}")).await.expect(200));
    assert_eq!(list("").await, [rest[1], rest[0], first]);
    assert_eq!(list(&format!("instance={one}")).await, [rest[0], first]);
    assert_eq!(list("status=running").await, [first]);
    assert_eq!(list(&format!("status=new&instance={other}")).await, [rest[1]]);
    assert_eq!(list("instance=999").await, Vec::<i64>::new());
    viewer.get(&format!("{PATH}?status=sleeping")).await.problem(400);
    viewer.get(&format!("{PATH}?instance=one")).await.problem(400);

    assert_eq!(list("q=appserver%201").await, [rest[1], first], "by their own names");
    assert_eq!(list("q=ONE%20app%202").await, [rest[0]], "by both names together");
    assert_eq!(list("q=oth").await, [rest[1]], "by the instance's");
    assert_eq!(list("q=oth&status=running").await, Vec::<i64>::new());
    for nothing in ["other%202", "x", "%25"] {
        assert_eq!(list(&format!("q={nothing}")).await, Vec::<i64>::new(), "{nothing}");
    }

    let first_page = viewer.get(&format!("{PATH}?limit=2")).await.expect(200);
    let next = first_page["next_cursor"].as_str().unwrap();
    assert_eq!(list(&format!("limit=2&cursor={next}")).await, [first]);
    app.end().await;
}

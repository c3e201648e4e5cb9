use serde_json::{Value, json};

use crate::app::TestApp;

const PATH: &str = "/api/v1/instances";

fn names(page: &Value) -> Vec<String> {
    page["items"].as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn pages_give_every_row_once_in_order() {
    let app = TestApp::idle().await;
    let operator = app.operator().await;
    for number in (0..25).rev() {
        // Names need not differ.
        let body = json!({ "name": format!("Campus {}", number / 2), "sub_domain": format!("campus{number}") });
        operator.post(PATH, body).await.expect(201);
    }
    let (mut path, mut found, mut sizes) = (format!("{PATH}?limit=10"), Vec::new(), Vec::new());
    loop {
        let page = operator.get(&path).await.expect(200);
        sizes.push(names(&page).len());
        found.extend(
            page["items"]
                .as_array()
                .unwrap()
                .iter()
                .map(|one| (one["name"].as_str().unwrap().to_owned(), one["id"].as_i64().unwrap())),
        );
        match page["next_cursor"].as_str() {
            Some(cursor) => path = format!("{PATH}?limit=10&cursor={cursor}"),
            None => break,
        }
    }
    assert_eq!(sizes, [10, 10, 5]);
    assert!(found.windows(2).all(|pair| pair[0].1 != pair[1].1));
    let ids: std::collections::BTreeSet<i64> = found.iter().map(|(_, id)| *id).collect();
    assert_eq!(ids.len(), 25);
    app.end().await;
}

#[tokio::test]
async fn the_last_full_page_has_no_next() {
    let app = TestApp::idle().await;
    app.instance("one").await;
    app.instance("two").await;
    let viewer = app.viewer().await;
    assert_eq!(viewer.get(&format!("{PATH}?limit=2")).await.expect(200)["next_cursor"], Value::Null);
    assert_ne!(viewer.get(&format!("{PATH}?limit=1")).await.expect(200)["next_cursor"], Value::Null);
    app.end().await;
}

#[tokio::test]
async fn a_text_is_looked_for_as_it_is() {
    let app = TestApp::idle().await;
    let operator = app.operator().await;
    for (name, sub_domain) in [("100% Physics", "physics"), ("Chemistry_1", "chem"), ("Chemistry 21", "lab")] {
        operator.post(PATH, json!({ "name": name, "sub_domain": sub_domain })).await.expect(201);
    }
    for (text, expected) in [
        ("PHYS", vec!["100% Physics"]),
        ("%25", vec!["100% Physics"]),
        ("y_1", vec!["Chemistry_1"]),
        ("lab.local", vec!["Chemistry 21"]),
        ("", vec!["100% Physics", "Chemistry 21", "Chemistry_1"]),
        ("nothing", vec![]),
    ] {
        let mut found = names(&operator.get(&format!("{PATH}?q={text}")).await.expect(200));
        found.sort_unstable();
        assert_eq!(found, expected, "{text}");
    }
    operator.get(&format!("{PATH}?q={}", "x".repeat(201))).await.problem(400);
    operator.get(&format!("{PATH}?q=a%00b")).await.problem(400);
    app.end().await;
}

#[tokio::test]
async fn each_shows_its_active_and_its_newest_app_server() {
    let app = TestApp::start().await;
    let instance = app.instance("demo").await;
    app.instance("empty").await;
    let first = app.running(instance).await;
    app.activate(first).await.expect(200);
    let second = app.running(instance).await;
    let page = app.viewer().await.get(PATH).await.expect(200);
    let demo = &page["items"][0];
    assert_eq!(demo["active_appserver"]["id"], first);
    assert_eq!(demo["newest_appserver"]["id"], second);
    assert_eq!(demo["appserver_count"], 2);
    let empty = &page["items"][1];
    assert_eq!((&empty["active_appserver"], &empty["newest_appserver"]), (&Value::Null, &Value::Null));
    app.end().await;
}

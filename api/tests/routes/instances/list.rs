use serde_json::{Value, json};

use crate::app::TestApp;

const PATH: &str = "/api/v1/instances";

fn names(page: &Value) -> Vec<String> {
    page["items"].as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn pages_of_instances_give_every_row_once_in_order() {
    let app = TestApp::idle().await;
    let operator = app.operator().await;
    for number in (0..25).rev() {
        // Names need not be unique.
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
async fn the_last_full_page_has_no_next_cursor() {
    let app = TestApp::idle().await;
    app.instance("one").await;
    app.instance("two").await;
    let viewer = app.viewer().await;
    assert_eq!(viewer.get(&format!("{PATH}?limit=2")).await.expect(200)["next_cursor"], Value::Null);
    assert_ne!(viewer.get(&format!("{PATH}?limit=1")).await.expect(200)["next_cursor"], Value::Null);
    app.end().await;
}

#[tokio::test]
async fn the_search_matches_the_beginnings_of_words() {
    let app = TestApp::idle().await;
    let operator = app.operator().await;
    for (name, sub_domain) in [("100% Physics", "physics"), ("Chemistry_1", "chem"), ("Chemistry 21", "lab")] {
        operator.post(PATH, json!({ "name": name, "sub_domain": sub_domain })).await.expect(201);
    }
    for (text, expected) in [
        ("PHYS", vec!["100% Physics"]),
        ("chem", vec!["Chemistry 21", "Chemistry_1"]),
        ("1 chem", vec!["Chemistry_1"]),
        ("lab.local", vec!["Chemistry 21"]),
        ("emistry", vec![]),
        ("%25", vec![]),
        ("'%26|!:*", vec![]),
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
async fn instances_are_listed_by_their_ids() {
    let app = TestApp::idle().await;
    for sub_domain in ["one", "two", "three"] {
        app.instance(sub_domain).await;
    }
    let viewer = app.viewer().await;
    let ids = async |asked: &str| -> Vec<Value> {
        let page = viewer.get(&format!("{PATH}?sort=created&ids={asked}")).await.expect(200);
        page["items"].as_array().unwrap().iter().map(|one| one["id"].clone()).collect()
    };
    assert_eq!(ids("3,1,1,99").await, [1, 3]);
    assert_eq!(ids("99").await, [0; 0]);
    assert_eq!(ids(&vec!["2"; 100].join(",")).await, [2]);
    for wrong in ["", "1,", "one", "1;2", "99999999999999999999", &vec!["2"; 101].join(",")] {
        viewer.get(&format!("{PATH}?ids={wrong}")).await.problem(400);
    }
    app.end().await;
}

#[tokio::test]
async fn listed_instances_show_their_active_and_newest_app_server() {
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

#[tokio::test]
async fn instances_are_sorted_both_ways_and_filtered() {
    let app = TestApp::idle().await;
    let operator = app.operator().await;
    for (name, sub_domain, tier) in
        [("b", "x", "production"), ("a", "z", "preview"), ("c", "y", "preview"), ("b", "w", "preview")]
    {
        let body = json!({ "name": name, "sub_domain": sub_domain, "tier": tier });
        operator.post(PATH, body).await.expect(201);
    }
    operator.patch(&format!("{PATH}/1"), "\"1\"", json!({ "email": "new@example.com" })).await.expect(200);
    operator.put(&format!("{PATH}/3/hold"), json!({})).await.expect(200);
    let ids = async |query: &str| {
        let (mut found, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = operator.get(&format!("{PATH}?limit=1&{query}{cursor}")).await.expect(200);
            found.extend(page["items"].as_array().unwrap().iter().map(|one| one["id"].as_i64().unwrap()));
            match page["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return found,
            }
        }
    };
    for (sort, expected) in [
        ("name", [2, 1, 4, 3]),
        ("-name", [3, 4, 1, 2]),
        ("domain", [4, 1, 3, 2]),
        ("-domain", [2, 3, 1, 4]),
        ("created", [1, 2, 3, 4]),
        ("-created", [4, 3, 2, 1]),
        ("modified", [2, 3, 4, 1]),
        ("-modified", [1, 4, 3, 2]),
    ] {
        assert_eq!(ids(&format!("sort={sort}")).await, expected, "{sort}");
    }
    assert_eq!(ids("tier=preview").await, [2, 4, 3]);
    assert_eq!(ids("has_hold=true").await, [3]);
    assert_eq!(ids("has_hold=false&sort=created&tier=preview").await, [2, 4]);
    assert_eq!(ids("instance_type=wordpress").await, Vec::<i64>::new());
    let cursor = operator.get(&format!("{PATH}?limit=1")).await.expect(200)["next_cursor"].clone();
    operator.get(&format!("{PATH}?sort=created&cursor={}", cursor.as_str().unwrap())).await.problem(400);
    operator.get(&format!("{PATH}?sort=colour")).await.problem(400);
    app.end().await;
}

#[tokio::test]
async fn instances_are_sorted_and_filtered_by_the_shown_health() {
    let app = TestApp::idle().await;
    for sub_domain in ["a", "b", "c", "d", "e"] {
        let instance = app.instance(sub_domain).await;
        if sub_domain != "e" {
            let id = app.running(instance).await;
            let path = format!("/api/v1/app-servers/{id}/activate");
            app.operator().await.post(&path, json!({})).await.expect(202);
        }
    }
    for (id, state, failing, since) in [
        (1, "ok", "{}", "NULL"),
        (2, "down", "{lms}", "now()"),
        (3, "unknown", "{}", "NULL"),
        (4, "degraded", "{studio}", "now()"),
    ] {
        app.execute(&format!(
            "UPDATE instance_health SET state = '{state}', failing = '{failing}', failing_since = {since} WHERE instance_id = {id}"
        ))
        .await;
    }
    app.execute("UPDATE health_watch SET fresh_until = now() + interval '1 hour'").await;
    let viewer = app.viewer().await;
    let ids = async |query: &str| {
        let (mut found, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = viewer.get(&format!("{PATH}?limit=1&{query}{cursor}")).await.expect(200);
            found.extend(page["items"].as_array().unwrap().iter().map(|one| one["id"].as_i64().unwrap()));
            match page["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return found,
            }
        }
    };
    assert_eq!(ids("sort=health").await, [2, 4, 3, 1, 5]);
    assert_eq!(ids("sort=-health").await, [5, 1, 3, 4, 2]);
    assert_eq!(ids("health=down,degraded&sort=health").await, [2, 4]);
    assert_eq!(ids("health=none").await, [5]);
    assert_eq!(ids("health=ok,none").await, [1, 5]);
    for wrong in ["", "up", "down,", "Down", "down;ok"] {
        let problem = viewer.get(&format!("{PATH}?health={wrong}")).await.problem(400);
        assert!(problem["detail"].as_str().unwrap().contains("ok, unknown, degraded, down and none"), "{problem}");
    }
    // Without checks, every health is unknown: shown, filtered and sorted the same way.
    app.execute("UPDATE health_watch SET fresh_until = now()").await;
    let page = viewer.get(&format!("{PATH}?sort=health&health=unknown")).await.expect(200);
    let shown: Vec<_> = page["items"].as_array().unwrap().iter().map(|one| &one["health"]["state"]).collect();
    assert_eq!(shown, ["unknown"; 4]);
    assert_eq!(ids("health=down,degraded,ok").await, Vec::<i64>::new());
    assert_eq!(ids("sort=health").await, [4, 3, 2, 1, 5]);
    assert_eq!(ids("sort=-health").await, [5, 1, 2, 3, 4]);
    assert_eq!(ids("health=none,unknown").await, [1, 2, 3, 4, 5]);
    app.end().await;
}

use serde_json::{Value, json};

use crate::app::TestApp;

/// Changes settings of an instance.
async fn change(app: &TestApp, instance: i64, fields: Value) {
    let etag = app.read_instance(instance).await["etag"].as_str().unwrap().to_owned();
    app.operator().await.patch(&format!("/api/v1/instances/{instance}"), &etag, fields).await.expect(200);
}

#[tokio::test]
async fn app_servers_are_compared_field_by_field_and_by_their_variables() {
    let app = TestApp::idle().await;
    let instance = app.instance("demo").await;
    let extra = |secret: &str, notes: bool| {
        json!({"configuration_extra_settings":
            format!("DB: {{PASSWORD: {secret}, name: x}}\nEDXAPP_FEATURES: {{ENABLE_NOTES: {notes}}}\n")})
    };
    change(&app, instance, extra("hunter-one", false)).await;
    let first = app.running(instance).await;
    let mut fields = extra("hunter-two", true);
    fields["email"] = "new@example.com".into();
    change(&app, instance, fields).await;
    let second = app.running(instance).await;
    let viewer = app.viewer().await;
    let diff = viewer.get(&format!("/api/v1/app-servers/{first}/diff?against={second}")).await.expect(200);
    let hidden = "••••••";
    let change_of = |name: &str, before: &str, after: &str, is_secret: bool| json!({"name": name, "before": before, "after": after, "is_secret": is_secret});
    assert_eq!(
        diff["settings"],
        json!([
            change_of("DB.PASSWORD", hidden, hidden, true),
            change_of("EDXAPP_FEATURES.ENABLE_NOTES", "false", "true", false),
            change_of("email", "contact@example.com", "new@example.com", false),
        ])
    );
    let variables: Vec<&str> =
        diff["variables"].as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap()).collect();
    assert_eq!(variables[..2], ["DB.PASSWORD", "EDXAPP_BUGS_EMAIL"]);
    assert!(variables.contains(&"EDXAPP_FEATURES_EXTRA.ENABLE_NOTES") && !variables.contains(&"ocim_app_server"));
    assert!(!diff.to_string().contains("hunter"), "{diff}");
    // Reversed, before and after are swapped; compared with itself, nothing differs.
    let back = viewer.get(&format!("/api/v1/app-servers/{second}/diff?against={first}")).await.expect(200);
    assert_eq!(back["settings"][2], change_of("email", "new@example.com", "contact@example.com", false));
    let same = viewer.get(&format!("/api/v1/app-servers/{first}/diff?against={first}")).await.expect(200);
    assert_eq!(same, json!({"settings": [], "variables": []}));
    app.end().await;
}

#[tokio::test]
async fn diff_compares_with_the_current_instance_by_default() {
    let app = TestApp::idle().await;
    let instance = app.instance("demo").await;
    let id = app.running(instance).await;
    let viewer = app.viewer().await;
    let path = format!("/api/v1/app-servers/{id}/diff");
    assert_eq!(viewer.get(&path).await.expect(200), json!({"settings": [], "variables": []}));
    change(&app, instance, json!({"openedx_release": "open-release/quince.3", "name": "Another"})).await;
    let diff = viewer.get(&path).await.expect(200);
    assert_eq!(diff, viewer.get(&format!("{path}?against=instance")).await.expect(200));
    let release =
        json!({"before": "master", "after": "open-release/quince.3", "is_secret": false, "name": "openedx_release"});
    assert!(diff["settings"].as_array().unwrap().contains(&release), "{diff:#}");
    let name =
        json!({"before": "Instance demo", "after": "Another", "is_secret": false, "name": "EDXAPP_PLATFORM_NAME"});
    assert!(diff["variables"].as_array().unwrap().contains(&name), "{diff:#}");
    app.end().await;
}

#[tokio::test]
async fn diff_refuses_what_cannot_be_compared() {
    let app = TestApp::idle().await;
    let (one, two) = (app.instance("one").await, app.instance("two").await);
    let (mine, other) = (app.launched(one).await, app.launched(two).await);
    let viewer = app.viewer().await;
    let get = async |against: &str| viewer.get(&format!("/api/v1/app-servers/{mine}/diff?against={against}")).await;
    let problem = get(&other.to_string()).await.problem(409);
    assert_eq!(
        problem["detail"],
        "App server 1 is of instance 1, and app server 2 of instance 2; compare app servers of one instance."
    );
    assert_eq!(get("99").await.problem(404)["detail"], "There is no app server 99.");
    for nonsense in ["", "0", "-1", "something", "99999999999999999999", "1.5"] {
        get(nonsense).await.problem(400);
    }
    viewer.get(&format!("/api/v1/app-servers/{mine}/diff?colour=red")).await.problem(400);
    change(&app, one, json!({"use_ephemeral_databases": false})).await;
    let problem = get("instance").await.problem(409);
    assert!(
        problem["detail"].as_str().unwrap().contains("ask for persistent databases, and there is no server of MySQL"),
        "{problem}"
    );
    app.end().await;
}

use serde_json::json;
use shared_types::yaml;

use crate::app::TestApp;

#[tokio::test]
async fn the_variables_are_those_of_the_next_launch_with_their_origins() {
    let app = TestApp::idle().await;
    let extra = "EDXAPP_FEATURES:\n  ENABLE_NOTES: true\n  USE_MICROSITES: true\nMY:\n  a/b~c: [1]\n";
    let body = json!({"name": "Demo", "sub_domain": "demo", "configuration_extra_settings": extra});
    app.operator().await.post("/api/v1/instances", body).await.expect(201);
    let viewer = app.viewer().await;
    let render = viewer.get("/api/v1/instances/1/render").await.expect(200);
    for (path, origin) in [
        ("/COMMON_HOSTNAME", "generated"),
        ("/EDXAPP_FEATURES_EXTRA/AUTH_USE_OPENID", "generated"),
        ("/EDXAPP_FEATURES_EXTRA/USE_MICROSITES", "extra settings"),
        ("/EDXAPP_FEATURES_EXTRA/ENABLE_NOTES", "extra settings"),
        ("/MY/a~1b~0c", "extra settings"),
        ("/ocim_app_server", "generated"),
    ] {
        assert_eq!(render["origins"][path], origin, "{path}");
    }
    // Each leaf has an origin, and no other node has one.
    let text = render["configuration_settings"].as_str().unwrap();
    let variables = serde_json::Value::from(yaml::parse_map(text).unwrap());
    for (path, _) in render["origins"].as_object().unwrap() {
        assert!(variables.pointer(path).is_some_and(|value| !value.is_object()), "{path}");
    }
    assert_eq!(variables["ocim_app_server"], "AppServer 1");
    let id = app.launched(1).await;
    let launched = app.read_app_server(id).await["configuration_settings"].as_str().unwrap().to_owned();
    assert_eq!(serde_json::Value::from(yaml::parse_map(&launched).unwrap()), variables);
    app.end().await;
}

#[tokio::test]
async fn secrets_are_masked_and_settings_that_cannot_be_used_are_refused_with_the_reason() {
    let app = TestApp::idle().await;
    let extra = "DB_PASSWORD: hunter-one\nS3: {SECRET_KEY: hunter-two, URL: 'https://me:hunter-three@host/'}\n";
    let body = json!({"name": "Demo", "sub_domain": "demo", "configuration_extra_settings": extra});
    let made = app.operator().await.post("/api/v1/instances", body).await.expect(201);
    let viewer = app.viewer().await;
    let answer = viewer.get("/api/v1/instances/1/render").await;
    let render = answer.expect(200);
    assert!(!answer.body.contains("hunter"), "{}", answer.body);
    assert_eq!(render["origins"]["/S3/SECRET_KEY"], "extra settings");
    assert!(render["configuration_settings"].as_str().unwrap().contains("DB_PASSWORD: \"••••••\"\n"), "{render:#}");
    let operator = app.operator().await;
    let fields = json!({"use_ephemeral_databases": false});
    operator.patch("/api/v1/instances/1", made["etag"].as_str().unwrap(), fields).await.expect(200);
    let problem = viewer.get("/api/v1/instances/1/render").await.problem(409);
    assert!(
        problem["detail"].as_str().unwrap().contains("ask for persistent databases, and there is no server of MySQL"),
        "{problem}"
    );
    app.end().await;
}

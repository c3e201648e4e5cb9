use serde_json::{Value, json};

use crate::app::TestApp;

const YAML: &str = "configuration_extra_settings";

/// Line and text of each warning.
fn told(instance: &Value) -> Vec<(Option<u64>, String)> {
    let warnings = instance["warnings"].as_array().unwrap();
    assert!(warnings.iter().all(|one| one["pointer"] == format!("/{YAML}")), "{warnings:#?}");
    warnings.iter().map(|one| (one["line"].as_u64(), one["detail"].as_str().unwrap().to_owned())).collect()
}

#[tokio::test]
async fn surprising_yaml_gives_warnings_on_create_update_and_read() {
    let app = TestApp::idle().await;
    let operator = app.operator().await;
    let extra = "EDXAPP_FEATURES:\n  # ENABLE_NOTES: true\nMY-VAR: 1\nEDXAPP_LMS_BASE: other.example\nA: 1\nA: 2\n";
    let body = json!({"name": "Demo", "sub_domain": "demo", YAML: extra});
    let created = operator.post("/api/v1/instances", body).await.expect(201);
    let found = told(&created);
    for (line, words) in [
        (1, "`EDXAPP_FEATURES` is empty"),
        (3, "Ansible ignores the variable `MY-VAR`"),
        (4, "other.example, which is not routed"),
        (6, "stands in this map already, in line 5"),
    ] {
        assert!(found.iter().any(|one| one.0 == Some(line) && one.1.contains(words)), "{line} {words}: {found:#?}");
    }
    assert_eq!(found.len(), 4, "{found:#?}");
    assert_eq!(told(&app.read_instance(1).await), found);
    let change = json!({ YAML: "EDXAPP_FEATURES: none\nA_PASSWORD: x\n" });
    let changed = operator.patch("/api/v1/instances/1", "\"1\"", change).await.expect(200);
    let found = told(&changed);
    assert!(matches!(found.as_slice(), [(None, words)] if words.contains("is no map here")), "{found:#?}");
    let good = operator.patch("/api/v1/instances/1", "\"2\"", json!({ YAML: "" })).await.expect(200);
    assert_eq!(told(&good), []);
    app.end().await;
}

#[tokio::test]
async fn keys_that_are_no_texts_are_shown_and_compared_as_people_wrote_them() {
    let app = TestApp::idle().await;
    let operator = app.operator().await;
    let extra = "LANGUAGES:\n  1:\n    - code: de\n  default: 2001-12-14\n";
    let body = json!({"name": "Demo", "sub_domain": "demo", YAML: extra});
    let created = operator.post("/api/v1/instances", body).await.expect(201);
    assert_eq!(created[YAML], extra);
    let render = operator.get("/api/v1/instances/1/render").await.expect(200);
    let shown = render["configuration_settings"].as_str().unwrap();
    assert!(shown.contains("LANGUAGES:\n  1:\n    - code: de\n  default: 2001-12-14\n"), "{shown}");
    assert_eq!(render["origins"]["/LANGUAGES/1"], "extra settings");
    let id = app.launched(1).await;
    let change = json!({ YAML: extra.replace("code: de", "code: fr") });
    operator.patch("/api/v1/instances/1", "\"1\"", change).await.expect(200);
    let diff = operator.get(&format!("/api/v1/app-servers/{id}/diff?against=instance")).await.expect(200);
    let variable = &diff["variables"][0];
    assert_eq!(variable["name"], "LANGUAGES.1", "{diff:#}");
    assert_eq!(variable["before"], r#"[{"code":"de"}]"#);
    app.end().await;
}

use serde_json::json;

use crate::app::TestApp;

const PATH: &str = "/api/v1/instances";

#[tokio::test]
async fn a_new_instance_stores_its_defaults() {
    let app = TestApp::start().await;
    let made = app.operator().await.post(PATH, json!({ "name": "Astronomy", "sub_domain": "Astro" })).await;
    let instance = made.expect(201);
    assert_eq!(made.header("location"), format!("{PATH}/{}", instance["id"]));
    assert_eq!(made.header("etag"), instance["etag"]);
    insta::assert_json_snapshot!(instance, { ".created" => "[time]", ".modified" => "[time]" }, @r#"
    {
      "id": 1,
      "api_url": "/api/v1/instances/1",
      "name": "Astronomy",
      "instance_type": "openedx",
      "domain": "astro.localhost",
      "created": "[time]",
      "modified": "[time]",
      "archived_at": null,
      "has_hold": false,
      "appserver_count": 0,
      "active_appserver": null,
      "newest_appserver": null,
      "health": null,
      "sub_domain": "astro",
      "base_domain": "localhost",
      "protocol": "http",
      "email": "contact@example.com",
      "openedx_release": "master",
      "edx_platform_repository_url": "https://git.example/edx-platform.git",
      "edx_platform_commit": "master",
      "configuration_source_repo_url": "https://git.example/configuration.git",
      "configuration_version": "master",
      "configuration_playbook": "playbooks/openedx_native.yml",
      "configuration_requirements": "requirements.txt",
      "configuration_extra_settings": "",
      "use_ephemeral_databases": true,
      "github_admin_organization_name": "",
      "url": "http://astro.localhost:8080/",
      "studio_url": "http://studio.astro.localhost:8080/",
      "sites": [
        {
          "name": "lms",
          "label": "LMS",
          "url": "http://astro.localhost:8080/"
        },
        {
          "name": "studio",
          "label": "Studio",
          "url": "http://studio.astro.localhost:8080/"
        }
      ],
      "tier": "production",
      "max_builds": 1,
      "retention_hours": null,
      "provider": null,
      "https": "redirect",
      "hold": null,
      "maintenance": null,
      "copy": null,
      "next_migration": null,
      "migrations": [],
      "fallback_app_server_id": null,
      "appservers": [],
      "pending_changes": [],
      "warnings": [],
      "refused_sources": [],
      "source_pr": null,
      "etag": "\"1\""
    }
    "#);
    app.end().await;
}

#[tokio::test]
async fn creating_an_instance_sends_an_event_and_is_audited() {
    let app = TestApp::idle().await;
    let instance = app.instance("astro").await;
    let audited = "SELECT count(*) AS n FROM audit_log WHERE action = 'create_instance' AND instance_id = 1 \
        AND actor LIKE 'operator-%' AND detail ->> 'domain' = 'astro.localhost'";
    assert_eq!(app.number(audited).await, 1);
    let told = "SELECT count(*) AS n FROM events WHERE kind = 'InstanceCreated' AND instance_id = 1";
    assert_eq!(app.number(told).await, 1);
    let log = app.viewer().await.get(&format!("{PATH}/{instance}/logs")).await.expect(200);
    assert!(log["items"][0]["text"].as_str().unwrap().starts_with("Created by operator-"));
    app.end().await;
}

#[tokio::test]
async fn yaml_that_is_no_map_is_refused_with_its_line() {
    let app = TestApp::idle().await;
    let operator = app.operator().await;
    let cases = [("- a\n- b\n", "Line 1"), ("a: 1\nb: [2\n", "Line "), ("a: 1\n\nc: 2\n? [a]\n: 3\n", "Line 4")];
    for (yaml, line) in cases {
        let body = json!({ "name": "x", "sub_domain": "x", "configuration_extra_settings": yaml });
        let detail = operator.post(PATH, body).await.field_error("/configuration_extra_settings");
        assert!(detail.contains(line), "{yaml:?}: {detail}");
    }
    assert_eq!(operator.get(PATH).await.expect(200)["items"], json!([]));
    assert_eq!(app.number("SELECT count(*) AS n FROM events").await, 0);
    app.end().await;
}

#[tokio::test]
async fn creating_an_instance_names_every_invalid_field() {
    let app = TestApp::idle().await;
    let body = json!({ "name": " ", "sub_domain": "-", "email": "ada", "protocol": "gopher", "shoe_size": 43 });
    let mut pointers: Vec<String> =
        app.operator().await.post(PATH, body).await.field_errors().into_iter().map(|(pointer, _)| pointer).collect();
    pointers.sort_unstable();
    assert_eq!(pointers, ["/email", "/name", "/protocol", "/shoe_size", "/sub_domain"]);
    app.end().await;
}

#[tokio::test]
async fn a_host_name_that_another_has_is_refused() {
    let app = TestApp::idle().await;
    let operator = app.operator().await;
    app.instance("demo").await;
    // The last one would be the LMS of one instance and the Studio of the other.
    for (sub_domain, base_domain) in [("demo", "localhost"), ("DEMO", ""), ("studio", "demo.localhost")] {
        let body = json!({ "name": "x", "sub_domain": sub_domain, "base_domain": base_domain });
        let detail = operator.post(PATH, body).await.field_error("/sub_domain");
        assert!(detail.contains("Another instance answers at"), "{detail}");
    }
    assert_eq!(app.number("SELECT count(*) AS n FROM instances").await, 1);
    assert_eq!(app.number("SELECT count(*) AS n FROM instance_hostnames").await, 2);
    app.end().await;
}

#[tokio::test]
async fn concurrent_creates_with_one_host_name_create_one_instance() {
    let app = TestApp::idle().await;
    let operator = app.operator().await;
    let body = || json!({ "name": "x", "sub_domain": "demo" });
    let (one, other) = tokio::join!(operator.post(PATH, body()), operator.post(PATH, body()));
    let mut statuses = [one.status.as_u16(), other.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 422]);
    app.end().await;
}

#[tokio::test]
async fn unknown_application_types_are_refused() {
    let app = TestApp::idle().await;
    let operator = app.operator().await;
    let body = |kind| json!({ "name": "x", "sub_domain": "x", "instance_type": kind });
    let detail = operator.post(PATH, body("wordpress")).await.field_error("/instance_type");
    assert_eq!(detail, "Must be one of: openedx, tutor, site, notebook.");
    assert_eq!(
        operator.post(PATH, json!({ "name": 7, "sub_domain": "x" })).await.field_error("/name"),
        "Must be a string."
    );
    operator.post(PATH, body("openedx")).await.expect(201);
    app.end().await;
}

#[tokio::test]
async fn host_names_of_this_program_and_addresses_are_refused() {
    let app = TestApp::with(crate::app::Setup {
        works: false,
        options: |options| options.reserved_hosts = vec!["localhost".into(), "ocim.example".into()],
        ..crate::app::Setup::default()
    })
    .await;
    let operator = app.operator().await;
    let create = |sub: &str, base: &str| {
        operator.post("/api/v1/instances", json!({ "name": "x", "sub_domain": sub, "base_domain": base }))
    };
    let own = create("ocim", "example").await;
    assert_eq!(
        own.field_error("/sub_domain"),
        "ocim.example is the address of this program itself; choose another name."
    );
    for (sub, base) in [("127", "0.0.1"), ("demo", "0.0.1")] {
        let (_, words) = create(sub, base).await.field_errors().remove(0);
        assert!(words.contains("ends in a number"), "{words}");
    }
    create("demo", "ocim.example").await.expect(201);
    let read = operator.get("/api/v1/instances/1").await;
    let change = json!({ "sub_domain": "ocim", "base_domain": "example" });
    operator.patch("/api/v1/instances/1", read.header("etag"), change).await.problem(422);
    app.end().await;
}

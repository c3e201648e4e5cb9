use serde_json::json;

use crate::app::TestApp;

const PATH: &str = "/api/v1/instances";

#[tokio::test]
async fn defaults_are_written_out() {
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
      "appserver_count": 0,
      "active_appserver": null,
      "newest_appserver": null,
      "sub_domain": "astro",
      "base_domain": "localhost",
      "email": "contact@example.com",
      "protocol": "http",
      "configuration_source_repo_url": "https://git.example/configuration.git",
      "configuration_version": "master",
      "configuration_extra_settings": "",
      "edx_platform_repository_url": "https://git.example/edx-platform.git",
      "edx_platform_commit": "master",
      "openedx_release": "master",
      "use_ephemeral_databases": true,
      "github_admin_organization_name": "",
      "url": "http://astro.localhost:8080/",
      "studio_url": "http://studio.astro.localhost:8080/",
      "fallback_app_server_id": null,
      "appservers": [],
      "pending_changes": [],
      "etag": "\"1\""
    }
    "#);
    app.end().await;
}

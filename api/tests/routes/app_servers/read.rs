use serde_json::Value;

use crate::app::TestApp;

#[tokio::test]
async fn an_app_server_shows_its_configuration_and_its_build() {
    let app = TestApp::start().await;
    let instance = app.instance("demo").await;
    let id = app.running(instance).await;
    let mut read = app.read_app_server(id).await;
    let variables = read["configuration_settings"].take();
    let variables = variables.as_str().unwrap();
    assert!(variables.contains("EDXAPP_LMS_BASE: demo.localhost\n"), "{variables}");
    assert!(variables.contains("ocim_app_server: AppServer 1\n"), "{variables}");
    for step in read["steps"].as_array().unwrap() {
        assert!(step["started"].is_string() && step["ended"].is_string(), "{step}");
    }
    insta::assert_json_snapshot!(read, {
        ".created" => "[time]", ".modified" => "[time]", ".configuration" => "[settings]",
        ".steps[].started" => "[time]", ".steps[].ended" => "[time]", ".server.created" => "[time]",
        ".server.modified" => "[time]", ".checks.items[].checked_at" => "[time]", ".checks.items[].detail" => "[words]",
    }, @r#"
    {
      "id": 1,
      "api_url": "/api/v1/app-servers/1",
      "instance_id": 1,
      "name": "AppServer 1",
      "status": "running",
      "status_name": "Running",
      "status_description": "App server is up and running",
      "is_steady": true,
      "is_healthy": true,
      "serving": "idle",
      "created": "[time]",
      "modified": "[time]",
      "requested_by": "test",
      "reason": null,
      "trigger": "user",
      "attempt": 1,
      "num_attempts": 1,
      "retry_of": null,
      "activate_when_running": false,
      "is_activating": false,
      "stop_requested_by": null,
      "failure": null,
      "has_machine": true,
      "is_pinned": false,
      "terminates_at": null,
      "progress": {
        "step": null,
        "tasks_done": 3,
        "tasks_total": 3,
        "task": null,
        "queued": null,
        "deadline": null,
        "estimated_end": null
      },
      "instance": {
        "instance_type": "openedx",
        "id": 1,
        "api_url": "/api/v1/instances/1",
        "name": "Instance demo"
      },
      "server": {
        "id": 1,
        "api_url": "/api/v1/servers/1",
        "app_server_id": 1,
        "name": "edxapp-demo-1",
        "provider": "fake",
        "provider_id": "fake-1",
        "status": "ready",
        "status_name": "Ready",
        "status_description": "Booted and ready",
        "public_ip": "192.0.2.1",
        "image": "fake-image",
        "flavor": "fake-small",
        "ssh": null,
        "created": "[time]",
        "modified": "[time]"
      },
      "steps": [
        {
          "kind": "pin",
          "started": "[time]",
          "ended": "[time]",
          "outcome": "done"
        },
        {
          "kind": "checkout",
          "started": "[time]",
          "ended": "[time]",
          "outcome": "done"
        },
        {
          "kind": "server",
          "started": "[time]",
          "ended": "[time]",
          "outcome": "done"
        },
        {
          "kind": "playbooks",
          "started": "[time]",
          "ended": "[time]",
          "outcome": "done"
        },
        {
          "kind": "reboot",
          "started": "[time]",
          "ended": "[time]",
          "outcome": "done"
        },
        {
          "kind": "checks",
          "started": "[time]",
          "ended": "[time]",
          "outcome": "done"
        }
      ],
      "configuration": "[settings]",
      "configuration_settings": null,
      "playbooks": [
        {
          "source_repo": "https://git.example/configuration.git",
          "version": "master",
          "commit": "fc613b4dfd6736a7bd268c8a0e74ed0d1c04a959",
          "playbook_path": "playbooks/openedx_native.yml",
          "requirements_path": "requirements.txt",
          "requirements": null
        }
      ],
      "pins": [
        {
          "name": "edx-platform",
          "repository": "https://git.example/edx-platform.git",
          "version": "master",
          "commit": "fc613b4dfd6736a7bd268c8a0e74ed0d1c04a959"
        },
        {
          "name": "configuration",
          "repository": "https://git.example/configuration.git",
          "version": "master",
          "commit": "fc613b4dfd6736a7bd268c8a0e74ed0d1c04a959"
        }
      ],
      "checks": {
        "items": [
          {
            "name": "lms",
            "is_ok": true,
            "detail": "[words]",
            "checked_at": "[time]"
          },
          {
            "name": "studio",
            "is_ok": true,
            "detail": "[words]",
            "checked_at": "[time]"
          }
        ]
      },
      "health": null
    }
    "#);
    app.end().await;
}

#[tokio::test]
async fn a_queued_app_server_shows_how_many_are_ahead() {
    let app = TestApp::idle().await;
    let instance = app.instance("demo").await;
    let ids = [app.launched(instance).await, app.launched(instance).await, app.launched(instance).await];
    for (ahead, id) in ids.iter().enumerate() {
        let read = app.read_app_server(*id).await;
        assert_eq!(read["progress"]["queued"]["ahead"], ahead);
        assert_eq!(read["playbooks"][0]["commit"], Value::Null, "nothing is pinned before the build begins");
    }
    app.end().await;
}

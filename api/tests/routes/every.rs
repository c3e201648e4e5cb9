//! What every operation refuses, tested on each operation of the document, so that new ones are covered at once.

use reqwest::Method;
use serde_json::json;
use shared_types::Role;

use super::document::{Operation, operations};
use crate::app::{Answer, Client, Credentials, TestApp};

fn with_body() -> impl Iterator<Item = Operation> {
    // Bodies of others are refused by their signature or token first: see flows/pull_requests/hooks.rs and flows/gateways.
    operations().into_iter().filter(|operation| operation.has_body && operation.is_for_users())
}

/// Calls an operation with a body whose form is valid.
async fn ask(client: &Client, operation: &Operation, id: impl std::fmt::Display) -> Answer {
    let mut request = client.request(operation.method.clone(), &operation.path(id)).header("if-match", "\"1\"");
    if operation.has_body {
        request = request.json(&match operation.said["operationId"].as_str().unwrap() {
            "set_user_password" => json!({ "password": "seven otters juggle lamps" }),
            "choose_resources" => {
                json!({ "given": { "host": "db.example", "username": "u", "password": "seven otters" } })
            }
            "approve_pull_request" | "ignore_pull_request" => json!({ "commit": "0".repeat(40), "version": 1 }),
            _ => json!({}),
        });
    }
    Answer::to(request).await
}

#[tokio::test]
async fn every_operation_refuses_missing_credentials() {
    let app = TestApp::idle().await;
    let secrets = ["", "0000", &"f".repeat(64)];
    let unknown = secrets.iter().flat_map(|secret| {
        let secret = (*secret).to_owned();
        [Credentials::Token(secret.clone()), Credentials::Cookie(secret)]
    });
    for credentials in unknown.chain([Credentials::None]) {
        let client = app.anonymous().with(credentials);
        for operation in operations().iter().filter(|operation| !operation.is_open) {
            let problem = ask(&client, operation, 1).await.problem(401);
            assert_eq!(problem["type"], "/docs/problems#unauthenticated", "{operation}");
        }
    }
    app.end().await;
}

#[tokio::test]
async fn a_viewer_cannot_change_anything() {
    let app = TestApp::idle().await;
    let instance = app.instance("demo").await;
    app.launched(instance).await;
    let before = app.number("SELECT count(*) AS n FROM audit_log WHERE outcome = 'done'").await;
    for viewer in [app.viewer().await, app.session(Role::Viewer).await] {
        for operation in operations().iter().filter(|operation| operation.needs_operator()) {
            let problem = ask(&viewer, operation, 1).await.problem(403);
            let role = if operation.need() == Some("admin") { "admin" } else { "operator" };
            assert_eq!(problem["detail"], format!("This needs the role {role}; yours is viewer."), "{operation}");
        }
    }
    assert_eq!(app.number("SELECT count(*) AS n FROM audit_log WHERE outcome = 'done'").await, before);
    app.end().await;
}

#[tokio::test]
async fn unknown_ids_are_not_found() {
    let app = TestApp::idle().await;
    let admin = app.session(Role::Admin).await;
    for operation in operations().iter().filter(|operation| operation.has_id()) {
        for id in ["999999", "0", "-1", "nonsense", "99999999999999999999"] {
            let problem = ask(&admin, operation, id).await.problem(404);
            assert_eq!(problem["type"], "/docs/problems#not-found", "{operation}");
        }
    }
    app.end().await;
}

#[tokio::test]
async fn cross_site_requests_change_nothing() {
    let app = TestApp::idle().await;
    let (browser, script) = (app.session(Role::Admin).await, app.person(Role::Admin).await);
    let headers =
        [("sec-fetch-site", "cross-site"), ("sec-fetch-site", "same-site"), ("origin", "http://evil.example")];
    let changing = |operation: &&Operation| !operation.method.is_safe() && operation.is_for_users();
    for operation in operations().iter().filter(changing) {
        for (name, value) in headers {
            let request = |who: &Client| {
                let path = operation.path(999_999);
                who.request(operation.method.clone(), &path)
                    .header(name, value)
                    .json(&json!({ "username": "a", "password": "b" }))
            };
            let problem = Answer::to(request(&browser)).await.problem(403);
            assert!(problem["detail"].as_str().unwrap().contains("another site"), "{operation}: {problem}");
            if !operation.is_open {
                let answer = Answer::to(request(&script)).await;
                assert!(!answer.body.contains("another site"), "{operation}: no browser sends a token unasked");
            }
        }
    }
    app.end().await;
}

#[tokio::test]
async fn invalid_json_is_a_bad_request_with_its_position() {
    let app = TestApp::idle().await;
    let browser = app.session(Role::Admin).await;
    for operation in with_body() {
        let request =
            browser.request(operation.method.clone(), &operation.path(1)).header("content-type", "application/json");
        let problem = Answer::to(request.body("{\n  \"a\": 1,\n  oops\n}")).await.problem(400);
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.contains("line 3 column 3"), "{operation}: {detail}");
    }
    app.end().await;
}

#[tokio::test]
async fn unknown_fields_are_refused_by_name() {
    let app = TestApp::idle().await;
    app.instance("demo").await;
    let browser = app.session(Role::Admin).await;
    for operation in with_body() {
        let body = json!({ "name": "x", "sub_domain": "x", "username": "x", "password": "x", "role": "viewer", "current": "x", "new": "x", "source": "https://git.example/x", "public_key": "x", "kind": "token", "secret": "x", "shoe_size": 43 });
        let accepted: Vec<&str> = match operation.said["operationId"].as_str().unwrap() {
            "login" => vec!["username", "password"],
            "create_token" => vec!["name", "role"],
            "create_source_credential" => vec!["source", "kind", "secret"],
            "add_ssh_key" => vec!["public_key"],
            "create_user" => vec!["username", "role"],
            "set_user_password" => vec!["password"],
            "update_user" => vec!["role"],
            "change_password" => vec!["current", "new"],
            "add_gateway" => vec!["name"],
            "create_instance" | "update_instance" => vec!["name", "sub_domain"],
            "launch_app_server" | "activate_app_server" | "stop_app_server" | "terminate_app_server" => vec![],
            "watch_pull_request" | "approve_pull_request" | "ignore_pull_request" | "report_client_error" => vec![],
            "choose_resources" | "rotate_resource_password" | "restore_backup" => vec![],
            "purge_instance" | "pause_queue" | "roll_back_instance" | "hold_instance" | "pin_app_server" => vec![],
            "begin_maintenance" | "dismiss_migration" | "create_preview_link" => vec![],
            other => panic!("say here which fields {other} takes"),
        };
        let body: serde_json::Map<_, _> = body
            .as_object()
            .unwrap()
            .iter()
            .filter(|(name, _)| *name == "shoe_size" || accepted.contains(&name.as_str()))
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect();
        let request =
            browser.request(operation.method.clone(), &operation.path(1)).header("if-match", "\"1\"").json(&body);
        let errors = Answer::to(request).await.field_errors();
        assert!(
            errors.iter().any(|(pointer, detail)| pointer == "/shoe_size" || detail.contains("shoe_size")),
            "{operation}: {errors:?}"
        );
    }
    app.end().await;
}

#[tokio::test]
async fn a_body_that_is_no_json_or_too_large_is_refused() {
    let app = TestApp::idle().await;
    let browser = app.session(Role::Admin).await;
    for operation in with_body() {
        let request = || browser.request(operation.method.clone(), &operation.path(1));
        let form = request().header("content-type", "application/x-www-form-urlencoded").body("name=x");
        Answer::to(form).await.problem(415);
        Answer::to(request().body("{\"name\": \"x\"}")).await.problem(415);
        let large = json!({ "name": "x".repeat(1 << 20) });
        let problem = Answer::to(request().json(&large)).await.problem(413);
        assert_eq!(problem["detail"], "The body may have 1048576 bytes at most.", "{operation}");
    }
    app.end().await;
}

#[tokio::test]
async fn a_wrong_method_is_answered_with_the_allowed_ones() {
    let app = TestApp::idle().await;
    let admin = app.person(Role::Admin).await;
    let all = operations();
    for operation in all.iter().filter(|operation| operation.path.starts_with("/api/")) {
        let known: Vec<&Method> =
            all.iter().filter(|other| other.path == operation.path).map(|other| &other.method).collect();
        for method in [Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE] {
            // A word in the place of an id matches that path, too.
            let takes_id = |other: &&Operation| {
                let parent = operation.path.rsplit_once('/').map(|(parent, _)| format!("{parent}/{{id}}"));
                other.method == method && Some(&other.path) == parent.as_ref()
            };
            if known.contains(&&method) || all.iter().any(|other| takes_id(&other)) {
                continue;
            }
            let answer = Answer::to(admin.request(method.clone(), &operation.path(1))).await;
            answer.problem(405);
            let mut allowed: Vec<&str> = answer.header("allow").split(", ").collect();
            let mut expected: Vec<&str> = known.iter().map(|method| method.as_str()).collect();
            allowed.sort_unstable();
            expected.sort_unstable();
            assert_eq!(allowed, expected, "{method} {}", operation.path);
        }
    }
    app.end().await;
}

#[tokio::test]
async fn unknown_paths_are_answered_with_a_problem() {
    let app = TestApp::idle().await;
    let admin = app.person(Role::Admin).await;
    for path in ["/api", "/api/v1", "/api/v1/", "/api/v1/nothing", "/api/v2/instances", "/api/v1/instances/1/nothing"] {
        admin.get(path).await.problem(404);
    }
    app.end().await;
}

#[tokio::test]
async fn the_openapi_document_is_public() {
    let app = TestApp::idle().await;
    let anonymous = app.anonymous();
    let yaml = anonymous.get("/api/v1/openapi.yaml").await;
    yaml.expect(200);
    assert_eq!(yaml.header("content-type"), "application/yaml");
    assert_eq!(yaml.body, ocim::http::router::document().to_yaml().unwrap());
    let json = anonymous.get("/api/v1/openapi.json").await.expect(200);
    assert_eq!(json, serde_json::to_value(ocim::http::router::document()).unwrap());
    assert!(anonymous.get("/docs/").await.body.contains("swagger"));
    for kind in shared_types::ProblemType::ALL {
        assert!(anonymous.get("/docs/problems").await.body.contains(&format!("id=\"{}\"", kind.as_str())), "{kind:?}");
    }
    app.end().await;
}

#[tokio::test]
async fn lists_refuse_invalid_queries() {
    let app = TestApp::idle().await;
    app.instance("demo").await;
    let admin = app.person(Role::Admin).await;
    let lists = operations().into_iter().filter(|operation| {
        let parameters = operation.said["parameters"].as_array().cloned().unwrap_or_default();
        parameters.iter().any(|parameter| parameter["name"] == "limit")
    });
    for operation in lists {
        if operation.path.contains("/app-servers/{id}/") {
            continue;
        }
        for query in ["limit=0", "limit=501", "limit=many", "cursor=oops", "cursor=e30", "colour=red"] {
            let answer = admin.get(&format!("{}?{query}", operation.path(1))).await;
            assert_eq!(answer.problem(400)["type"], "/docs/problems#bad-request", "{operation}?{query}");
        }
    }
    app.end().await;
}

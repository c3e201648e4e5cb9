//! Permissions: each operation's requirement is read from the document, compared with its handler's parameters, tested
//! with all roles and scopes, and listed in docs/permissions.md.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use ocim::platform::users::Secret;
use ocim::platform::users::store::{self, tokens};
use reqwest::Method;
use serde_json::json;
use shared_types::Role;
use shared_types::user::Scope;

use super::document::{Operation, operations};
use crate::app::{Client, Credentials, TestApp};

/// The caller of an operation.
#[derive(Debug, Clone, Copy)]
enum Who {
    Anonymous,
    /// A user's session, with this role.
    Session(Role),
    /// An administrator's token with this scope only.
    Token(Scope),
}

const CALLERS: [Who; 8] = [
    Who::Anonymous,
    Who::Session(Role::Viewer),
    Who::Session(Role::Operator),
    Who::Session(Role::Admin),
    Who::Token(Scope::Read),
    Who::Token(Scope::Deploy),
    Who::Token(Scope::Activate),
    Who::Token(Scope::Admin),
];

/// The status of a refusal: 401 or 403. `None`: the caller is permitted.
fn refusal(operation: &Operation, who: Who) -> Option<u16> {
    let need = operation.need()?;
    if ["signature", "gateway"].contains(&need) {
        return Some(401);
    }
    let scope = Scope::ALL.iter().find(|scope| scope.as_str() == need);
    match who {
        Who::Anonymous => Some(401),
        Who::Session(role) => scope.is_some_and(|scope| scope.role() > role).then_some(403),
        Who::Token(own) => match scope {
            Some(Scope::Read) => None,
            Some(scope) => (*scope != own).then_some(403),
            None => Some(403),
        },
    }
}

/// A new caller for each request, since some operations end the caller's session or token.
async fn client(app: &TestApp, who: Who) -> Client {
    match who {
        Who::Anonymous => app.anonymous(),
        Who::Session(role) => app.session(role).await,
        Who::Token(scope) => {
            let secret = Secret::random().unwrap();
            let mut conn = app.conn().await;
            let name = secret.reveal();
            store::insert(&mut conn, name, "no password has this hash", Role::Admin).await.unwrap();
            let (user, ..) = store::by_name(&mut conn, name).await.unwrap().unwrap();
            tokens::insert(&mut conn, user, ("test", Role::Admin, &[scope], 1), &secret.hash()).await.unwrap();
            app.anonymous().with(Credentials::Token(secret.reveal().to_owned()))
        }
    }
}

#[tokio::test]
async fn every_caller_has_exactly_the_documented_permissions() {
    let app = TestApp::idle().await;
    for operation in operations() {
        for who in CALLERS {
            let client = client(&app, who).await;
            let mut request = client.request(operation.method.clone(), &operation.path(999_999));
            request = request.header("if-match", "\"1\"");
            if operation.has_body {
                request = request.json(&json!({ "username": "x", "password": "a guess" }));
            }
            // Only the head is read: streams have no end.
            let status = request.send().await.unwrap().status().as_u16();
            match refusal(&operation, who) {
                Some(expected) => assert_eq!(status, expected, "{operation} asked by {who:?}"),
                // Login is open to all, and refuses a wrong password.
                None if operation.said["operationId"] == "login" => assert!([401, 422, 429].contains(&status)),
                None => assert!(![401, 403].contains(&status), "{operation} asked by {who:?}: {status}"),
            }
        }
    }
    app.end().await;
}

#[test]
fn the_documented_need_of_each_operation_matches_its_handler() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/http");
    let code: String = sources(&root).iter().map(|path| fs::read_to_string(path).unwrap()).collect();
    for operation in operations() {
        let name = operation.said["operationId"].as_str().unwrap();
        let start = code.find(&format!("pub async fn {name}(")).unwrap();
        let parameters = code[start..].split("->").next().unwrap();
        let takes = |extractor: &str| {
            parameters.contains(&format!(": {extractor},")) || parameters.contains(&format!(": {extractor})"))
        };
        let known = [
            ("Person", "session"),
            ("Viewer", "read"),
            ("Operator", "deploy"),
            ("Activator", "activate"),
            ("Admin", "admin"),
            ("Signed", "signature"),
            ("Agent", "gateway"),
        ];
        let needs: Vec<&str> = known.iter().filter(|(extractor, _)| takes(extractor)).map(|(_, need)| *need).collect();
        assert_eq!(needs, Vec::from_iter(operation.need()), "say in http/needs.rs what {name} takes");
        assert_eq!(operation.need().is_none(), operation.is_open, "{operation}");
        let words = operation.said["description"].as_str().unwrap_or_default();
        assert_eq!(operation.need().is_some(), words.contains("Needs "), "{operation}: {words}");
    }
}

#[test]
fn the_committed_table_is_the_programs() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/permissions.md");
    let table = table();
    if std::env::var_os("OCIM_WRITE_PERMISSIONS").is_some() {
        fs::write(&path, &table).unwrap();
    }
    let is_same = fs::read_to_string(&path).unwrap_or_default() == table;
    assert!(is_same, "docs/permissions.md is not what the program says: run `make permissions` and commit it");
}

/// The table in docs/permissions.md.
fn table() -> String {
    let mut text = HEAD.to_owned();
    for operation in operations() {
        let name = operation.said["operationId"].as_str().unwrap();
        write!(text, "| `{name}` | {} `{}` | {} |", operation.method, operation.path, operation.need().unwrap_or("–"))
            .unwrap();
        for who in CALLERS {
            match refusal(&operation, who) {
                None => text.push_str(" yes |"),
                Some(status) => write!(text, " {status} |").unwrap(),
            }
        }
        text.push('\n');
    }
    text
}

const HEAD: &str = "# Who may do what

Generated from the OpenAPI document by a test, which also asks the program each of these questions; `make permissions` writes it
anew.

A role includes the ones before it. An API token has a role, at most its owner's, and scopes within it: `read` looks (every token
may), `deploy` changes, launches, stops and terminates, `activate` says which app server gets the traffic, `admin` manages users
and the system. `session`: only a person who signed in at a browser; a token is refused. The columns of tokens are of an
administrator's, with that scope alone.

| operation | request | needs | anonymous | viewer | operator | admin | token read | token deploy | token activate | token admin |
|---|---|---|---|---|---|---|---|---|---|---|
";

fn sources(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(sources(&path)) } else { found.push(path) }
    }
    found
}

#[tokio::test]
async fn a_token_of_less_than_its_scopes_role_is_refused_for_the_role() {
    let app = TestApp::idle().await;
    let viewer = app.viewer().await;
    let problem = viewer.request(Method::GET, "/api/v1/users");
    let problem = crate::app::Answer::to(problem).await.problem(403);
    assert_eq!(problem["detail"], "This needs the role admin; yours is viewer.");
    app.end().await;
}

#[tokio::test]
async fn a_token_that_only_deploys_does_not_activate_by_launching() {
    let app = TestApp::idle().await;
    let instance = app.instance("demo").await;
    let path = format!("/api/v1/instances/{instance}/app-servers");
    let script = client(&app, Who::Token(Scope::Deploy)).await;
    let problem = script.post(&path, json!({ "activate_when_running": true })).await.problem(403);
    assert_eq!(problem["detail"], "This needs a token with the scope activate.");
    assert_eq!(app.number("SELECT count(*) AS n FROM app_servers").await, 0);
    script.post(&path, json!({})).await.expect(202);
    app.end().await;
}

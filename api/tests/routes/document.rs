//! The OpenAPI document: the committed file is up to date and complete.

use std::fs;
use std::path::{Path, PathBuf};

use reqwest::Method;
use serde_json::Value;
use shared_types::audit::Operation as Known;

/// An operation of the OpenAPI document.
pub struct Operation {
    pub method: Method,
    /// Contains `{id}` if the operation has an id, and `{session_id}` or the like if it has another.
    pub path: String,
    /// Whether the operation needs no credentials.
    pub is_open: bool,
    pub has_body: bool,
    /// The operation's object in the document.
    pub said: Value,
}

impl Operation {
    /// The path with this id, in the place of each.
    pub fn path(&self, id: impl std::fmt::Display) -> String {
        let id = &id.to_string();
        let path = self.path.replace("{id}", id).replace("{session_id}", id).replace("{token_id}", id);
        path.replace("{backup_id}", id)
            .replace("{link_id}", id)
            .replace("{name}", id)
            .replace("{app_server_id}", id)
            .replace("{kind}", "mysql")
    }

    pub fn has_id(&self) -> bool {
        self.path.contains("{id}")
    }

    /// The needed scope, `session`, `signature` or `gateway`. `None`: the operation is open.
    pub fn need(&self) -> Option<&str> {
        self.said["x-required-scope"].as_str()
    }

    /// Whether it is for users, and not for senders that sign or for gateways.
    pub fn is_for_users(&self) -> bool {
        !matches!(self.need(), Some("signature" | "gateway"))
    }

    /// Whether it needs the role operator or admin.
    pub fn needs_operator(&self) -> bool {
        self.need().is_some_and(|need| !matches!(need, "read" | "session" | "signature" | "gateway"))
    }
}

impl std::fmt::Display for Operation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.method, self.path)
    }
}

/// Every operation of the document.
pub fn operations() -> Vec<Operation> {
    let document = serde_json::to_value(ocim::http::router::document()).unwrap();
    let mut operations = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, said) in item.as_object().unwrap() {
            operations.push(Operation {
                method: method.to_uppercase().parse().unwrap(),
                path: path.clone(),
                is_open: said["security"] == serde_json::json!([{}]),
                has_body: said.get("requestBody").is_some(),
                said: said.clone(),
            });
        }
    }
    assert!(operations.len() > 20, "the document has lost operations");
    operations
}

#[test]
fn the_committed_document_is_the_programs() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../openapi.yaml");
    let committed = fs::read_to_string(path).unwrap();
    let is_same = committed == ocim::http::router::document().to_yaml().unwrap();
    assert!(is_same, "openapi.yaml is not what the code says: run `make openapi` and commit it");
}

#[test]
fn every_operation_is_named_after_its_handler_and_described() {
    let handlers: String = sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src/http"))
        .iter()
        .map(|path| fs::read_to_string(path).unwrap())
        .collect();
    for operation in operations() {
        let said = &operation.said;
        let name = said["operationId"].as_str().unwrap();
        assert!(handlers.contains(&format!("pub async fn {name}(")), "{operation}: there is no handler {name}");
        assert!(name.parse::<Known>().is_ok(), "{operation}: `shared_types::audit::Operation` lacks {name}");
        assert!(!said["summary"].as_str().unwrap_or("").is_empty(), "{operation} has no summary");
        assert_eq!(said["tags"].as_array().map(Vec::len), Some(1), "{operation} must have one tag");
    }
    assert_eq!(operations().len(), Known::ALL.len(), "`shared_types::audit::Operation` has one that is not served");
}

#[test]
fn every_operation_documents_its_refusals() {
    for operation in operations() {
        let answers = operation.said["responses"].as_object().unwrap();
        let mut expected = Vec::new();
        if !operation.is_open {
            expected.push("401");
        }
        if !operation.is_open && operation.is_for_users() {
            expected.push("403");
        }
        if operation.has_id() {
            expected.push("404");
        }
        if operation.need() == Some("signature") {
            expected = vec!["401", "413"];
        } else if operation.has_body {
            expected.extend(["400", "413", "415", "422"]);
        }
        for status in expected {
            assert!(answers.contains_key(status), "{operation} does not say that it may answer {status}");
        }
        for (status, answer) in answers.iter().filter(|(status, _)| status.as_str() >= "400") {
            assert!(answer["content"].get("application/problem+json").is_some(), "{operation}: {status} is no problem");
        }
    }
}

#[test]
fn every_schema_reference_resolves() {
    let document = serde_json::to_value(ocim::http::router::document()).unwrap();
    let text = document.to_string();
    let names: Vec<&str> =
        text.split("\"#/components/schemas/").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    assert!(names.len() > 100, "the document refers to {} schemas", names.len());
    for name in names {
        assert!(document["components"]["schemas"].get(name).is_some(), "there is no schema {name}");
    }
}

#[test]
fn every_example_fits_its_schema() {
    let document = serde_json::to_value(ocim::http::router::document()).unwrap();
    let schemas = document["components"]["schemas"].as_object().unwrap();
    for (name, schema) in schemas.iter().filter(|(_, schema)| schema.get("example").is_some()) {
        fits(&document, schema, &schema["example"], name);
    }
    for operation in operations() {
        let answers = operation.said["responses"].as_object().unwrap().values();
        let mut bodies: Vec<&Value> = answers.filter_map(|answer| answer["content"].get("application/json")).collect();
        if operation.has_body {
            bodies.push(&operation.said["requestBody"]["content"]["application/json"]);
        }
        for body in bodies {
            assert!(body.get("example").is_some(), "{operation}: there is no example of {body}");
            fits(&document, &body["schema"], &body["example"], &operation.to_string());
        }
        for parameter in operation.said["parameters"].as_array().into_iter().flatten() {
            if let Some(example) = parameter.get("example").or_else(|| parameter["schema"].get("example")) {
                fits(&document, &parameter["schema"], example, &operation.to_string());
            }
        }
    }
}

/// Panics unless the example matches the schema.
fn fits(document: &Value, schema: &Value, example: &Value, whose: &str) {
    let schema = serde_json::json!({ "allOf": [schema], "components": document["components"] });
    let validator = jsonschema::options().should_validate_formats(true).build(&schema).unwrap();
    let faults: Vec<String> = validator.iter_errors(example).map(|error| error.to_string()).collect();
    assert!(faults.is_empty(), "{whose}: {example} does not fit: {faults:?}");
}

#[test]
fn every_operation_documents_its_permission_and_its_problems() {
    let document = serde_json::to_value(ocim::http::router::document()).unwrap();
    let for_all = document["security"].as_array().unwrap();
    for operation in operations() {
        let security = operation.said["security"].as_array().unwrap_or(for_all);
        assert!(operation.is_open || security.iter().all(|one| one.as_object().unwrap().len() == 1), "{operation}");
        assert_eq!(operation.is_open, operation.need().is_none(), "{operation}: open and needing something");
        for (status, answer) in operation.said["responses"].as_object().unwrap() {
            let words = answer["description"].as_str().unwrap();
            let is_named = shared_types::ProblemType::ALL.iter().any(|kind| {
                kind.status().to_string() == *status && words.contains(&format!("/docs/problems#{}", kind.as_str()))
            });
            assert_eq!(is_named, status.as_str() >= "400", "{operation}: {status}: {words}");
        }
    }
}

#[test]
fn changes_that_break_clients_are_detected() {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../script/openapi-breaking");
    let done = std::process::Command::new(script).arg("--self-test").output().unwrap();
    let words = String::from_utf8_lossy(&done.stderr).into_owned();
    assert!(done.status.success() && words.contains("Ran 4 tests"), "{words}");
}

#[test]
fn the_committed_page_of_problems_is_the_programs() {
    is_committed("problems", &ocim::http::problems::markdown());
}

#[test]
fn the_committed_page_of_settings_is_the_programs() {
    is_committed("settings", &ocim::start::settings_page());
}

/// Compares docs/<name>.md with the page; the variable that `make <name>` sets makes it write the page first.
fn is_committed(name: &str, page: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../docs/{name}.md"));
    if std::env::var_os(format!("OCIM_WRITE_{}", name.to_uppercase())).is_some() {
        fs::write(&path, page).unwrap();
    }
    let is_same = fs::read_to_string(&path).unwrap_or_default() == page;
    assert!(is_same, "docs/{name}.md is not what the program says: run `make {name}` and commit it");
}

fn sources(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(sources(&path)) } else { found.push(path) }
    }
    found
}

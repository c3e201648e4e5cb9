//! Generates an example of each JSON body from its schema and the examples of its fields, so that it always matches the
//! schema. A test validates each.

use serde_json::{Map, Value, json};
use utoipa::openapi::path::Operation;
use utoipa::openapi::{Content, OpenApi, RefOr};

/// The most levels of an example, for schemas that refer to themselves.
const MAX_DEPTH: u8 = 24;

/// Adds an example to each JSON body of each operation.
pub fn add(document: &mut OpenApi) {
    let components = serde_json::to_value(&document.components).unwrap_or_default();
    let Some(schemas) = components.get("schemas") else { return };
    for item in document.paths.paths.values_mut() {
        let all = [&mut item.get, &mut item.post, &mut item.patch, &mut item.put, &mut item.delete];
        all.into_iter().flatten().for_each(|operation| add_to(operation, schemas));
    }
}

fn add_to(operation: &mut Operation, schemas: &Value) {
    let give = |content: &mut RefOr<Content>| {
        let RefOr::T(content) = content else { return };
        let schema = serde_json::to_value(&content.schema).unwrap_or_default();
        content.example = Some(of(&schema, schemas, 0));
    };
    if let Some(RefOr::T(body)) = &mut operation.request_body {
        body.content.get_mut("application/json").into_iter().for_each(give);
    }
    for (status, response) in &mut operation.responses.responses {
        if let RefOr::T(response) = response
            && status.starts_with('2')
        {
            response.content.get_mut("application/json").into_iter().for_each(give);
        }
    }
}

/// An example that matches a schema.
fn of(schema: &Value, schemas: &Value, depth: u8) -> Value {
    let said = [schema.get("example"), schema.pointer("/examples/0"), schema.pointer("/enum/0")];
    if let Some(said) = said.into_iter().flatten().next() {
        return said.clone();
    }
    if depth > MAX_DEPTH {
        return Value::Null;
    }
    if let Some(name) = schema.get("$ref").and_then(Value::as_str).and_then(|path| path.rsplit('/').next()) {
        return schemas.get(name).map_or(Value::Null, |schema| of(schema, schemas, depth + 1));
    }
    if let Some(first) = ["oneOf", "anyOf"].iter().find_map(|word| schema.get(*word)?.get(0)) {
        return of(first, schemas, depth + 1);
    }
    if let Some(parts) = schema.get("allOf").and_then(Value::as_array) {
        let parts = parts.iter().filter_map(|part| of(part, schemas, depth + 1).as_object().cloned());
        return Value::Object(parts.flatten().collect());
    }
    plain(schema, schemas, depth)
}

/// An example for a schema that is not composed of others.
fn plain(schema: &Value, schemas: &Value, depth: u8) -> Value {
    let kind = schema.get("type").map_or(&Value::Null, |kind| kind.get(0).unwrap_or(kind));
    match kind.as_str() {
        Some("object") => {
            let fields = schema.get("properties").and_then(Value::as_object).into_iter().flatten();
            Value::Object(
                fields.map(|(name, field)| (name.clone(), of(field, schemas, depth + 1))).collect::<Map<_, _>>(),
            )
        }
        Some("array") => schema.get("items").map_or_else(|| json!([]), |items| json!([of(items, schemas, depth + 1)])),
        Some("boolean") => schema.get("default").cloned().unwrap_or(Value::Bool(false)),
        Some("integer" | "number") => {
            let given = schema.get("default").filter(|value| value.is_number()).or_else(|| schema.get("minimum"));
            given.cloned().unwrap_or(json!(1))
        }
        Some("string") if schema.get("format").is_some_and(|format| format == "date-time") => {
            json!("2026-11-25T12:00:00Z")
        }
        Some("string") => json!("text"),
        Some(_) | None => Value::Null,
    }
}

//! Values that are secrets by their form, under any name.

use serde_json::Value;

/// Whether a text is a private key: a PEM block, or a key of RFC 7517 (JWK) in JSON.
pub fn is_secret_text(text: &str) -> bool {
    let is_pem = text.contains("-----BEGIN ") && text.contains("PRIVATE KEY");
    is_pem || (is_like_jwk(text) && serde_json::from_str(text).is_ok_and(|value| holds_private_key(&value)))
}

/// A cheap test before a text is parsed as JSON.
fn is_like_jwk(text: &str) -> bool {
    text.trim_start().starts_with(['{', '[']) && text.contains("\"kty\"")
}

fn holds_private_key(value: &Value) -> bool {
    match value {
        Value::Array(items) => items.iter().any(holds_private_key),
        Value::Object(map) => is_private_key(value) || map.values().any(holds_private_key),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

/// Whether a map is a JWK with its private part: `d` of asymmetric keys, `k` of symmetric ones.
pub(super) fn is_private_key(value: &Value) -> bool {
    value.as_object().is_some_and(|map| map.contains_key("kty") && (map.contains_key("d") || map.contains_key("k")))
}

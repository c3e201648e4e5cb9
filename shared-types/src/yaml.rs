//! YAML as Ansible's reader (PyYAML, YAML 1.1) understands it. Stand-in: the real module follows.

/// Where a text is not what it should be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("Line {line}, column {column}: {message}")]
pub struct YamlError {
    /// From 1.
    pub line: usize,
    /// From 1.
    pub column: usize,
    /// What is wrong.
    pub message: String,
}

/// Reads a text that must hold a map (or nothing).
///
/// # Errors
/// Where and why it is not YAML, or no map.
pub fn parse_map(_text: &str) -> Result<serde_json::Map<String, serde_json::Value>, YamlError> {
    Ok(serde_json::Map::new())
}

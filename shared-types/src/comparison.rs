//! Differences between two configurations, and where each variable comes from.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::diff::SettingChange;

/// What differs between an app server and another one, or the instance as it is now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Diff {
    /// Settings that differ, by name.
    pub settings: Vec<SettingChange>,
    /// Merged variables that differ, by path.
    pub variables: Vec<SettingChange>,
}

/// The merged variables as a launch would pass them now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Render {
    /// As YAML; secrets are masked.
    pub configuration_settings: String,
    /// Where each leaf comes from, by JSON pointer (RFC 6901): `generated`, `databases`, `storage` or `extra settings`.
    #[schema(example = json!({"/FEATURES/NOTES": "extra settings"}))]
    pub origins: BTreeMap<String, String>,
}

//! What GitHub was told, in short: kept with the pull request, so that nothing is told twice.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

/// What GitHub was told.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Told {
    /// By the commit; those that were said to be inactive are not kept, unless they still are among what is wanted.
    pub(super) deployments: BTreeMap<String, ToldDeployment>,
    /// By the commit; those that count no more are not kept.
    pub(super) statuses: BTreeMap<String, ToldStatus>,
    /// The digest of the comment.
    pub(super) comment: Option<String>,
}

/// A deployment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct ToldDeployment {
    /// What GitHub knows it by.
    pub(super) id: i64,
    /// The digest of its last status; none: it has none.
    pub(super) digest: Option<String>,
}

/// A commit's status.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct ToldStatus {
    pub(super) digest: String,
    /// Whether it says that the build is under way.
    pub(super) is_pending: bool,
    /// Whether it stays true whatever becomes of the app server, as a failed build does. The version before did not write this
    /// down; then it is not relied upon.
    #[serde(default)]
    pub(super) is_lasting: bool,
}

impl Told {
    /// As it is stored. What cannot be read counts as nothing: what is there at GitHub is found again.
    pub(super) fn read(stored: Option<Value>) -> Self {
        stored.and_then(|stored| serde_json::from_value(stored).ok()).unwrap_or_default()
    }
}

/// The digest of what is told.
pub(super) fn digest(parts: &[&str]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part.len().to_be_bytes());
        hash.update(part);
    }
    hex::encode(hash.finalize()).chars().take(32).collect()
}

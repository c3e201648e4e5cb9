//! What was reported to GitHub, as digests: stored with the pull request, so that no report is sent twice.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

/// What was reported about a pull request.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Told {
    /// By commit. A deployment is removed once it was reported inactive, unless it is still wanted.
    pub(super) deployments: BTreeMap<String, ToldDeployment>,
    /// By commit. A status is removed once it is no longer wanted.
    pub(super) statuses: BTreeMap<String, ToldStatus>,
    /// The digest of the comment's text.
    pub(super) comment: Option<String>,
}

/// What was reported about a deployment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct ToldDeployment {
    /// GitHub's id of the deployment.
    pub(super) id: i64,
    /// The digest of its last status; none: no status yet.
    pub(super) digest: Option<String>,
}

/// What was reported about a commit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct ToldStatus {
    pub(super) digest: String,
    /// Whether the status says that the build is under way.
    pub(super) is_pending: bool,
    /// Whether the status stays true when the app server is gone, as that of a failed build. The version before did not
    /// store this; the default is false.
    #[serde(default)]
    pub(super) is_lasting: bool,
}

impl Told {
    /// Reads the stored value. One that cannot be read counts as empty: the objects at GitHub are looked up again.
    pub(super) fn read(stored: Option<Value>) -> Self {
        stored.and_then(|stored| serde_json::from_value(stored).ok()).unwrap_or_default()
    }
}

/// A digest of these texts: 32 hexadecimal digits.
pub(super) fn digest(parts: &[&str]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part.len().to_be_bytes());
        hash.update(part);
    }
    hex::encode(hash.finalize()).chars().take(32).collect()
}

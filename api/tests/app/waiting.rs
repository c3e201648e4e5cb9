//! Waiting for a condition.

use std::time::Duration;

use super::PATIENCE;

/// Polls until the condition holds; panics after `PATIENCE`.
pub async fn until(what: &str, is_so: impl AsyncFnMut() -> bool) {
    until_within(PATIENCE, what, is_so).await;
}

/// Polls until the condition holds; panics after `patience`.
pub async fn until_within(patience: Duration, what: &str, is_so: impl AsyncFnMut() -> bool) {
    assert!(holds_within(patience, is_so).await, "waited {patience:?} and still not: {what}");
}

/// Whether the condition holds before `PATIENCE` is over.
pub(super) async fn holds_soon(is_so: impl AsyncFnMut() -> bool) -> bool {
    holds_within(PATIENCE, is_so).await
}

async fn holds_within(patience: Duration, mut is_so: impl AsyncFnMut() -> bool) -> bool {
    let looking = async {
        while !is_so().await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(patience, looking).await.is_ok()
}

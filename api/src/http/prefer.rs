//! `Prefer: wait=N`: the answer waits for the outcome, at most 60 seconds.

use std::time::Duration;

use actix_web::HttpRequest;
use tokio::sync::broadcast::error::RecvError;

use super::error::ApiError;
use crate::app::App;

/// The longest wait.
const MAX_WAIT: u64 = 60;

/// How long the caller would wait.
pub fn wait(request: &HttpRequest) -> Option<Duration> {
    let header = request.headers().get("prefer")?.to_str().ok()?;
    let seconds = header.split(',').find_map(|part| part.trim().strip_prefix("wait="))?;
    seconds.trim().parse::<u64>().ok().map(|seconds| Duration::from_secs(seconds.min(MAX_WAIT)))
}

/// Waits until `is_so` answers yes, asking again whenever something changed. False: the time ran out.
///
/// # Errors
/// What `is_so` gives.
pub async fn until<F>(app: &App, patience: Duration, mut is_so: impl FnMut() -> F) -> Result<bool, ApiError>
where
    F: Future<Output = Result<bool, ApiError>>,
{
    let mut changes = app.bus.subscribe();
    let looking = async {
        loop {
            if is_so().await? {
                return Ok(true);
            }
            match changes.recv().await {
                Ok(_) | Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => return Ok(false),
            }
        }
    };
    tokio::time::timeout(patience, looking).await.unwrap_or(Ok(false))
}

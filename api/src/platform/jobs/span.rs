//! The tracing span of a job: its log lines carry the job, its app server, and the request that caused it.

use graphile_worker::WorkerContext;
use tracing::{Instrument, Span};

use super::queue::REQUEST_ID;

/// Runs a job's work in its own span. `app_server` is the app server that the job concerns, if any.
pub async fn spanned<T, E: std::fmt::Display>(
    context: &WorkerContext,
    job: &'static str,
    app_server: Option<i64>,
    work: impl Future<Output = Result<T, E>>,
) -> Result<T, E> {
    // At the highest level, so that no log filter drops the span.
    let span = tracing::error_span!("job", job, app_server, request_id = tracing::field::Empty);
    if let Some(id) = context.payload().get(REQUEST_ID).and_then(serde_json::Value::as_str) {
        span.record("request_id", id);
    }
    let work = async {
        tracing::debug!("a job begins");
        let done = work.await;
        match &done {
            Ok(_) => tracing::debug!("a job is done"),
            Err(error) => tracing::debug!(%error, "a job has failed"),
        }
        done
    };
    work.instrument(span).await
}

/// Spawns a task whose log lines belong to the current span.
pub fn spawn<T: Send + 'static>(work: impl Future<Output = T> + Send + 'static) -> tokio::task::JoinHandle<T> {
    tokio::spawn(work.instrument(Span::current()))
}

//! What a job's lines in the log carry: the job, whose it is, and the request that asked for it.

use graphile_worker::WorkerContext;
use tracing::{Instrument, Span};

use super::queue::REQUEST_ID;

/// Does a job's work in a span of its own. `app_server`: whose job it is, where it is one's.
pub async fn spanned<T, E: std::fmt::Display>(
    context: &WorkerContext,
    job: &'static str,
    app_server: Option<i64>,
    work: impl Future<Output = Result<T, E>>,
) -> Result<T, E> {
    // As loud as can be, so that no filter leaves lines without it.
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

/// Begins a task of its own whose lines carry what this one's do.
pub fn spawn<T: Send + 'static>(work: impl Future<Output = T> + Send + 'static) -> tokio::task::JoinHandle<T> {
    tokio::spawn(work.instrument(Span::current()))
}

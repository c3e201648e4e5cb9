//! `Prefer: wait=N`: the answer waits for the outcome, at most 60 seconds.

use std::time::Duration;

use actix_web::http::header::LOCATION;
use actix_web::{HttpRequest, HttpResponse};
use shared_types::{AppServer, InstanceId};
use tokio::sync::broadcast::error::RecvError;

use super::error::ApiError;
use crate::app::App;
use crate::instances::Refusal;
use crate::platform::events::bus::Signal;

/// The longest wait, in seconds.
const MAX_WAIT: u64 = 60;

/// The time that the caller is willing to wait, at most 60 s.
pub fn wait(request: &HttpRequest) -> Option<Duration> {
    let header = request.headers().get("prefer")?.to_str().ok()?;
    let seconds = header.split(',').find_map(|part| part.trim().strip_prefix("wait="))?;
    seconds.trim().parse::<u64>().ok().map(|seconds| Duration::from_secs(seconds.min(MAX_WAIT)))
}

/// Waits until `is_so` gives true, and asks again after each event of this instance. False: the time ran out.
///
/// # Errors
/// The error of `is_so`.
pub async fn until<F>(
    app: &App,
    patience: Duration,
    instance: InstanceId,
    mut is_so: impl FnMut() -> F,
) -> Result<bool, ApiError>
where
    F: Future<Output = Result<bool, ApiError>>,
{
    let mut changes = app.bus.subscribe();
    let looking = async {
        loop {
            if is_so().await? {
                return Ok(true);
            }
            loop {
                match changes.recv().await {
                    Ok(signal) if !concerns(&signal, instance) => {}
                    Ok(_) | Err(RecvError::Lagged(_)) => break,
                    Err(RecvError::Closed) => return Ok(false),
                }
            }
        }
    };
    tokio::time::timeout(patience, looking).await.unwrap_or(Ok(false))
}

/// Whether the state of an instance may have changed. Other instances' events are ignored, or each waiting request
/// would query the database at every event of the installation.
fn concerns(signal: &Signal, instance: InstanceId) -> bool {
    match signal {
        Signal::Event(event) => event.instance_id == Some(instance),
        Signal::Access(_) | Signal::Gateways | Signal::Rates(_) => false,
        Signal::Gap => true,
    }
}

/// Answers with an app server and its path: 200 if the request is done, 202 while it is not.
///
/// # Errors
/// The error of `read`.
pub async fn answer(
    app: &App,
    request: &HttpRequest,
    read: impl AsyncFn() -> Result<AppServer, Refusal>,
    is_done: impl Fn(&AppServer) -> bool,
) -> Result<HttpResponse, ApiError> {
    if let Some(patience) = wait(request) {
        let instance = read().await?.summary.instance_id;
        until(app, patience, instance, async || Ok(is_done(&read().await?))).await?;
    }
    let app_server = read().await?;
    let mut answer = if is_done(&app_server) { HttpResponse::Ok() } else { HttpResponse::Accepted() };
    Ok(answer.insert_header((LOCATION, app_server.summary.api_url.clone())).json(app_server))
}

#[cfg(test)]
mod tests {
    use super::*;
    use shared_types::{Event, EventKind, UserId};

    #[test]
    fn only_events_of_the_instance_wake_a_waiting_request() {
        let event = |instance_id| {
            Signal::Event(Event {
                id: None,
                kind: EventKind::RoutingApplied,
                created: chrono::DateTime::UNIX_EPOCH,
                instance_id,
                app_server_id: None,
                server_id: None,
                last_seq: None,
            })
        };
        let one = InstanceId(1);
        assert!(concerns(&event(Some(one)), one) && concerns(&Signal::Gap, one));
        assert!(!concerns(&event(Some(InstanceId(2))), one) && !concerns(&event(None), one));
        assert!(!concerns(&Signal::Access(UserId(1)), one));
    }
}

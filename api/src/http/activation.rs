//! The answer to a request that activates an app server or rolls an instance back.

use std::time::Duration;

use actix_web::HttpResponse;
use shared_types::operations::ActivationResult;
use shared_types::{AppServerId, AppServerSummary, Serving};

use super::error::ApiError;
use super::prefer;
use crate::app::App;
use crate::instances::Refusal;
use crate::instances::store::{hook_runs, instances, summaries};
use crate::instances::traffic::activate::Decision;
use crate::platform::db::Connection;

/// 200 once the gateway has applied the decision, 202 before; waits at most `patience` for it.
///
/// # Errors
/// [`ProblemType::Conflict`](shared_types::ProblemType::Conflict) if the activation was refused after its hooks had
/// ended; `Unavailable` if the database does not answer.
pub async fn answer(
    app: &App,
    patience: Option<Duration>,
    id: AppServerId,
    decision: Decision,
) -> Result<HttpResponse, ApiError> {
    if let Some(patience) = patience {
        let instance = look(app, id, decision).await?.app_server.instance_id;
        prefer::until(app, patience, instance, async || Ok(look(app, id, decision).await?.is_settled)).await?;
    }
    let Look { app_server, is_applied, .. } = look(app, id, decision).await?;
    let mut answer = if is_applied { HttpResponse::Ok() } else { HttpResponse::Accepted() };
    Ok(answer.json(ActivationResult { app_server, is_applied }))
}

/// The progress of an activation.
struct Look {
    app_server: AppServerSummary,
    /// Whether the gateway has applied it.
    is_applied: bool,
    /// Whether it is applied, refused or given up, so that waiting is over.
    is_settled: bool,
}

async fn look(app: &App, id: AppServerId, decision: Decision) -> Result<Look, ApiError> {
    let mut conn = app.db().conn().await?;
    let app_server = summaries::read(&mut conn, id).await?.ok_or_else(|| ApiError::not_found("app server", id))?;
    let row = instances::find(&mut conn, app_server.instance_id).await?;
    let row = row.ok_or_else(|| ApiError::not_found("instance", app_server.instance_id))?;
    let has = |generation: i64| row.routing_applied_generation >= generation;
    let (is_applied, is_settled) = match decision {
        Decision::Active { generation } => (has(generation), has(generation)),
        Decision::WhenRunning => {
            let is_applied = app_server.serving == Serving::Active && has(row.routing_generation);
            // The build failed, or the activation was skipped, as during a hold.
            let is_given_up =
                app_server.serving != Serving::Active && !(app_server.activate_when_running && app_server.is_healthy);
            (is_applied, is_applied || is_given_up)
        }
        Decision::AfterHooks => {
            let is_applied = app_server.serving == Serving::Active && has(row.routing_generation);
            let is_refused = app_server.serving != Serving::Active && !app_server.is_activating;
            if let Some(why) = refusal(&mut conn, id, is_refused).await? {
                return Err(Refusal::Conflict(format!("App server {id} was not activated: {why}")).into());
            }
            (is_applied, is_applied || is_refused)
        }
    };
    Ok(Look { app_server, is_applied, is_settled })
}

/// Why the last activation was refused after its hooks had ended.
async fn refusal(conn: &mut Connection, id: AppServerId, is_refused: bool) -> Result<Option<String>, ApiError> {
    if is_refused { Ok(hook_runs::last_refusal(conn, id).await?) } else { Ok(None) }
}

use clap::Args;
use reqwest::Method;
use serde_json::{Value, json};
use shared_types::operations::ActivationResult;
use shared_types::{AppServerId, Serving};

use crate::client::api::{Api, decode};
use crate::client::error::ClientError;
use crate::client::output::Output;

/// Give an instance's traffic to an app server
///
/// Checks the app server first, from the gateway's side. The replaced one keeps running as the fallback. Already
/// active: success. Refused (exit code 5) if it is not running, fails its checks, or another one is active than
/// expected. Waits up to 30 seconds until the gateway has the route.
#[derive(Debug, Args)]
#[command(after_help = "EXAMPLES:
    ocim app-server activate 7
    ocim app-server activate 7 --expected-active 5
    ocim app-server activate 7 --when-running
    ocim app-server activate 7 --force --reason 'checked by hand'")]
pub struct Arguments {
    /// Id of the app server
    id: AppServerId,
    /// Skip the checks; needs --reason
    #[arg(long, requires = "reason")]
    force: bool,
    /// Reason for the history; at most 500 characters
    #[arg(long)]
    reason: Option<String>,
    /// If it is still being built: activate it once it runs, unless a hold is on or a newer one is active by then. The
    /// command does not wait for that
    #[arg(long)]
    when_running: bool,
    /// Only if this app server is active now; `none`: only if no app server is active
    #[arg(long, value_name = "ID", value_parser = expected)]
    expected_active: Option<Expected>,
}

/// The app server that must be active now; none: no app server.
#[derive(Debug, Clone, Copy)]
struct Expected(Option<AppServerId>);

fn expected(text: &str) -> Result<Expected, String> {
    if text == "none" {
        return Ok(Expected(None));
    }
    text.parse().map(|id| Expected(Some(id))).map_err(|_| "must be an app server's id, or none".to_owned())
}

/// Activates an app server and prints the result.
///
/// # Errors
/// [`ClientError`] if the API refuses or does not answer.
pub async fn activate(arguments: &Arguments, api: &Api, out: &Output) -> Result<(), ClientError> {
    let Arguments { id, force, reason, when_running, expected_active } = arguments;
    let mut body = json!({ "force": force, "when_running": when_running, "reason": reason });
    if let (Some(Expected(expected)), Some(fields)) = (expected_active, body.as_object_mut()) {
        fields.insert("expected_active".to_owned(), json!(expected));
    }
    let path = format!("/app-servers/{id}/activate");
    let answer = if *when_running {
        api.json(api.request(Method::POST, &path, &[]).json(&body)).await?
    } else {
        api.ask(Method::POST, &path, &body).await?
    };
    print(&answer, out)
}

/// Prints which app server is active.
///
/// # Errors
/// [`ClientError`] if the answer cannot be decoded or printed.
pub fn print(answer: &Value, out: &Output) -> Result<(), ClientError> {
    let ActivationResult { app_server, is_applied } = decode(answer)?;
    let words = match (app_server.serving, is_applied) {
        (Serving::Active, true) => "is active",
        (Serving::Active, false) => "is active; the gateway follows in a moment",
        _ if app_server.is_activating => "is activated when its hooks have ended well; its log shows them",
        (Serving::Idle | Serving::Draining | Serving::Fallback, _) => "is activated when its build has ended well",
    };
    out.told(answer, &format!("App server {} {words}.", app_server.id))
}

use clap::Args;
use reqwest::Method;
use serde_json::{Value, json};
use shared_types::AppServerSummary;
use tokio::signal::unix::{SignalKind, signal};

use super::progress::Display;
use super::wait;
use crate::client::api::{Api, decode};
use crate::client::error::ClientError;
use crate::client::instance;
use crate::client::output::Output;

/// Launch an app server of an instance, with its settings as they are now
///
/// The active app server stays active. With --wait this command follows the build to its end and shows its progress on
/// standard error: exit code 0 if it runs, 1 if it failed or was stopped. A lost connection is retried and does not
/// count as a failed build. Ctrl-C ends this command but not the build (exit code 130).
#[derive(Debug, Args)]
#[command(after_help = "EXAMPLES:
    ocim app-server launch astro.campus.example
    ocim app-server launch 1 --wait --reason 'upgrade to quince.3'
    ocim app-server launch 1 --wait --attempts 3 --activate-when-running -o json")]
pub struct Arguments {
    /// The instance: its id, whole name or domain
    instance: String,
    /// Wait until the build, or the last of its attempts, has ended
    #[arg(long)]
    wait: bool,
    /// How many app servers are tried, one after another, until a build succeeds: 1 to 10
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=10))]
    attempts: u8,
    /// Activate it when its build has succeeded; not while a hold is on, and not instead of a newer one
    #[arg(long)]
    activate_when_running: bool,
    /// If the build migrates databases, let visitors go on meanwhile; nothing is then restored by itself if it fails
    #[arg(long)]
    migrate_without_page: bool,
    /// Reason for the history; at most 500 characters
    #[arg(long)]
    reason: Option<String>,
}

/// Launches an app server; with `--wait` follows its build.
///
/// # Errors
/// [`ClientError`] if the API refuses; with `--wait` [`ClientError::Failed`] if the build failed.
pub async fn launch(arguments: &Arguments, api: &Api, out: &Output) -> Result<(), ClientError> {
    let Arguments { instance, wait, attempts, activate_when_running, migrate_without_page, reason } = arguments;
    let id = instance::find(api, instance).await?;
    let body = json!({
        "num_attempts": attempts,
        "activate_when_running": activate_when_running,
        "migrate_without_page": migrate_without_page,
        "reason": reason,
    });
    let path = format!("/instances/{id}/app-servers");
    if !wait {
        let launched = post(api, &path, &body).await?;
        let summary: AppServerSummary = decode(&launched)?;
        let words = format!("App server {0} is launched. Follow its log: ocim app-server logs {0} -f", summary.id);
        return out.told(&launched, &words);
    }
    // Registered before the launch, so that a Ctrl-C during it is reported.
    let mut interrupts = signal(SignalKind::interrupt())?;
    let unknown = || {
        let words =
            format!("interrupted; whether one was launched says: ocim app-server list --instance {id} --limit 1");
        ClientError::Interrupted(words)
    };
    let launched = tokio::select! {
        launched = post(api, &path, &body) => launched?,
        _ = interrupts.recv() => return Err(unknown()),
    };
    let mut display = Display::new();
    let ended = wait::until_built(api, &launched, &mut interrupts, &mut display).await;
    display.end();
    let built = ended?;
    let summary: AppServerSummary = decode(&built)?;
    out.told(&built, &format!("App server {} is {}.", summary.id, summary.status.as_str()))
}

/// Launches an app server with retries; the same idempotency key for all of them prevents a second launch.
async fn post(api: &Api, path: &str, body: &Value) -> Result<Value, ClientError> {
    let mut bits = [0u8; 16];
    getrandom::fill(&mut bits).map_err(|error| ClientError::Failed(format!("no randomness: {error}")))?;
    let key = hex::encode(bits);
    let ask = async || api.json(api.request(Method::POST, path, &[]).header("idempotency-key", &key).json(body)).await;
    let mut asked = ask().await;
    for pause in wait::PAUSES {
        if !matches!(asked, Err(ClientError::Unreachable { .. })) {
            break;
        }
        tokio::time::sleep(pause).await;
        asked = ask().await;
    }
    asked
}

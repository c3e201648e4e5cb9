//! The commands of `ocim app-server`.

mod activate;
mod diff;
mod launch;
mod list;
mod logs;
mod logs_follow;
mod pin;
mod preview;
mod progress;
mod rollback;
mod show;
mod stop;
mod terminate;
mod wait;

use super::api::Api;
use super::error::ClientError;
use super::output::Output;

/// Operations on app servers, each documented at its arguments.
#[derive(Debug, clap::Subcommand)]
pub enum Verb {
    List(list::Arguments),
    Show(show::Arguments),
    Launch(launch::Arguments),
    Logs(logs::Arguments),
    Stop(stop::Arguments),
    Activate(activate::Arguments),
    Rollback(rollback::Arguments),
    Diff(diff::Arguments),
    Terminate(terminate::Arguments),
    Pin(pin::Arguments),
    Unpin(pin::UnpinArguments),
    Preview(preview::Arguments),
}

/// Performs one operation.
///
/// # Errors
/// [`ClientError`] of the operation.
pub async fn run(verb: Verb, api: &Api, out: &Output) -> Result<(), ClientError> {
    match verb {
        Verb::List(arguments) => list::list(&arguments, api, out).await,
        Verb::Show(arguments) => show::show(&arguments, api, out).await,
        Verb::Launch(arguments) => launch::launch(&arguments, api, out).await,
        Verb::Logs(arguments) => logs::logs(&arguments, api, out).await,
        Verb::Stop(arguments) => stop::stop(&arguments, api, out).await,
        Verb::Activate(arguments) => activate::activate(&arguments, api, out).await,
        Verb::Rollback(arguments) => rollback::roll_back(&arguments, api, out).await,
        Verb::Diff(arguments) => diff::diff(&arguments, api, out).await,
        Verb::Terminate(arguments) => terminate::terminate(&arguments, api, out).await,
        Verb::Pin(arguments) => pin::pin(&arguments, api, out).await,
        Verb::Unpin(arguments) => pin::unpin(&arguments, api, out).await,
        Verb::Preview(arguments) => preview::preview(&arguments, api, out).await,
    }
}

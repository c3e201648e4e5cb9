//! The commands of `ocim instance`.

mod archive;
mod backups;
mod create;
mod find;
mod hold;
mod list;
mod maintenance;
mod migration;
mod neutralisation;
mod render;
mod resources;
mod set;
mod settings;
mod show;

pub use find::find;

use super::api::Api;
use super::error::ClientError;
use super::output::Output;

/// Operations on instances, each documented at its arguments.
#[derive(Debug, clap::Subcommand)]
pub enum Verb {
    List(list::Arguments),
    Show(show::Arguments),
    Create(create::Arguments),
    Set(set::Arguments),
    Archive(archive::Arguments),
    Restore(archive::RestoreArguments),
    Hold(hold::Arguments),
    Unhold(hold::UnholdArguments),
    Maintenance(maintenance::Arguments),
    EndMaintenance(maintenance::EndArguments),
    DismissMigration(migration::Arguments),
    EndNeutralisation(neutralisation::Arguments),
    Render(render::Arguments),
    #[command(subcommand)]
    Resources(resources::Verb),
    #[command(subcommand)]
    Backups(backups::Verb),
}

/// Performs one operation.
///
/// # Errors
/// [`ClientError`] of the operation.
pub async fn run(verb: Verb, api: &Api, out: &Output) -> Result<(), ClientError> {
    match verb {
        Verb::List(arguments) => list::list(arguments, api, out).await,
        Verb::Show(arguments) => show::show(&arguments, api, out).await,
        Verb::Create(arguments) => create::create(&arguments, api, out).await,
        Verb::Set(arguments) => set::set(&arguments, api, out).await,
        Verb::Archive(arguments) => archive::archive(&arguments, api, out).await,
        Verb::Restore(arguments) => archive::restore(&arguments, api, out).await,
        Verb::Hold(arguments) => hold::hold(&arguments, api, out).await,
        Verb::Unhold(arguments) => hold::unhold(&arguments, api, out).await,
        Verb::Maintenance(arguments) => maintenance::begin(&arguments, api, out).await,
        Verb::EndMaintenance(arguments) => maintenance::end(&arguments, api, out).await,
        Verb::DismissMigration(arguments) => migration::dismiss(&arguments, api, out).await,
        Verb::EndNeutralisation(arguments) => neutralisation::end(&arguments, api, out).await,
        Verb::Render(arguments) => render::render(&arguments, api, out).await,
        Verb::Resources(verb) => resources::run(verb, api, out).await,
        Verb::Backups(verb) => backups::run(verb, api, out).await,
    }
}

//! The program `ocim`: server, worker, administration, and client.

#![forbid(unsafe_code)]

mod cli;

use std::io::{IsTerminal, Write};
use std::process::ExitCode;

use clap::Parser;
use cli::{Admin, Arguments, Command, Gateway};
use ocim::config::LogFormat;
use ocim::start::{StartError, settings};
use tracing_subscriber::EnvFilter;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    log();
    match run(arguments) {
        Ok(code) => code,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "ocim: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Logs to standard error. Falls back to text if the settings are invalid; a command that needs them says so.
fn log() {
    let filter = EnvFilter::try_from_env("OCIM_LOG").unwrap_or_else(|_| EnvFilter::new("warn,ocim=info"));
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    match settings().map_or(LogFormat::Text, |settings| settings.server.ocim_log_format) {
        LogFormat::Text => log.with_ansi(std::io::stderr().is_terminal()).init(),
        LogFormat::Json => log.json().with_span_list(false).init(),
    }
}

fn run(arguments: Arguments) -> Result<ExitCode, StartError> {
    // Fails only if a TLS implementation is already installed, which is harmless: there is only one.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        match arguments.command {
            Command::Client(command) => return Ok(ocim::client::run(command, &arguments.client).await),
            Command::Completion { shell } => std::io::stdout().write_all(&cli::completion(shell))?,
            Command::Openapi => std::io::stdout().write_all(ocim::http::router::document().to_yaml()?.as_bytes())?,
            Command::Server { no_worker } => ocim::start::serve(settings()?, !no_worker).await?,
            Command::Worker => ocim::start::work(settings()?).await?,
            Command::Gateway { verb: None } => ocim::start::gateway::agent(settings()?).await?,
            Command::Gateway { verb: Some(Gateway::Proxy { prepare }) } => {
                ocim::start::gateway::proxy(&settings()?, prepare)?;
            }
            Command::Gateway { verb: Some(Gateway::Check) } => ocim::start::gateway::check(&settings()?).await?,
            Command::Migrate => ocim::start::migrate(&settings()?).await?,
            Command::Admin(Admin::PrepareCache) => ocim::start::prepare_cache(&settings()?).await?,
            Command::Admin(Admin::CheckProvider { name }) => {
                ocim::start::check_provider(&settings()?, name.as_deref()).await?;
            }
            Command::Admin(Admin::Doctor { json }) => return ocim::start::doctor(&settings()?, json).await,
            Command::Admin(Admin::GenerateKey) => ocim::start::generate_key()?,
            Command::Admin(Admin::RotateKeys) => ocim::start::rotate_keys(&settings()?).await?,
            Command::Admin(Admin::AddGateway { name }) => ocim::start::gateway::add(&settings()?, &name).await?,
            Command::Admin(Admin::RemoveGateway { name }) => ocim::start::gateway::remove(&settings()?, &name).await?,
            Command::Admin(Admin::Backup { file }) => ocim::start::backup(&settings()?, &file).await?,
            Command::Admin(Admin::Restore { file }) => ocim::start::restore(&settings()?, &file).await?,
            Command::Admin(Admin::SetPassword { username }) => {
                ocim::start::set_password(&settings()?, &username).await?;
            }
            Command::Admin(Admin::CreateUser { username, role }) => {
                ocim::start::create_user(&settings()?, username, role).await?;
            }
            Command::Admin(Admin::ListUsers) => ocim::start::list_users(&settings()?).await?,
            Command::Admin(Admin::DisableUser { username }) => {
                ocim::start::disable_user(&settings()?, &username).await?;
            }
        }
        Ok(ExitCode::SUCCESS)
    })
}

//! The program `ocim`: server, worker, administration, and client.

#![forbid(unsafe_code)]

mod cli;

use std::io::{IsTerminal, Write};
use std::process::ExitCode;

use clap::Parser;
use cli::{Admin, Arguments, Command};
use ocim::config::{LogFormat, Settings};
use ocim::start::StartError;
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
    match Settings::load().map_or(LogFormat::Text, |settings| settings.ocim_log_format) {
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
            Command::Server => ocim::start::serve(Settings::load()?).await?,
            Command::Worker => ocim::start::work(Settings::load()?).await?,
            Command::Migrate => ocim::start::migrate(&Settings::load()?).await?,
            Command::Admin(Admin::PrepareCache) => ocim::start::prepare_cache(&Settings::load()?).await?,
            Command::Admin(Admin::GenerateKey) => ocim::start::generate_key()?,
            Command::Admin(Admin::RotateKeys) => ocim::start::rotate_keys(&Settings::load()?).await?,
            Command::Admin(Admin::Backup { file }) => ocim::start::backup(&Settings::load()?, &file).await?,
            Command::Admin(Admin::Restore { file }) => ocim::start::restore(&Settings::load()?, &file).await?,
            Command::Admin(Admin::SetPassword { username }) => {
                ocim::start::set_password(&Settings::load()?, &username).await?;
            }
            Command::Admin(Admin::CreateUser { username, role }) => {
                ocim::start::create_user(&Settings::load()?, username, role).await?;
            }
            Command::Admin(Admin::ListUsers) => ocim::start::list_users(&Settings::load()?).await?,
            Command::Admin(Admin::DisableUser { username }) => {
                ocim::start::disable_user(&Settings::load()?, &username).await?;
            }
        }
        Ok(ExitCode::SUCCESS)
    })
}

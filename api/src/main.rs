//! The command line: one program for the server, its workers, its administration and its document.

use std::io::{IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use ocim::config::Settings;
use ocim::start::StartError;
use tracing_subscriber::EnvFilter;

/// The OpenCraft Instance Manager: long-lived instances, immutable app servers, one of them active.
///
/// Settings are environment variables, or lines of the TOML file that OCIM_CONFIG names: OCIM_LISTEN, OCIM_DATA_DIR,
/// DATABASE_URL and the others in docs/settings.md.
#[derive(Debug, Parser)]
#[command(name = "ocim", version)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve API and pages, and build app servers, until Ctrl-C
    Server,
    /// Build app servers beside a server, on the same database, until Ctrl-C
    ///
    /// As many as wanted, on as many machines. With DATABASE_URL it builds for whatever uses that database; without, it joins
    /// the server that uses the same OCIM_DATA_DIR. What becomes of its builds when it is told to end: OCIM_ON_SIGTERM.
    Worker,
    /// Bring the database that DATABASE_URL names to this version
    Migrate,
    /// Print the OpenAPI document
    Openapi,
    /// Users, keys, backups and the cache
    #[command(subcommand)]
    Admin(Admin),
}

#[derive(Debug, Subcommand)]
enum Admin {
    /// Fill the cache with the local machines' base tree and Ansible's wheels
    PrepareCache,
    /// Give a user a new password, read from standard input; ends their sessions
    SetPassword {
        /// The user's name
        username: String,
    },
    /// Print a new key for OCIM_SECRET_KEYS or the file of keys
    GenerateKey,
    /// Encrypt all secrets in the database with the first key, while the program runs
    ///
    /// Without OCIM_SECRET_KEYS a new key is put into the file of keys first. With it, give every program the new key, then put
    /// it first for all of them, then run this.
    RotateKeys,
    /// Write database and keys into a new file, while the program runs
    Backup {
        /// The file; it must not exist
        file: PathBuf,
    },
    /// Fill an empty data directory and an empty database with a backup
    Restore {
        /// The file
        file: PathBuf,
    },
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let filter = EnvFilter::try_from_env("OCIM_LOG").unwrap_or_else(|_| EnvFilter::new("warn,ocim=info"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr)
        .init();
    match run(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(std::io::stderr(), "ocim: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: Arguments) -> Result<(), StartError> {
    // The only TLS implementation there is; refusing a second installation is no error.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        match arguments.command {
            Command::Openapi => {
                std::io::stdout().write_all(ocim::router::document().to_yaml()?.as_bytes())?;
                Ok(())
            }
            Command::Server => ocim::start::serve(Settings::load()?).await,
            Command::Worker => ocim::start::work(Settings::load()?).await,
            Command::Migrate => ocim::start::migrate(&Settings::load()?).await,
            Command::Admin(Admin::PrepareCache) => ocim::start::prepare_cache(&Settings::load()?).await,
            Command::Admin(Admin::GenerateKey) => ocim::start::generate_key(),
            Command::Admin(Admin::RotateKeys) => ocim::start::rotate_keys(&Settings::load()?).await,
            Command::Admin(Admin::Backup { file }) => ocim::start::backup(&Settings::load()?, &file).await,
            Command::Admin(Admin::Restore { file }) => ocim::start::restore(&Settings::load()?, &file).await,
            Command::Admin(Admin::SetPassword { username }) => {
                ocim::start::set_password(&Settings::load()?, &username).await
            }
        }
    })
}

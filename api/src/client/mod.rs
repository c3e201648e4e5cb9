//! The client for scripts: lets a user or a script call a server's REST API.
//!
//! Invariant: it depends on the API and nothing else of the server; `api/tests/architecture` checks that. Text from
//! outside cannot control the terminal, and a token is sent only to the server that it is for.
//!
//! Out of scope: commands that need the server's database, settings or files.

use std::process::ExitCode;

mod account;
pub mod api;
mod app_server;
pub mod error;
mod instance;
mod login;
mod logout;
mod output;
mod sse;
mod ssh;
mod terminal;
mod text;

use error::ClientError;
use output::{Format, Output};

/// The exit codes of the client; keep `ocim --help` and docs/client.md in sync.
pub const EXIT_CODES: &str = "\
EXIT CODES of login, logout, instance, app-server and ssh:
    0  done
    1  the thing asked for failed: a build that failed, an answer that makes no sense
    2  the command was not understood
    3  not signed in, or not allowed (401, 403)
    4  there is no such thing (404)
    5  not possible in the present state, or changed meanwhile (409, 412, 422, 428)
    6  the server cannot be reached, or has a fault (5xx)
  130  interrupted by Ctrl-C

Errors are printed to standard error as `ocim: <title>: <detail>`, with a line for each field that
is not valid; with `-o json` what the server said is printed there as it said it.";

/// Commands of the client, each documented at its arguments.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Keep a token for the commands below
    #[command(long_about = login::ABOUT)]
    Login(login::Arguments),
    /// Delete the token that login made, at the server and here
    ///
    /// A token that was read with `login --with-token` is only removed here; the server keeps it.
    #[command(after_help = "EXAMPLES:\n    ocim logout")]
    Logout,
    /// Instances: list, change, archive, hold
    #[command(subcommand)]
    Instance(instance::Verb),
    /// App servers: launch, follow, activate, roll back
    #[command(subcommand)]
    AppServer(app_server::Verb),
    Ssh(ssh::Arguments),
}

/// Output options of the client.
#[derive(Debug, Clone, clap::Args)]
pub struct Options {
    /// Output of login, logout, instance and app-server: table, or json: the API's document (for a list one array)
    #[arg(short, long, global = true, value_enum, default_value_t = Format::Table, hide_possible_values = true)]
    output: Format,
}

/// Performs one command and prints its error to standard error.
pub async fn run(command: Command, options: &Options) -> ExitCode {
    let out = Output::to_stdout(options.output);
    match perform(command, &out).await {
        // A closed pipe is no error: its reader may have seen enough.
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if error.is_closed_pipe() => ExitCode::SUCCESS,
        Err(error) => {
            error.tell(options.output);
            ExitCode::from(error.exit_code())
        }
    }
}

async fn perform(command: Command, out: &Output) -> Result<(), ClientError> {
    match command {
        Command::Login(arguments) => login::login(arguments, out).await,
        Command::Logout => logout::logout(out).await,
        Command::Instance(verb) => instance::run(verb, &account::connect()?, out).await,
        Command::AppServer(verb) => app_server::run(verb, &account::connect()?, out).await,
        Command::Ssh(arguments) => ssh::ssh(&arguments, &account::connect()?).await,
    }
}
